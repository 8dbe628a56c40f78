using System.Diagnostics;
using Confluent.Kafka;
using Promotions.Streams.Kafka.Commit;
using Promotions.Streams.Kafka.Restore;
using Promotions.Streams.Kafka.Status;
using Promotions.Streams.Kafka.Tasks;
using Promotions.Streams.Kafka.Transport;
using Promotions.Streams.RocksDb;

namespace Promotions.Streams.Kafka;

/// <summary>A topology over any number of processes: every hop that changes the key is a topic, tasks move between members of one consumer group, state is local with changelogs behind it.</summary>
/// <remarks>What it promises, and why, crash by crash: DECISIONS.md beside this file.</remarks>
public sealed partial class KafkaDriver : IAsyncDisposable
{
    private static readonly TimeSpan PollMax = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LastCommitWithin = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan FullFor = TimeSpan.FromMilliseconds(100);

    private readonly KafkaDriverOptions _options;
    private readonly IKafkaDriverObserver _observer;
    private readonly TimeProvider _time;
    private readonly IReadOnlyList<StreamUnit> _units;
    private readonly Clients _clients;
    private readonly SharedRocksDb _database;
    private readonly Publisher _publisher;
    private readonly TaskServices _services;
    private readonly Committer _committer;
    private readonly Restorer _restorer;
    private readonly Membership _membership;
    private readonly Worker[] _workers;
    private readonly IConsumer<byte[], byte[]> _consumer;
    private readonly Thread _poll;
    private readonly Lock _gate = new();
    private readonly Queue<KafkaTask> _seeks = new();
    private readonly List<TopicPartition> _toPause = [];
    private readonly HashSet<KafkaTask> _paused = [];
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private volatile Dictionary<TopicPartition, KafkaTask> _tasks = [];
    private volatile bool _rebalancing = true;
    private volatile bool _joined;
    private volatile bool _aborts;
    private int _disposed;

    private KafkaDriver(
        Topology topology, KafkaDriverOptions options, IReadOnlyList<StreamUnit> units, Clients clients, IReadOnlyDictionary<string, int> partitions,
        IEffects? effects, IIntake? intake, IKafkaDriverObserver observer, TimeProvider time)
    {
        (_options, _units, _clients, _observer, _time) = (options, units, clients, observer, time);
        StartedAt = time.GetUtcNow();
        _database = SharedRocksDb.Open(options.StateFolder, options.State);
        _publisher = new(clients, time, fault => Fault("A record that must arrive was given up.", fault), observer.DeadLettered);
        _services = new(topology, options, clients.Names, partitions, _database, _publisher, effects, intake, observer, time, Seek, Fault);
        _consumer = clients.GroupConsumer(OnAssigned, OnRevoked, OnLost);
        _committer = new(clients, () => _tasks.Values, () => _consumer.ConsumerGroupMetadata, observer, time, fault => Fault("The commit thread ended.", fault));
        _restorer = new(clients, _services, fault => Fault("State cannot be restored.", fault));
        _membership = new(
            this, clients, _publisher, _restorer, [.. units.SelectMany(u => Enumerable.Range(0, partitions[u.Input]).Select(p => (new TaskId(u.Number, p), u)))],
            fault => Fault("The members cannot be heard.", fault));
        _workers = [.. Enumerable.Range(0, options.Threads).Select(i => new Worker(i))];
        _poll = new(Poll) { IsBackground = true, Name = "kafka-poll" };
    }

    /// <summary>Ends when the driver does: faulted where it stopped by itself.</summary>
    public Task Completion => _completion.Task;

    /// <summary>It is a member of the group, and every task that it was given runs.</summary>
    public bool IsServing => !_rebalancing && _joined && _tasks.Values.All(t => t.Stage is TaskStage.Running);

    internal DateTimeOffset StartedAt { get; }
    internal bool IsRebalancing => _rebalancing;
    internal IReadOnlyCollection<KafkaTask> Tasks => _tasks.Values;

