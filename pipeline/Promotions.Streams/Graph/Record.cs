using System.Buffers;
using Promotions.Domain;

namespace Promotions.Streams;

/// <summary>What travels: a key, a value and when it happened. Values are shared between hops, so they never change once forwarded.</summary>
public readonly record struct Record<TKey, TValue>(TKey Key, TValue Value, EventTime At)
{
    public Record<TKey, TOther> With<TOther>(TOther value) => new(Key, value, At);
    public Record<TOther, TValue> KeyedBy<TOther>(TOther key) => new(key, Value, At);
}

/// <summary>Where a source record lies: its topic and its position there. Hops keep the position of the source record that caused them.</summary>
/// <param name="Position">Embedded: of the log, 0 while the record is not committed yet. Kafka: the offset.</param>
public readonly record struct RecordPosition(string Topic, long Position);

/// <summary>Reads keys or values that come in from a topic.</summary>
public interface IDecoder<out T>
{
    /// <exception cref="InvalidDataException">The bytes are not a value of this kind: the record becomes a dead letter.</exception>
    T Decode(ReadOnlySpan<byte> bytes);
}

/// <summary>The byte form of keys and values where they cross a topic.</summary>
public interface ICodec<T> : IDecoder<T>
{
    void Encode(in T value, IBufferWriter<byte> output);
}

/// <summary>A step of a topology: a pure function of the record and of the stores attached to it. Time arrives in the record.</summary>
public interface IProcessor<TKeyIn, TValueIn, TKeyOut, TValueOut>
{
    /// <summary>Once, before the first record.</summary>
    void Init(IProcessorContext<TKeyOut, TValueOut> context);

    /// <summary>An exception makes the record a dead letter and leaves no change of state behind.</summary>
    void Process(in Record<TKeyIn, TValueIn> record);

    /// <summary>A record failed on its way: forget what the processor itself holds of records in flight. Stores are the driver's care.</summary>
    void Forget()
    {
    }
}

public interface IProcessorContext<TKeyOut, TValueOut>
{
    /// <summary>To every child, in the order in which they were added.</summary>
    void Forward(in Record<TKeyOut, TValueOut> record);

    /// <exception cref="TopologyException">No such store is attached to this processor.</exception>
    State.KeyedStore<TKey, TState> Store<TKey, TState>(string name)
        where TKey : notnull
        where TState : class;

    /// <summary>The greatest event time that this sub-topology has seen, the record at hand included.</summary>
    EventTime StreamTime { get; }

    RecordPosition Position { get; }

    /// <summary>Gives the record up: it goes to the dead letters with this reason, nothing of it stays in any store, and nothing is forwarded.</summary>
    void DeadLetter(string reason);

    /// <summary>Adds to the hash that the log keeps for the source record, and that replay compares: what this record made of state.</summary>
    void AddStateHash(ulong hash);

    /// <summary>Calls back each time stream time passes a multiple of <paramref name="intervalMs"/>, before the record that moved it is processed.</summary>
    void Schedule(long intervalMs, Action<EventTime> punctuate);

    /// <summary>Calls back about every <paramref name="intervalMs"/> of the driver's clock, between records, with its time: for patience with what may never come.</summary>
    /// <remarks>Fires where hops are asynchronous: under Kafka, and under <see cref="TopologyDriver"/> when its clock is moved. Never under the embedded driver, where every record ends
    /// within one call and state is a fold of the log alone. What it decides must travel in a record (as gather's late mask does), or a replay would not know it.</remarks>
    void ScheduleWallClock(long intervalMs, Action<EventTime> punctuate);
}

/// <summary>A record that was given up.</summary>
/// <param name="Value">The bytes as they came in.</param>
public sealed record DeadLetter(string Topic, string Id, ReadOnlyMemory<byte> Value, EventTime At, string Reason)
{
    /// <summary>Where dead letters go: with their reason, for a person to read and to send again. No source reads it.</summary>
    public const string LettersTopic = "dead-letters";

    /// <summary>The letter as a record of that topic: topic and reason, each behind its length, then the value.</summary>
    internal Embedded.InputRecord ToRecord()
    {
        var output = new MemoryStream();
        using (var writer = new BinaryWriter(output))
        {
            writer.Write(Topic);
            writer.Write(Reason);
            writer.Write(Value.Span);
        }

        return new(LettersTopic, Id, output.ToArray(), At);
    }

    /// <exception cref="EndOfStreamException">The bytes are no letter.</exception>
    public static DeadLetter FromRecord(string id, ReadOnlyMemory<byte> bytes, EventTime at)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes.ToArray()));
        var (topic, reason) = (reader.ReadString(), reader.ReadString());
        return new(topic, id, reader.ReadBytes(bytes.Length), at, reason);
    }
}

/// <summary>A topology that cannot be: the message names the node and says what to do.</summary>
public sealed class TopologyException : Exception
{
    public TopologyException() { }
    public TopologyException(string message) : base(message) { }
    public TopologyException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>Thrown by <see cref="IProcessorContext{TKeyOut,TValueOut}.DeadLetter"/> to leave the record's processing.</summary>
internal sealed class GivenUpException(string reason) : Exception(reason);
