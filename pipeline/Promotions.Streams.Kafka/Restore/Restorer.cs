using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Promotions.Domain;
using Promotions.Streams.Kafka.Tasks;
using Promotions.Streams.Kafka.Transport;

namespace Promotions.Streams.Kafka.Restore;

/// <summary>Brings the state of tasks that came here to their changelogs' end, and keeps copies of others' up to date. One thread, one consumer.</summary>
internal sealed class Restorer : IDisposable
{
    private static readonly TimeSpan TombstonesLive = TimeSpan.FromHours(24);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan StuckAfter = TimeSpan.FromMilliseconds(500);

    private readonly Clients _clients;
    private readonly TaskServices _services;
    private IAdminClient _admin;
    private readonly OpenTransactions _openTransactions;
    private readonly Action<Exception> _fault;
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly Dictionary<TaskId, Job> _jobs = [];        // changed by the restoring thread alone, under the gate: others count it
    private readonly Queue<Action> _orders = new();
    private readonly CancellationTokenSource _stop = new();
    private IConsumer<byte[], byte[]>? _consumer;
    private long _windowStart;
    private long _windowBytes;

    public Restorer(Clients clients, TaskServices services, Action<Exception> fault)
    {
        (_clients, _services, _fault) = (clients, services, fault);
        _admin = clients.Admin();
        _openTransactions = new(clients);
        _thread = new(Run) { IsBackground = true, Name = "kafka-restore" };
    }

    public void Start() => _thread.Start();

    /// <summary>The task came here.</summary>
    public void Restore(KafkaTask task) => Order(() =>
    {
        if (_jobs.TryGetValue(task.Id, out var standby)) Drop(standby);
        Begin(new(new(task.Id, task.Unit, task.Local), task));
    });

    /// <summary>The task, or the copy, is not needed here any more. Returns once nothing of it is written here.</summary>
    public void Forget(TaskId id)
    {
        using var done = new ManualResetEventSlim();
        Order(() =>
        {
            if (_jobs.TryGetValue(id, out var job)) Drop(job);
            done.Set();
        });
        while (!done.Wait(Poll) && _thread.IsAlive && !_stop.IsCancellationRequested) { }
    }

    /// <summary>Copies to follow from now on: of tasks that are active elsewhere. Others are left as they are.</summary>
    /// <param name="runs">Whether the task runs here by now.</param>
    public void Follow(IReadOnlyCollection<(TaskId Id, StreamUnit Unit)> copies, Func<TaskId, bool> runs) => Order(() =>
    {
        foreach (var (_, job) in _jobs.Where(j => j.Value.Task is null && !copies.Any(c => c.Id == j.Key)).ToList()) Drop(job);

        foreach (var (id, unit) in copies)
            if (!_jobs.ContainsKey(id) && !runs(id)) Begin(new(new(id, unit, _services.Database.Partition(id.SubTopology, id.Partition)), null));
    });

    /// <summary>Of each task that is restored and each copy that is followed: how far it is.</summary>
    public IReadOnlyList<RestoreProgress> Progress()
    {
        lock (_gate) return [.. _jobs.Values.Select(j => new RestoreProgress(j.Copy.Task, j.Task is null, Math.Max(0, j.End - j.Copy.Next), j.PerSecond()))];
    }

    public void Dispose()
    {
        _stop.Cancel();
        if (_thread.IsAlive) _thread.Join();
        _admin.Dispose();
        _stop.Dispose();
    }

    private void Order(Action order)
    {
        lock (_gate) _orders.Enqueue(order);
    }

    private void Run()
    {
        try
        {
            using var consumer = _consumer = _clients.ChangelogConsumer();
            while (!_stop.IsCancellationRequested)
            {
                while (TakeOrder() is { } order) order();
                if (_jobs.Count == 0)
                {
                    _stop.Token.WaitHandle.WaitOne(Poll);
                    continue;
                }

                Read(consumer);
                Look();
            }

            foreach (var job in _jobs.Values) job.Copy.Dispose();
            consumer.Close();
        }
        catch (Exception fault) when (!_stop.IsCancellationRequested)
        {
            _fault(fault);
        }
    }

