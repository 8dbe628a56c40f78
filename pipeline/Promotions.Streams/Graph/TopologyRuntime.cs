using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Promotions.Domain;
using Promotions.Streams.State;

namespace Promotions.Streams;

/// <summary>A record that left through a sink.</summary>
public readonly struct SinkOutput
{
    private readonly ISinkEncoder _encoder;

    internal SinkOutput(string topic, object? key, object? value, EventTime at, ISinkEncoder encoder) => (Topic, Key, Value, At, _encoder) = (topic, key, value, at, encoder);

    public string Topic { get; }
    public object? Key { get; }

    /// <summary>The value itself.</summary>
    public object? Value { get; }

    public EventTime At { get; }

    /// <summary>The value's bytes, as the sink's topic carries them.</summary>
    public byte[] Encode() => _encoder.Encode(Value);

    /// <summary>The key's bytes, as the sink's topic carries them; null for none.</summary>
    /// <exception cref="TopologyException">Keys of this sink have no byte form.</exception>
    public byte[]? EncodeKey() => _encoder.EncodeKey(Key);
}

internal interface ISinkEncoder
{
    byte[] Encode(object? value);
    byte[]? EncodeKey(object? key);
}

/// <summary>One partition of a topology in one thread: hops are queued calls. The driver brings records, stores, time and what becomes of outputs.</summary>
internal sealed class TopologyRuntime
{
    private readonly Dictionary<string, ISourceNode> _sources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, object> _outputs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TaskState> _tasks = new(StringComparer.Ordinal);
    private readonly List<TaskState> _parts = [];
    private readonly List<IHopNode> _hops = [];
    private readonly List<Action> _forgetful = [];
    private readonly Queue<IHopNode> _pending = new();
    private readonly StateStores _stores;
    private readonly Dictionary<string, IHopSourceNode> _hopSources = new(StringComparer.Ordinal);
    private List<SinkOutput>? _sinkOutputs;

    public TopologyRuntime(Topology topology, StateStores stores, bool hopsAreBytes)
    {
        (_stores, HopsAreBytes) = (stores, hopsAreBytes);
        foreach (var store in topology.Stores.Values) stores.Open(store);
        foreach (var sub in topology.SubTopologies)
        {
            var task = new TaskState();
            _parts.Add(task);
            foreach (var node in sub.Nodes) _tasks.Add(node, task);
        }

        foreach (var node in topology.Nodes) node.Wire(this);
        stores.AlsoCheckpoint = SaveTimes;
        RestoreTimes();
    }

    /// <summary>One sub-topology, whose hops lead to others through a transport. Its stream time is the driver's to keep.</summary>
    public TopologyRuntime(Topology topology, SubTopology sub, StateStores stores, IHopTransport transport)
    {
        (_stores, Transport) = (stores, transport);
        foreach (var store in sub.Stores) stores.Open(topology.Stores[store]);
        var task = new TaskState();
        _parts.Add(task);
        foreach (var node in sub.Nodes) _tasks.Add(node, task);
        foreach (var node in topology.Nodes)
            if (node is IRepartitionDefinition || Has(node.Name)) node.Wire(this);
    }

    /// <summary>Null where hops are calls.</summary>
    public IHopTransport? Transport { get; }

    /// <summary>Whether the node runs here.</summary>
    public bool Has(string node) => _tasks.ContainsKey(node);

    /// <summary>Whether records take their byte form between hops, as they do under Kafka.</summary>
    public bool HopsAreBytes { get; }

    public RecordPosition Position { get; private set; }
    public ulong StateHash { get; private set; }
    public EventTime StreamTime => _parts.Max(t => t.StreamTime);

    /// <summary>Whether a source reads the topic.</summary>
    public bool Reads(string topic) => _sources.ContainsKey(topic);

    /// <summary>Takes one record through every hop.</summary>
    /// <param name="outputs">Takes what leaves through sinks; null where effects are off.</param>
    /// <exception cref="InvalidDataException">The value cannot be decoded: no state was touched.</exception>
    /// <exception cref="GivenUpException">A processor gave the record up. Any other exception is a processor's, too; state may have been touched.</exception>
    public void Process(RecordPosition position, ReadOnlySpan<byte> value, EventTime at, List<SinkOutput>? outputs)
    {
        if (!_sources.TryGetValue(position.Topic, out var source)) throw new InvalidDataException($"No source reads topic '{position.Topic}'.");
        (Position, StateHash, _sinkOutputs) = (position, 0, outputs);
        foreach (var task in _parts) task.Begin();
        try
        {
            source.Accept(value, at);
            while (_pending.TryDequeue(out var hop)) hop.Deliver();
        }
        catch
        {
            _pending.Clear();
            foreach (var hop in _hops) hop.Clear();
            foreach (var forget in _forgetful) forget();
            throw;
        }
    }

    /// <summary>Takes one record of the repartition topic through the sub-topology.</summary>
    /// <inheritdoc cref="Process"/>
    public void ProcessHop(RecordPosition position, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, EventTime at, List<SinkOutput> outputs)
    {
        (Position, StateHash, _sinkOutputs) = (position, 0, outputs);
        _parts[0].Begin();
        try
        {
            _hopSources[position.Topic].Accept(key, value, at);
        }
        catch
        {
            foreach (var forget in _forgetful) forget();
            throw;
        }
    }

    /// <summary>Sets the stream time of a runtime of one sub-topology.</summary>
    public void RestoreTime(EventTime streamTime) => _parts[0].Restore(streamTime);

