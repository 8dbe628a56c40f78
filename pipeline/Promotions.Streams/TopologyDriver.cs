using Promotions.Domain;
using Promotions.Streams.State;

namespace Promotions.Streams;

/// <summary>A topology in memory, in one thread, on a clock that the caller moves: for tests, training replays and what-if backtests.</summary>
/// <remarks>A record that a processor fails on becomes a dead letter and leaves no state behind, as under every driver: the records since the last
/// checkpoint are then folded again.</remarks>
public sealed class TopologyDriver : IDisposable
{
    /// <summary>Records folded again at most after a poison record; what they hold is the price of it.</summary>
    private const int KeptMax = 65_536;

    private readonly StateStores _stores;
    private readonly TopologyRuntime _runtime;
    private readonly List<SinkOutput> _outputs = [];
    private readonly List<DeadLetter> _deadLetters = [];
    private readonly List<Input> _sinceCheckpoint = [];
    private long _position;

    /// <param name="hopsAreBytes">Records take their byte form between hops, as they do under Kafka: slower, and shows a codec that loses something.</param>
    /// <param name="backend">In memory when null; disposed with the driver.</param>
    public TopologyDriver(Topology topology, EventTime startAt = default, bool hopsAreBytes = false, IStateBackend? backend = null)
    {
        _stores = new(backend ?? new InMemoryBackend(), layoutHash: 1, crashPoint: _ => { });
        _runtime = new(topology, _stores, hopsAreBytes);
        _position = _stores.Position;
        Now = startAt;
    }

    /// <summary>The manual clock.</summary>
    public EventTime Now { get; private set; }

    /// <summary>The greatest event time seen.</summary>
    public EventTime StreamTime => _runtime.StreamTime;

    /// <summary>What left through sinks, in order, since the last <see cref="TakeOutputs"/>.</summary>
    public IReadOnlyList<SinkOutput> Outputs => _outputs;
    public IReadOnlyList<DeadLetter> DeadLetters => _deadLetters;

    /// <summary>Hash of what the last record made of state; 0 for none.</summary>
    public ulong StateHash { get; private set; }

    /// <summary>Sends a value in, at the manual clock's time.</summary>
    public void Pipe<TValue>(string topic, ICodec<TValue> codec, in TValue value) => Pipe(topic, Bytes.Of(codec, value), Now);

    /// <summary>Sends bytes in, at a time of the record's own.</summary>
    public void Pipe(string topic, ReadOnlyMemory<byte> value, EventTime at) => Take(new(topic, value, at));

    /// <summary>Moves the clock and, with it, stream time: what is scheduled on either fires.</summary>
    public void AdvanceTime(TimeSpan by)
    {
        Now = Now.Plus(by);
        Take(new(null, default, Now));
    }

    public IReadOnlyList<SinkOutput> TakeOutputs()
    {
        var outputs = _outputs.ToArray();
        _outputs.Clear();
        return outputs;
    }

    public void ClearOutputs() => _outputs.Clear();

    /// <summary>Looks into a store. What is got from it is good until the next record.</summary>
    public KeyedStore<TKey, TState> Store<TKey, TState>(string name)
        where TKey : notnull
        where TState : class =>
        _stores.Find(name) as KeyedStore<TKey, TState> ?? throw new TopologyException($"There is no store '{name}' of {typeof(TKey).Name} and {typeof(TState).Name}.");

    public void Dispose() => _stores.Dispose();

    private void Take(in Input input)
    {
        var before = _outputs.Count;
        _stores.Settle();               // what a caller looked at is not this record's doing
        try
        {
            Apply(input, _outputs);
        }
        catch (Exception fault) when (fault is not StateFaultException && input.Topic is not null)
        {
            _outputs.RemoveRange(before, _outputs.Count - before);
            _deadLetters.Add(new(input.Topic, "", input.Value, input.At, fault.Message));
            if (!_runtime.TryUndo()) FoldAgain();
            return;
        }

        StateHash = _runtime.StateHash;
        _stores.Settle();
        _sinceCheckpoint.Add(input);
        if (_sinceCheckpoint.Count < KeptMax && !_stores.WantsCheckpoint) return;
        _stores.Checkpoint(_position);
        _sinceCheckpoint.Clear();
    }

    private void Apply(in Input input, List<SinkOutput>? outputs)
    {
        if (input.Topic is null)
        {
            _runtime.Advance(input.At, outputs);
            _runtime.AdvanceWallClock(input.At, outputs);
        }
        else _runtime.Process(new(input.Topic, ++_position), input.Value.Span, input.At, outputs);
    }

    private void FoldAgain()
    {
        _stores.RollBack();
        _runtime.RestoreTimes();
        _position = _stores.Position;
        foreach (var input in _sinceCheckpoint)
        {
            Apply(input, outputs: null);
            _stores.Settle();
        }
    }

    /// <param name="Topic">Null: time passed.</param>
    private readonly record struct Input(string? Topic, ReadOnlyMemory<byte> Value, EventTime At);
}