    private Action? TakeOrder()
    {
        lock (_gate) return _orders.TryDequeue(out var order) ? order : null;
    }

    private void Begin(Job job)
    {
        lock (_gate) _jobs.Add(job.Copy.Task, job);
        TryBegin(job);
    }

    /// <summary>Brokers that are away, or have no leader for the changelog yet, are asked again.</summary>
    private void TryBegin(Job job)
    {
        if (Stopwatch.GetElapsedTime(job.AskedAt) < AskAgainAfter) return;
        try
        {
            job.End = EndOf(job.Copy.Changelog);
        }
        catch (KafkaException fault)
        {
            job.AskedAt = Stopwatch.GetTimestamp();
            _admin.Dispose();
            _admin = _clients.Admin();      // one that lived through a change of leaders asks by what it knew before
            _services.Observer.ClientSaid($"The end of {job.Copy.Changelog} is not known yet: {(fault is ListOffsetsException asked ? asked.Result.ResultInfos[0].TopicPartitionOffsetError.Error.ToString() : fault.Message)}");
            return;
        }

        job.Copy.Begin(Now(), TombstonesLive, job.End);
        job.HasBegun = true;

        // A changelog that is empty, or a copy that is at its end, is never read: there may be nothing that would say so.
        if (job.Task is not null && job.Copy.Next >= job.End) Finish(job);
        else
        {
            job.IsRead = true;
            _consumer!.IncrementalAssign([new TopicPartitionOffset(job.Copy.Changelog, job.Copy.Next)]);
        }
    }

    private void Drop(Job job)
    {
        lock (_gate) _jobs.Remove(job.Copy.Task);
        if (job.IsRead) _consumer!.IncrementalUnassign([job.Copy.Changelog]);
        if (job.Copy.Records > 0) job.Copy.Write(Now());
        job.Copy.Dispose();
    }

    private void Read(IConsumer<byte[], byte[]> consumer)
    {
        var applied = 0;
        var wait = Poll;
        while (applied < 4_096 && Consume(consumer, wait) is { } result)
        {
            wait = TimeSpan.Zero;
            if (JobOf(result.TopicPartition) is not { } job) continue;
            if (result.IsPartitionEOF)
            {
                job.Copy.Reached(result.Offset.Value, Now());
                if (job.Task is null) job.End = job.Copy.Next;
            }
            else if (result.Offset.Value >= job.Copy.Next) job.Copy.Apply(result.Message, result.Offset.Value, Now());
            job.BlockedSince = result.IsPartitionEOF ? Stopwatch.GetTimestamp() : 0;
            if (result.IsPartitionEOF) continue;
            applied++;
            if (Throttle(result.Message)) break;
        }

        if (applied > 0) _services.Observer.RestoredRecords(applied);
    }

    private ConsumeResult<byte[], byte[]>? Consume(IConsumer<byte[], byte[]> consumer, TimeSpan wait)
    {
        try
        {
            return consumer.Consume(wait);
        }
        catch (ConsumeException fault) when (!fault.Error.IsFatal)
        {
            _services.Observer.ClientSaid(fault.Message);
            _stop.Token.WaitHandle.WaitOne(Poll);
            return null;
        }
    }

    /// <summary>Who is there, and who is stuck behind a transaction that nobody ends.</summary>
    private void Look()
    {
        foreach (var job in _jobs.Values.ToList())
        {
            if (!job.HasBegun)
            {
                TryBegin(job);
                continue;
            }

            if (job.Task is null) continue;
            if (job.Copy.Next >= job.End)
            {
                Finish(job);
                continue;
            }

            if (job.BlockedSince == 0 || Stopwatch.GetElapsedTime(job.BlockedSince) < StuckAfter) continue;
            _openTransactions.End(job.Copy.Changelog, job.Copy.Next, job.End);

            // A process has one transaction: whoever else was stuck behind it is free now, and must be read before it is looked at again.
            foreach (var other in _jobs.Values.Where(other => other.BlockedSince != 0)) other.BlockedSince = Stopwatch.GetTimestamp();
            return;
        }
    }