    /// <summary>What processors hold of records in flight is gone, as after a failed record.</summary>
    public void ForgetAll()
    {
        foreach (var forget in _forgetful) forget();
    }

    /// <summary>After a failed record: takes back what it did, if that was no more than moving stream time.</summary>
    /// <returns>False: stores were touched or something scheduled fired; only folding again from the checkpoint undoes that.</returns>
    public bool TryUndo()
    {
        if (_stores.Touched || _parts.Exists(task => task.Punctuated)) return false;
        foreach (var task in _parts) task.Undo();
        return true;
    }

    /// <summary>Lets time pass without a record, as a timer record would.</summary>
    public void Advance(EventTime at, List<SinkOutput>? outputs)
    {
        _sinkOutputs = outputs;
        foreach (var task in _parts) task.Advance(at);
        while (_pending.TryDequeue(out var hop)) hop.Deliver();
    }

    /// <summary>Tells the wall clock's time to what is scheduled on it. What failed in it leaves state behind as a failed record does.</summary>
    public void AdvanceWallClock(EventTime now, List<SinkOutput>? outputs)
    {
        _sinkOutputs = outputs;
        foreach (var task in _parts) task.AdvanceWallClock(now);
        while (_pending.TryDequeue(out var hop)) hop.Deliver();
    }

    /// <summary>Stream times are state: they go back to the last checkpoint with it.</summary>
    public void RestoreTimes()
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        for (var i = 0; i < _parts.Count; i++)
            _parts[i].Restore(_stores.Backend.Read([StoreDefinition.IdOfTimes, checked((byte)i)], value) < 0 ? default : new(BinaryPrimitives.ReadInt64LittleEndian(value)));
    }

    private void SaveTimes(IStateBatch batch)
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        for (var i = 0; i < _parts.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(value, _parts[i].StreamTime.UnixMilliseconds);
            batch.Put([StoreDefinition.IdOfTimes, checked((byte)i)], value);
        }
    }

    public TaskState TaskOf(string node) => _tasks[node];

    public Output<TKey, TValue> Output<TKey, TValue>(string node)
    {
        if (!_outputs.TryGetValue(node, out var output)) _outputs.Add(node, output = new Output<TKey, TValue>(this));
        return (Output<TKey, TValue>)output;
    }

    public void AddSource(string topic, string name, ISourceNode source)
    {
        if (!_sources.TryAdd(topic, source)) throw new TopologyException($"Source '{name}' reads topic '{topic}', which has a source.");
    }

    public void AddHopSource(string topic, IHopSourceNode source) => _hopSources.Add(topic, source);
    public void AddForgetful(Action forget) => _forgetful.Add(forget);
    public void AddHop(IHopNode hop) => _hops.Add(hop);
    public void Enqueue(IHopNode hop) => _pending.Enqueue(hop);

    public void Emit(in SinkOutput output) => _sinkOutputs?.Add(output);

    /// <summary>Effects are on: what is there for sinks alone runs.</summary>
    public bool Collects => _sinkOutputs is not null;
    public void AddStateHash(ulong hash) => StateHash = StateHash == 0 ? hash : unchecked((StateHash ^ hash) * 1099511628211UL);
    public bool TryFindStore(string name, [NotNullWhen(true)] out IStore? store) => (store = _stores.Find(name)) is not null;
}

/// <summary>What the nodes of one sub-topology share on one partition: stream time and what waits for it.</summary>
internal sealed class TaskState
{
    private readonly List<Punctuation> _punctuations = [];
    private readonly List<Punctuation> _onWallClock = [];
    private EventTime _before;

    public EventTime StreamTime { get; private set; }

    /// <summary>Whether anything scheduled fired since <see cref="Begin"/>.</summary>
    public bool Punctuated { get; private set; }

    public void Begin() => (_before, Punctuated) = (StreamTime, false);

    public void Undo() => StreamTime = _before;

    public void Schedule(long intervalMs, Action<EventTime> punctuate) => _punctuations.Add(Every(intervalMs, punctuate));

    public void ScheduleWallClock(long intervalMs, Action<EventTime> punctuate) => _onWallClock.Add(Every(intervalMs, punctuate));

    public void Advance(EventTime at)
    {
        if (at <= StreamTime) return;
        StreamTime = at;
        foreach (var punctuation in _punctuations) Punctuated |= punctuation.Advance(at);
    }

    public void AdvanceWallClock(EventTime now)
    {
        foreach (var punctuation in _onWallClock) punctuation.Advance(now);
    }

    public void Restore(EventTime streamTime)
    {
        StreamTime = streamTime;
        foreach (var punctuation in _punctuations) punctuation.Restore(streamTime);
    }

    private static Punctuation Every(long intervalMs, Action<EventTime> punctuate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(intervalMs, 1);
        return new(intervalMs, punctuate);
    }

    /// <summary>Fires once per jump, at the latest multiple passed: a long silence costs one call, not one for each interval of it.</summary>
    private sealed class Punctuation(long intervalMs, Action<EventTime> punctuate)
    {
        private long _last = long.MinValue;

        public bool Advance(EventTime at)
        {
            var multiple = at.UnixMilliseconds / intervalMs;
            if (multiple <= _last) return false;
            var first = _last == long.MinValue;
            _last = multiple;
            if (!first) punctuate(new(multiple * intervalMs));
            return true;
        }

        public void Restore(EventTime streamTime) => _last = streamTime == default ? long.MinValue : streamTime.UnixMilliseconds / intervalMs;
    }
}
