using System.Buffers;
using System.Diagnostics;
using Confluent.Kafka;
using Promotions.Domain;
using Promotions.Streams.Kafka.Transport;
using Promotions.Streams.RocksDb;
using Promotions.Streams.State;

namespace Promotions.Streams.Kafka.Tasks;

/// <summary>What a task's life goes through.</summary>
internal enum TaskStage
{
    /// <summary>Its state is being brought to the changelog's end, and its epoch acquired.</summary>
    Restoring,

    /// <summary>It stands, and its consumer is to be put where it stands.</summary>
    Seeking,
    Running,
    Closed,
}

/// <summary>What a checkpoint goes through: the committer asks for it, the worker writes it, the committer carries it, the worker lets go.</summary>
internal enum CheckpointStage
{
    None,
    Requested,
    Writing,
    Written,
    Carrying,
    Carried,
}

/// <summary>What tasks of a process share.</summary>
internal sealed record TaskServices(
    Topology Topology, KafkaDriverOptions Options, TopicNames Names, IReadOnlyDictionary<string, int> Partitions, SharedRocksDb Database, Publisher Publisher, IEffects? Effects, IIntake? Intake,
    IKafkaDriverObserver Observer, TimeProvider Time, Action<KafkaTask> Seek, Action<string, Exception> Fault);

/// <summary>One partition of one unit: its records in order, its state, and what has to be safe before its position may be committed.</summary>
/// <remarks>Worked on under <see cref="Gate"/>: by its worker thread, and by whoever closes it. The inbox is filled by the polling thread.</remarks>
internal sealed partial class KafkaTask : IDisposable
{
    private const int BatchRecords = 512;
    private const int WrittenPerRecord = 8;
    private const int WrittenPerIdleStep = 256;
    private const long WallClockEveryMs = 3;
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromMilliseconds(250);

    private readonly TaskServices _services;
    private readonly Inbox _inbox;
    private readonly List<ConsumeResult<byte[], byte[]>> _batch = [];
    private readonly List<SinkOutput> _outputs = [];
    private readonly ArrayBufferWriter<byte> _taken = new(1024);
    private readonly HashSet<long> _givenUp = [];
    private readonly Dictionary<uint, long> _applied = [];
    private readonly List<AckInterval> _unsettled = [];
    private readonly bool _hasIntake;
    private StateStores? _stores;
    private TopologyRuntime? _runtime;
    private ChangelogBackend? _backend;
    private HopTransport? _transport;
    private EffectsLane? _effects;
    private AckInterval _interval;
    private Standing? _checkpoint;
    private int _checkpointIntervals;
    private long _emitted = SourcePosition.None;
    private long _wallClockAt;
    private bool _changed;
    private bool _takesBack;
    private long _rests;
    private long _duplicates;

    public KafkaTask(TaskServices services, StreamUnit unit, int partition)
    {
        (_services, Unit, Id, Input) = (services, unit, new(unit.Number, partition), new(unit.Input, partition));
        _inbox = new(services.Options.InboxRecords, services.Options.InboxBytes);
        _hasIntake = services.Intake?.Topics.Contains(unit.InputTopic) == true;
        _interval = NewInterval();
        Local = services.Database.Partition(unit.Number, partition);
    }

    public Lock Gate { get; } = new();
    public StreamUnit Unit { get; }
    public TaskId Id { get; }
    public TopicPartition Input { get; }
    public RocksDbPartition Local { get; }
    public Inbox Inbox => _inbox;
    public TaskStage Stage { get; private set; } = TaskStage.Restoring;
    public CheckpointStage Checkpoint { get; private set; }

    /// <summary>The offset that is to be processed next.</summary>
    public long Next { get; private set; } = -1;

    /// <summary>What was committed last.</summary>
    public long Committed { get; private set; } = -1;

    public EventTime StreamTime => _runtime?.StreamTime ?? default;
    public long Processed { get; private set; }
    public long Duplicates => _duplicates;
    public bool IsCrowded => _effects?.IsCrowded == true;

    /// <summary>Takes nothing more: what it has done is to be committed, and then it ends.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>Another owner was seen; it is given up.</summary>
    public bool IsFenced { get; private set; }

