using System.Buffers;
using System.Text;
using Promotions.Domain;

namespace Promotions.Streams;

internal interface INode<TKey, TValue>
{
    void Process(in Record<TKey, TValue> record);
}

/// <summary>The children of a node.</summary>
internal sealed class Output<TKey, TValue>(TopologyRuntime runtime)
{
    private INode<TKey, TValue>[] _children = [];
    private INode<TKey, TValue>[] _withState = [];

    /// <param name="isForEffectsOnly">It is left out where effects are off.</param>
    public void Add(INode<TKey, TValue> child, bool isForEffectsOnly)
    {
        _children = [.. _children, child];
        if (!isForEffectsOnly) _withState = [.. _withState, child];
    }

    public void Forward(in Record<TKey, TValue> record)
    {
        foreach (var child in runtime.Collects ? _children : _withState) child.Process(in record);
    }
}

internal interface ISourceNode
{
    void Accept(ReadOnlySpan<byte> value, EventTime at);
}

internal interface IHopNode
{
    void Deliver();
    void Clear();
}

internal sealed class SourceNode<TKey, TValue>(TaskState task, Output<TKey, TValue> output, IDecoder<TValue> decoder, Func<TValue, TKey> keyOf) : ISourceNode
{
    public void Accept(ReadOnlySpan<byte> value, EventTime at)
    {
        var decoded = decoder.Decode(value);
        var record = new Record<TKey, TValue>(keyOf(decoded), decoded, at);
        task.Advance(at);
        output.Forward(in record);
    }
}

internal sealed class ProcessorNode<TKeyIn, TValueIn, TKeyOut, TValueOut>(IProcessor<TKeyIn, TValueIn, TKeyOut, TValueOut> processor) : INode<TKeyIn, TValueIn>
{
    public void Process(in Record<TKeyIn, TValueIn> record) => processor.Process(in record);
}

/// <summary>A repartition topic inside one process: first in, first out, over all hops of the topology.</summary>
internal sealed class HopNode<TKey, TValue>(TopologyRuntime runtime, TaskState task, Output<TKey, TValue> output, ICodec<TKey> keyCodec, ICodec<TValue> valueCodec)
    : INode<TKey, TValue>, IHopNode
{
    private readonly Queue<Record<TKey, TValue>> _queue = new();

    public void Process(in Record<TKey, TValue> record)
    {
        _queue.Enqueue(runtime.HopsAreBytes
            ? new(keyCodec.Decode(Bytes.Of(keyCodec, record.Key)), valueCodec.Decode(Bytes.Of(valueCodec, record.Value)), record.At)
            : record);
        runtime.Enqueue(this);
    }

    public void Deliver()
    {
        var record = _queue.Dequeue();
        task.Advance(record.At);
        output.Forward(in record);
    }

    public void Clear() => _queue.Clear();
}

/// <summary>Where a repartition topic comes in, where hops are topics.</summary>
internal interface IHopSourceNode
{
    void Accept(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, EventTime at);
}

internal sealed class HopSourceNode<TKey, TValue>(TaskState task, Output<TKey, TValue> output, ICodec<TKey> keyCodec, ICodec<TValue> valueCodec) : IHopSourceNode
{
    public void Accept(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, EventTime at)
    {
        var record = new Record<TKey, TValue>(keyCodec.Decode(key), valueCodec.Decode(value), at);
        task.Advance(at);
        output.Forward(in record);
    }
}

/// <summary>Where records leave for a repartition topic, where hops are topics.</summary>
internal sealed class HopOutNode<TKey, TValue>(IHopOutlet outlet, ICodec<TKey> keyCodec, ICodec<TValue> valueCodec) : INode<TKey, TValue>
{
    public void Process(in Record<TKey, TValue> record)
    {
        keyCodec.Encode(record.Key, outlet.BeginKey());
        valueCodec.Encode(record.Value, outlet.BeginValue(record.At));
        outlet.End();
    }
}

/// <summary>Carries records to another sub-topology's input.</summary>
internal interface IHopTransport
{
    IHopOutlet Open(string topic);
}

/// <summary>One repartition topic as its writers see it: key, value, end, for each record.</summary>
internal interface IHopOutlet
{
    IBufferWriter<byte> BeginKey();

    /// <summary>The key is whole: it says which partition the value goes to.</summary>
    IBufferWriter<byte> BeginValue(EventTime at);

    void End();
}

internal sealed class SinkNode<TKey, TValue>(TopologyRuntime runtime, string topic, ICodec<TKey>? keyCodec, ICodec<TValue> codec) : INode<TKey, TValue>, ISinkEncoder
{
    public void Process(in Record<TKey, TValue> record)
    {
        if (runtime.Collects) runtime.Emit(new(topic, record.Key, record.Value, record.At, this));
    }

    public byte[] Encode(object? value) => Bytes.Of(codec, (TValue)value!);

    public byte[]? EncodeKey(object? key) => key switch
    {
        null => null,
        TKey typed when keyCodec is not null => Bytes.Of(keyCodec, typed),
        string text => Encoding.UTF8.GetBytes(text),
        byte[] bytes => bytes,
        _ => throw new TopologyException($"Keys of the sink to '{topic}' are {key.GetType().Name}s and have no byte form: give the sink a codec for them."),
    };
}

internal sealed class ProcessorContext<TKeyOut, TValueOut>(NodeDefinition node, TopologyRuntime runtime, TaskState task, Output<TKeyOut, TValueOut> output)
    : IProcessorContext<TKeyOut, TValueOut>
{
    public EventTime StreamTime => task.StreamTime;
    public RecordPosition Position => runtime.Position;

    public void Forward(in Record<TKeyOut, TValueOut> record) => output.Forward(in record);

    public State.KeyedStore<TKey, TState> Store<TKey, TState>(string name)
        where TKey : notnull
        where TState : class
    {
        if (!node.Stores.Contains(name) || !runtime.TryFindStore(name, out var store))
            throw new TopologyException($"Store '{name}' is not attached to processor '{node.Name}'.");
        return store as State.KeyedStore<TKey, TState>
            ?? throw new TopologyException($"Store '{name}' is no store of {typeof(TKey).Name} and {typeof(TState).Name}, as processor '{node.Name}' takes it to be.");
    }

    public void DeadLetter(string reason) => throw new GivenUpException(reason);
    public void AddStateHash(ulong hash) => runtime.AddStateHash(hash);
    public void Schedule(long intervalMs, Action<EventTime> punctuate) => task.Schedule(intervalMs, punctuate);
    public void ScheduleWallClock(long intervalMs, Action<EventTime> punctuate) => task.ScheduleWallClock(intervalMs, punctuate);
}

internal static class Bytes
{
    public static byte[] Of<T>(ICodec<T> codec, T value)
    {
        var output = new ArrayBufferWriter<byte>();
        codec.Encode(in value, output);
        return output.WrittenSpan.ToArray();
    }
}