    /// <summary>Checks the topics and joins the group. Tasks run as soon as their state stands.</summary>
    /// <param name="effects">Where some sinks lead; null where all are plain topics.</param>
    /// <param name="intake">What records of some source topics pass through first.</param>
    /// <exception cref="TopicPlanException">Topics are missing or wrong.</exception>
    /// <exception cref="TopologyException">The topology cannot run on topics.</exception>
    /// <exception cref="KafkaException">The brokers cannot be reached, or refuse.</exception>
    public static async Task<KafkaDriver> StartAsync(
        Topology topology, KafkaDriverOptions options, IEffects? effects = null, IIntake? intake = null, IKafkaDriverObserver? observer = null, TimeProvider? time = null)
    {
        options.Checked();
        observer ??= NoKafkaDriverObserver.Instance;
        var names = new TopicNames(options);
        var clients = new Clients(options, names, observer.ClientSaid);
        IReadOnlyCollection<string> effectTopics = effects?.Topics ?? [];
        foreach (var sink in topology.Nodes.OfType<ISinkDefinition>().Where(s => !effectTopics.Contains(s.Topic) && !s.HasKeyBytes))
            throw new TopologyException($"The sink to '{sink.Topic}' has keys without a byte form: give it a codec for them.");
        var units = StreamUnit.Of(topology, names, effectTopics);
        IReadOnlyDictionary<string, int> partitions;
        using (var admin = clients.Admin())
            partitions = await TopicPlan.EnsureAsync(admin, topology, units, names, options, effectTopics, observer.ClientSaid).ConfigureAwait(false);
        var driver = new KafkaDriver(topology, options, units, clients, partitions, effects, intake, observer, time ?? TimeProvider.System);
        driver._restorer.Start();
        driver._committer.Start();
        driver._poll.Start();
        driver._membership.Start();
        return driver;
    }

    /// <summary>Which topics this topology needs under these settings.</summary>
    /// <param name="effects">Topics of sinks that are no plain topics.</param>
    /// <param name="found">The topics that there are: a changelog has as many partitions as its input has. Null: none.</param>
    public static IReadOnlyList<PlannedTopic> Plan(Topology topology, KafkaDriverOptions options, IReadOnlyCollection<string>? effects = null, IReadOnlyDictionary<string, FoundTopic>? found = null)
    {
        var names = new TopicNames(options);
        return TopicPlan.Of(topology, StreamUnit.Of(topology, names, effects ?? []), names, options, effects ?? [], found ?? new Dictionary<string, FoundTopic>());
    }