    /// <summary>When, by the stopwatch.</summary>
    public long FencedAt { get; private set; }

    /// <summary>Wakes the thread that works on it.</summary>
    public Action Wake { get; set; } = () => { };

    /// <summary>The state stands: from here on it can run.</summary>
    /// <param name="epoch">0 where it has no effects.</param>
    /// <param name="standing">Null where nothing was ever committed for it.</param>
    public void Open(LocalStanding? standing, long epoch)
    {
        lock (Gate)
        {
            if (Stage is TaskStage.Closed) return;
            _backend = new(Local, standing?.Standing is { } was ? Math.Max(was.Next, 0) : 0, standing?.Standing?.LayoutHash ?? 0);
            _stores = new(_backend, _services.Options.LayoutHash);
            _transport = new(Id, _services.Names, _services.Partitions, _services.Options.FrameBytes);
            _runtime = new(_services.Topology, Unit.Sub, _stores, _transport);
            if (Unit.HasEffects)
                _effects = new(Id, _services.Effects!, epoch, _services.Publisher, _services.Options.EffectsQueue, _services.Time, fault => _services.Observer.Retrying(Id, fault), Fenced);
            StandAt(standing?.Standing);
            Committed = Next;
            Stage = TaskStage.Seeking;
        }

        _services.Seek(this);
    }

    /// <summary>The consumer is where the task stands.</summary>
    public void Run()
    {
        lock (Gate)
        {
            if (Stage is TaskStage.Seeking) Stage = TaskStage.Running;
        }

        Wake();
    }

