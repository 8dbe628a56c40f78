using System.Diagnostics;
using Confluent.Kafka;
using Promotions.Domain;
using Promotions.Streams.Kafka.Tasks;
using Promotions.Streams.Kafka.Transport;

namespace Promotions.Streams.Kafka.Commit;

/// <summary>One Kafka transaction of the process every interval: changed state, where it stands and the group's offsets, of every task whose outputs have arrived. Off the path of records.</summary>
/// <remarks>
/// What is carried are absolute values, so carrying the same again after an unknown outcome is harmless. The group's generation in the transaction refuses a process whose partitions were given
/// to others while it was silent. <see cref="Gate"/> is held while tasks are carried: whoever takes a task away waits for it, so no task is committed under a generation in which it is not owned.
/// </remarks>
internal sealed class Committer : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(1);

    private readonly Clients _clients;
    private readonly Action<string> _crashPoint;
    private readonly IKafkaDriverObserver _observer;
    private readonly TimeProvider _time;
    private readonly ManualResetEvent _stop = new(false);
    private readonly Func<IReadOnlyCollection<KafkaTask>> _tasks;
    private readonly Func<IConsumerGroupMetadata> _group;
    private readonly Thread _thread;
    private readonly Action<Exception> _fault;
    private IProducer<byte[], byte[]>? _producer;
    private long _commits;
    private long _commitTicks;

    public Committer(
        Clients clients, Func<IReadOnlyCollection<KafkaTask>> tasks, Func<IConsumerGroupMetadata> group, IKafkaDriverObserver observer, TimeProvider time, Action<Exception> fault, Action<string>? crashPoint = null)
    {
        (_clients, _tasks, _group, _observer, _time, _fault) = (clients, tasks, group, observer, time, fault);
        _crashPoint = crashPoint ?? CrashPoints.Hit;
        _thread = new(Run) { IsBackground = true, Name = "kafka-commit" };
    }

    public Lock Gate { get; } = new();

    public void Start() => _thread.Start();

    /// <summary>How long the commits took, mean over those since the last call; null where there was none.</summary>
    public double? TakeMeanSeconds()
    {
        var (commits, ticks) = (Interlocked.Exchange(ref _commits, 0), Interlocked.Exchange(ref _commitTicks, 0));
        return commits == 0 ? null : TimeSpan.FromTicks(ticks / commits).TotalSeconds;
    }

    /// <summary>Commits what the tasks have done, as far as it arrives in time. The caller holds <see cref="Gate"/>, and the tasks take nothing more.</summary>
    public void CommitLast(IReadOnlyCollection<KafkaTask> tasks, TimeSpan within)
    {
        var end = Stopwatch.GetTimestamp() + (long)(within.TotalSeconds * Stopwatch.Frequency);
        while (true)
        {
            var open = tasks.Where(t => !t.IsClean).ToList();
            if (open.Count == 0) return;
            foreach (var task in open) task.RequestCheckpoint();
            while (Stopwatch.GetTimestamp() < end && !open.TrueForAll(t => t.IsReady || t.IsClean)) _stop.WaitOne(Look);
            Carry([.. open.Where(t => t.IsReady)]);
            if (Stopwatch.GetTimestamp() >= end) return;
        }
    }

    public void Dispose()
    {
        _stop.Set();
        if (_thread.IsAlive) _thread.Join();
        lock (Gate) _producer?.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        var every = _clients.Options.CommitEvery;
        var last = Stopwatch.GetTimestamp();
        try
        {
            while (!_stop.WaitOne(Math.Max(1, (int)(every - Stopwatch.GetElapsedTime(last)).TotalMilliseconds)))
            {
                last = Stopwatch.GetTimestamp();
                if (_producer is null) Prepare();
                var asked = _tasks().Where(t => t.RequestCheckpoint()).ToList();
                if (asked.Count == 0) continue;
                while (!asked.TrueForAll(t => t.IsReady) && Stopwatch.GetElapsedTime(last) < every / 2)
                    if (_stop.WaitOne(Look)) return;
                lock (Gate) Carry([.. _tasks().Where(t => t.IsReady)]);
            }
        }
        catch (Exception fault)
        {
            _fault(fault);
        }
    }

    /// <summary>Before there is anything to commit: what an earlier process under the same id left open holds up the restore of what is to be committed.</summary>
    private void Prepare()
    {
        try
        {
            lock (Gate) _producer ??= Initialize();
        }
        catch (KafkaException fault)
        {
            _observer.CommitFailed(fault);      // the next interval tries again
        }
    }

    /// <summary>One transaction. Where it fails, the tasks keep what they have written down for the next one.</summary>
    private void Carry(List<KafkaTask> tasks)
    {
        var carried = new List<(KafkaTask Task, Standing Standing, ChangelogBackend.Batch Batch)>();
        foreach (var task in tasks)
            if (task.TryCarry() is { } what) carried.Add((task, what.Standing, what.Batch));
        if (carried.Count == 0) return;

        var started = Stopwatch.GetTimestamp();
        try
        {
            var ends = Transact(carried);
            _crashPoint("after_transaction");
            var now = new EventTime(_time.GetUtcNow().ToUnixTimeMilliseconds());
            for (var i = 0; i < carried.Count; i++)
            {
                carried[i].Batch.Carried = new(ends[i] + 1, now, carried[i].Standing);
                carried[i].Task.Carried();
            }

            _crashPoint("after_checkpoint");
            var took = Stopwatch.GetElapsedTime(started);
            Interlocked.Increment(ref _commits);
            Interlocked.Add(ref _commitTicks, took.Ticks);
            _observer.Committed(took, carried.Count);
        }
        catch (KafkaException fault)
        {
            foreach (var (task, _, _) in carried) task.NotCarried();
            _observer.CommitFailed(fault);
            GetOver(fault);
        }
    }

    /// <returns>The changelog's offset of each task's last record in the transaction.</returns>
    private long[] Transact(List<(KafkaTask Task, Standing Standing, ChangelogBackend.Batch Batch)> carried)
    {
        var producer = _producer ??= Initialize();
        var group = _group();
        var ends = new long[carried.Count];
        Error? lost = null;
        producer.BeginTransaction();
        _crashPoint("in_transaction");
        for (var i = 0; i < carried.Count; i++)
        {
            var (task, standing, batch) = carried[i];
            var to = new TopicPartition(task.Unit.Changelog, task.Id.Partition);
            var (index, left) = (i, batch.Count);
            void Delivered(DeliveryReport<byte[], byte[]> report)
            {
                if (report.Error.IsError) lost = report.Error;
                else ends[index] = report.Offset.Value;
            }

            // Where it stands goes first: it names the writer, for whoever finds the transaction open.
            Produce(producer, to, Standing.Key, standing.ToBytes(), left == 0 ? Delivered : null);
            batch.ForEach((key, value) => Produce(producer, to, key, value, --left == 0 ? Delivered : null));
        }

        // All of it lies in the changelogs before the offsets are handed in: who restores after us reads to the changelog's end, and finds whatever may still be committed.
        producer.Flush(Within);
        _crashPoint("after_changelog");
        producer.SendOffsetsToTransaction(carried.Select(c => new TopicPartitionOffset(c.Task.Input, c.Standing.Next)), group, Within);
        _crashPoint("after_offsets");
        Retry(() => producer.CommitTransaction(Within));
        return lost is null ? ends : throw new KafkaException(lost);
    }

    private void Produce(IProducer<byte[], byte[]> producer, TopicPartition to, byte[] key, byte[]? value, Action<DeliveryReport<byte[], byte[]>>? delivered)
    {
        while (true)
        {
            try
            {
                producer.Produce(to, new() { Key = key, Value = value! }, delivered);
                return;
            }
            catch (ProduceException<byte[], byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
            {
                _stop.WaitOne(Look);
            }
        }
    }

    /// <summary>After a failed transaction: it is ended, by this producer, or by the next one under the same id.</summary>
    private void GetOver(KafkaException fault)
    {
        try
        {
            if (!fault.Error.IsFatal)
            {
                Retry(() => _producer?.AbortTransaction(Within));
                return;
            }
        }
        catch (KafkaException)
        {
            // A producer that cannot end its transaction is replaced by one that does.
        }

        _producer?.Dispose();
        _producer = null;
    }

    private static void Retry(Action step)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                step();
                return;
            }
            catch (KafkaRetriableException) when (attempt < 3)
            {
                // Calling it again is how it goes on.
            }
        }
    }

    /// <summary>Ends what an earlier process under the same id left open.</summary>
    private IProducer<byte[], byte[]> Initialize()
    {
        var producer = _clients.TransactionalProducer(_clients.Options.MemberId);
        try
        {
            producer.InitTransactions(Within);
            return producer;
        }
        catch
        {
            producer.Dispose();
            throw;
        }
    }
}