    private void Finish(Job job)
    {
        lock (_gate) _jobs.Remove(job.Copy.Task);
        if (job.IsRead) _consumer!.IncrementalUnassign([job.Copy.Changelog]);
        if (job.Copy.Records > 0 || job.IsRead) job.Copy.Write(Now());
        job.Copy.Dispose();
        var standing = job.Copy.Standing;
        if (standing?.Standing is { } was && was.LayoutHash != _services.Options.LayoutHash)
            throw new InvalidOperationException(
                $"The state of '{job.Copy.Changelog.Topic}' has layout {was.LayoutHash:x16}, and this build makes {_services.Options.LayoutHash:x16}. Run it under another group: it builds its own state from the topics.");
        _services.Observer.Restored(job.Copy.Task, job.Copy.Records, Stopwatch.GetElapsedTime(job.StartedAt));
        _ = OpenAsync(job.Task!, standing);
    }

    /// <summary>Earlier owners are refused from here on; then it runs.</summary>
    private async Task OpenAsync(KafkaTask task, LocalStanding? standing)
    {
        for (var wait = TimeSpan.FromMilliseconds(50); ; wait = wait * 2 < TimeSpan.FromSeconds(5) ? wait * 2 : TimeSpan.FromSeconds(5))
        {
            try
            {
                var epoch = task.Unit.HasEffects ? await _services.Effects!.AcquireAsync(task.Id, _stop.Token).ConfigureAwait(false) : 0;
                task.Open(standing, epoch);
                return;
            }
            catch (Exception) when (_stop.IsCancellationRequested || task.Stage is TaskStage.Closed)
            {
                return;
            }
            catch (TopologyException fault)
            {
                _fault(fault);
                return;
            }
            catch (Exception fault)
            {
                _services.Observer.Retrying(task.Id, fault);
                await Task.Delay(wait, _services.Time).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Where the log ends, open transactions included: whoever may still commit has written before.</summary>
    private long EndOf(TopicPartition changelog)
    {
        var end = _admin.ListOffsetsAsync(
            [new TopicPartitionOffsetSpec { TopicPartition = changelog, OffsetSpec = OffsetSpec.Latest() }],
            new() { IsolationLevel = IsolationLevel.ReadUncommitted, RequestTimeout = Within }).GetAwaiter().GetResult();
        return end.ResultInfos[0].TopicPartitionOffsetError.Offset.Value;
    }

    private Job? JobOf(TopicPartition changelog)
    {
        foreach (var job in _jobs.Values)
            if (job.Copy.Changelog.Equals(changelog)) return job;
        return null;
    }

    private bool Throttle(Message<byte[], byte[]> message)
    {
        var max = _services.Options.RestoreBytesPerSecond;
        if (max == 0) return false;
        var elapsed = Stopwatch.GetElapsedTime(_windowStart);
        if (elapsed >= TimeSpan.FromSeconds(1)) (_windowStart, _windowBytes, elapsed) = (Stopwatch.GetTimestamp(), 0, TimeSpan.Zero);
        _windowBytes += (message.Key?.Length ?? 0) + (message.Value?.Length ?? 0);
        if (_windowBytes < max) return false;
        _stop.Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(1_001) - elapsed);     // waits are cut to whole milliseconds, and what is left of one lets hundreds of records through
        return true;
    }

    private EventTime Now() => new(_services.Time.GetUtcNow().ToUnixTimeMilliseconds());

    private sealed class Job(ChangelogCopy copy, KafkaTask? task)
    {
        public ChangelogCopy Copy { get; } = copy;

        /// <summary>Null for a copy.</summary>
        public KafkaTask? Task { get; } = task;

        public long End { get; set; }
        public bool HasBegun { get; set; }
        public long AskedAt { get; set; }
        public bool IsRead { get; set; }
        public long StartedAt { get; } = Stopwatch.GetTimestamp();

        /// <summary>Since when all that is committed has been read, and it is not all; 0 while there is more to read.</summary>
        public long BlockedSince { get; set; }

        public double PerSecond() => Copy.Records / Math.Max(0.001, Stopwatch.GetElapsedTime(StartedAt).TotalSeconds);
    }
}

/// <param name="Remaining">Records of the changelog that are still to be read.</param>
internal readonly record struct RestoreProgress(TaskId Task, bool IsStandby, long Remaining, double PerSecond);