    /// <summary>Nothing more of it is done here; what was not committed is the next owner's to do again.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            if (Stage is TaskStage.Closed) return;
            Stage = TaskStage.Closed;
            _effects?.Dispose();
            _stores?.RollBack();
            (_stores, _runtime) = (null, null);
            _inbox.Clear();
        }
    }

    /// <summary>Works for a while: a batch of records, a piece of a checkpoint, timers.</summary>
    /// <returns>Whether anything was done.</returns>
    public bool Step()
    {
        lock (Gate)
        {
            if (Stage is not TaskStage.Running || IsFenced) return false;
            try
            {
                if (_takesBack) return TakeBack();
                var worked = AdvanceCheckpoint(WrittenPerIdleStep);
                if (!IsLeaving && !Rests()) worked |= TakeBatch() | Tick();
                return worked;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
            catch (Exception fault) when (_services.Options.IsPassing(fault))
            {
                return TryAgain(fault);
            }
            catch (Exception fault)
            {
                _services.Fault($"Task {Id} ({Unit.InputTopic}) cannot go on.", fault);
                Fenced();
                return false;
            }
        }
    }

    private bool TakeBatch()
    {
        if (_effects?.IsCrowded == true || _stores!.IsCrowded || !_inbox.TryTake(_batch, BatchRecords)) return false;
        foreach (var record in _batch)
        {
            if (record.Offset.Value < Next) continue;
            if (Unit.IsHop ? !TakeFrame(record) : !TakeRecord(record)) break;
            Next = record.Offset.Value + 1;
            _changed = true;
            _transport!.Flush(all: false, SendFrame);
        }

        _batch.Clear();
        Send();
        if (_stores.WantsCheckpoint && Checkpoint is CheckpointStage.None) Checkpoint = CheckpointStage.Requested;
        return true;
    }

    private void Send()
    {
        _transport!.Flush(all: true, SendFrame);
        _effects?.Start();
    }

    private void SendFrame(TopicPartition to, byte[] frame) => _services.Publisher.SendFrame(to, frame, _interval);

    private bool TakeRecord(ConsumeResult<byte[], byte[]> record)
    {
        var position = SourcePosition.Of(record.Offset.Value, 0);
        if (_givenUp.Contains(position)) return true;
        var at = new EventTime(record.Message.Timestamp.UnixTimestampMs);
        try
        {
            ReadOnlySpan<byte> value = record.Message.Value;
            if (_hasIntake)
            {
                _taken.ResetWrittenCount();
                _services.Intake!.Accept(
                    new(Unit.InputTopic, record.Partition.Value, record.Offset.Value, record.Message.Key, record.Message.Value, at, StreamTime, KafkaLetter.Copy(record.Message.Headers)), _taken);
                value = _taken.WrittenSpan;
            }

            _transport!.Position = position;
            _runtime!.Process(new(Unit.InputTopic, record.Offset.Value), value, at, _outputs);
        }
        catch (Exception fault) when (fault is not StateFaultException && !_services.Options.IsPassing(fault))
        {
            return GiveUp(position, fault.Message, () => new(record.Topic, record.Partition.Value, record.Offset.Value, record.Message.Key, record.Message.Value, at, fault.Message, KafkaLetter.Copy(record.Message.Headers)));
        }

        Keep(position);
        return true;
    }

    private bool TakeFrame(ConsumeResult<byte[], byte[]> record)
    {
        var frame = new FrameReader();
        var place = 0;
        try
        {
            frame = new(record.Message.Value);
            _applied.TryGetValue(frame.Upstream, out var before);
            var applied = _applied.ContainsKey(frame.Upstream) ? before : SourcePosition.None;
            var highest = applied;
            for (; frame.Next(); place++)
            {
                // What was taken from this upstream task before is a repeat: of a producer, or of a task that went back to its commit.
                if (frame.Position != SourcePosition.None && frame.Position <= applied)
                {
                    _duplicates++;
                    continue;
                }

                highest = Math.Max(highest, frame.Position);
                var position = SourcePosition.Of(record.Offset.Value, place);
                if (_givenUp.Contains(position)) continue;
                if (!TakeHop(ref frame, position, record)) return false;
            }

            _applied[frame.Upstream] = highest;
        }
        catch (InvalidDataException fault)
        {
            _transport!.TakeBack();
            Letter(new(record.Topic, record.Partition.Value, record.Offset.Value, record.Message.Key, record.Message.Value, new(record.Message.Timestamp.UnixTimestampMs), fault.Message, []));
        }

        return true;
    }

    private bool TakeHop(ref FrameReader frame, long position, ConsumeResult<byte[], byte[]> record)
    {
        try
        {
            _transport!.Position = position;
            _runtime!.ProcessHop(new(Unit.InputTopic, position), frame.Key, frame.Value, frame.At, _outputs);
        }
        catch (Exception fault) when (fault is not StateFaultException && !_services.Options.IsPassing(fault))
        {
            var (key, value, at) = (frame.Key.ToArray(), frame.Value.ToArray(), frame.At);
            return GiveUp(position, fault.Message, () => new(record.Topic, record.Partition.Value, record.Offset.Value, key, value, at, fault.Message, []));
        }

        Keep(position);
        return true;
    }

    /// <summary>The record is through: what it made leaves, unless that left before the task went back.</summary>
    private void Keep(long position)
    {
        Processed++;
        if (position > _emitted)
        {
            _emitted = position;
            _transport!.Keep();
            Emit();
        }
        else
        {
            _transport!.TakeBack();
            _outputs.Clear();
        }

        _stores!.Settle();
        if (Checkpoint is CheckpointStage.Writing or CheckpointStage.Carried) AdvanceCheckpoint(WrittenPerRecord);
    }

    private void Emit()
    {
        if (_outputs.Count == 0) return;
        foreach (var output in _outputs)
        {
            if (_effects is not null && _services.Effects!.Topics.Contains(output.Topic)) _effects.Add(output, _interval);
            else _services.Publisher.Send(output, _interval);
        }

        _outputs.Clear();
    }

    private bool Tick()
    {
        var now = _services.Time.GetUtcNow().ToUnixTimeMilliseconds();
        if (now - _wallClockAt < WallClockEveryMs && now >= _wallClockAt) return false;
        _wallClockAt = now;
        _transport!.Position = SourcePosition.None;
        _runtime!.AdvanceWallClock(new(now), _outputs);
        _transport.Keep();
        if (!_stores!.Touched && _outputs.Count == 0) return false;
        _changed = true;
        Emit();
        _stores.Settle();
        Send();
        return true;
    }

    private void Fenced()
    {
        FencedAt = Stopwatch.GetTimestamp();
        IsFenced = true;
        _services.Observer.Fenced(Id);
    }

    private AckInterval NewInterval() => new(_services.Publisher.OnLost);
}