    /// <summary>Leaves in good order: what was processed is committed, the partitions go to others at once, the state on the disk is whole.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.Run(() =>
        {
            _poll.Join();
            _membership.Dispose();
            _committer.Dispose();
            _restorer.Dispose();
            foreach (var worker in _workers) worker.Dispose();
            foreach (var task in _tasks.Values) task.Dispose();
            _publisher.Flush(LastCommitWithin);
            _publisher.Dispose();
            _database.Dispose();
        }).ConfigureAwait(false);
        _completion.TrySetResult();
        _stop.Dispose();
    }

    private void Poll()
    {
        try
        {
            _consumer.Subscribe(_units.Select(u => u.Input).Distinct());
            while (!_stop.IsCancellationRequested)
            {
                Place();
                ResumeRoomy();
                Reopen();
                var wait = PollMax;
                for (var i = 0; i < 1_000 && Consume(wait) is { } record; i++)
                {
                    wait = TimeSpan.Zero;
                    if (_tasks.TryGetValue(record.TopicPartition, out var task) && task.Stage is TaskStage.Running) Deliver(task, record);
                    if (_toPause.Count > 0 || _stop.IsCancellationRequested) break;
                }

                PauseNew();
            }
        }
        catch (Exception fault)
        {
            Fault("The consumer cannot go on.", fault);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>What the client says on the way and goes on from (a member that was silent for too long, a topic that is not there yet) is passed on.</summary>
    private ConsumeResult<byte[], byte[]>? Consume(TimeSpan wait)
    {
        try
        {
            return _consumer.Consume(wait);
        }
        catch (ConsumeException fault) when (!fault.Error.IsFatal)
        {
            _observer.ClientSaid(fault.Message);
            _stop.Token.WaitHandle.WaitOne(PollMax);
            return null;
        }
    }

    /// <summary>A task that was refused as a passed owner, and is still ours long after the group would have taken it: an owner in between was slow to announce itself. It begins again under an epoch of its own.</summary>
    private void Reopen()
    {
        foreach (var task in _tasks.Values.Where(t => t.IsFenced && Stopwatch.GetElapsedTime(t.FencedAt) > _options.SessionTimeout * 2).ToList())
        {
            End([task.Input], commits: false);
            _consumer.Pause([task.Input]);
            OnAssigned([task.Input]);
        }
    }

    private void Deliver(KafkaTask task, ConsumeResult<byte[], byte[]> record)
    {
        if (task.Inbox.Add(record)) task.Wake();
        if (!task.Inbox.IsFull) return;

        // A worker empties it in a moment, and to pause throws away what was fetched: only who does not move is paused.
        var full = Stopwatch.GetTimestamp();
        while (task.Inbox.IsFull && !_stop.IsCancellationRequested)
        {
            if (Stopwatch.GetElapsedTime(full) > FullFor)
            {
                if (_paused.Add(task)) _consumer.Pause([task.Input]);
                return;
            }

            _stop.Token.WaitHandle.WaitOne(1);
        }
    }

    /// <summary>Partitions that came are read when their task stands, and not before.</summary>
    private void PauseNew()
    {
        if (_toPause.Count == 0) return;
        var assigned = _consumer.Assignment.ToHashSet();
        _consumer.Pause(_toPause.Where(assigned.Contains));
        _toPause.Clear();
        _rebalancing = false;
    }

    private void ResumeRoomy()
    {
        if (_paused.Count == 0) return;
        foreach (var task in _paused.Where(t => t.Inbox.HasRoom || t.Stage is not TaskStage.Running).ToList())
        {
            _paused.Remove(task);
            if (task.Stage is TaskStage.Running) _consumer.Resume([task.Input]);
        }
    }

    /// <summary>Puts the consumer where tasks stand that have become ready, or went back.</summary>
    private void Place()
    {
        while (true)
        {
            KafkaTask? task;
            lock (_gate)
                if (!_seeks.TryDequeue(out task)) return;
            if (task.Stage is not TaskStage.Seeking || !_tasks.ContainsValue(task)) continue;
            try
            {
                _consumer.Seek(new(task.Input, task.Next < 0 ? Offset.Beginning : task.Next));
            }
            catch (KafkaException fault) when (fault.Error.Code is ErrorCode.Local_State or ErrorCode.Local_TimedOut or ErrorCode.Local_InProgress)
            {
                Seek(task);         // the assignment is not through yet
                return;
            }

            task.Inbox.Clear();
            task.Run();
            _consumer.Resume([task.Input]);
        }
    }

    private void Seek(KafkaTask task)
    {
        lock (_gate) _seeks.Enqueue(task);
    }

    private void OnAssigned(IReadOnlyList<TopicPartition> partitions)
    {
        _joined = true;
        _rebalancing = partitions.Count > 0;
        if (partitions.Count == 0) return;
        var tasks = new Dictionary<TopicPartition, KafkaTask>(_tasks);
        var added = new List<KafkaTask>();
        foreach (var partition in partitions)
        {
            var task = new KafkaTask(_services, _units.First(u => u.Input == partition.Topic), partition.Partition.Value);
            tasks[partition] = task;
            added.Add(task);
            _workers.MinBy(w => (w.TasksOf(task.Id.SubTopology), w.Count))!.Add(task);
        }

        _tasks = tasks;
        _toPause.AddRange(partitions);
        _observer.Assigned([.. added.Select(t => t.Id)]);
        foreach (var task in added) _restorer.Restore(task);
    }

    private void OnRevoked(IReadOnlyList<TopicPartition> partitions) => End(partitions, commits: !_aborts);

    private void OnLost(IReadOnlyList<TopicPartition> partitions) => End(partitions, commits: false);

    /// <summary>Partitions go: what was done on them is committed, if they are still ours, and their tasks end.</summary>
    private void End(IReadOnlyList<TopicPartition> partitions, bool commits)
    {
        _rebalancing = true;
        var ending = partitions.Select(p => _tasks.GetValueOrDefault(p)).OfType<KafkaTask>().ToList();
        lock (_committer.Gate)
        {
            foreach (var task in ending) task.IsLeaving = true;
            if (commits) _committer.CommitLast(ending, LastCommitWithin);
            foreach (var task in ending)
            {
                task.Dispose();
                foreach (var worker in _workers) worker.Remove(task);
                _paused.Remove(task);
            }

            var tasks = new Dictionary<TopicPartition, KafkaTask>(_tasks);
            foreach (var partition in partitions) tasks.Remove(partition);
            _tasks = tasks;
        }

        foreach (var task in ending) _restorer.Forget(task.Id);
        _toPause.RemoveAll(partitions.Contains);
        _observer.Revoked([.. ending.Select(t => t.Id)]);
        _rebalancing = false;
    }

    /// <summary>The last act of the polling thread: partitions are given back, which commits them.</summary>
    private void Leave()
    {
        try
        {
            _consumer.Close();
        }
        catch (KafkaException fault)
        {
            _observer.ClientSaid($"The group was not left in good order: {fault.Message}");
        }
        finally
        {
            _consumer.Dispose();
        }
    }

    /// <summary>What cannot be mended here: the driver stops, without committing more, and whoever runs it starts it anew.</summary>
    private void Fault(string what, Exception fault)
    {
        _aborts = true;
        _observer.Faulted(what, fault);
        _completion.TrySetException(new DriverStoppedException($"{what} {fault.Message}", fault));
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It was closing anyway.
        }
    }
}

/// <summary>The driver stopped by itself: start it again; nothing that was acknowledged is lost.</summary>
public sealed class DriverStoppedException : Exception
{
    public DriverStoppedException() { }
    public DriverStoppedException(string message) : base(message) { }
    public DriverStoppedException(string message, Exception innerException) : base(message, innerException) { }
}
