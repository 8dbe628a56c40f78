using System.Buffers;
using Promotions.Domain;

namespace Promotions.Streams.Kafka;

/// <summary>A record of a topic that others write, as the broker gave it.</summary>
/// <param name="Topic">The name in the topology, without the deployment's prefix.</param>
/// <param name="At">The record's timestamp: its event time.</param>
/// <param name="StreamTime">The greatest event time accepted from this partition before; <c>default</c> for none.</param>
/// <param name="Headers">In the record's order; a name may come twice.</param>
public readonly record struct IncomingRecord(
    string Topic, int Partition, long Offset, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value, EventTime At, EventTime StreamTime, IReadOnlyList<KeyValuePair<string, byte[]>> Headers);

/// <summary>The door: from what others write to what a source of the topology reads. Headers, timestamps and keys end here.</summary>
/// <remarks>Called on the task's thread, once for each record of its topics, before the source decodes. It may not wait for anything.</remarks>
public interface IIntake
{
    /// <summary>Topics whose records pass through it, by their names in the topology. Records of other topics go to their source as they are.</summary>
    IReadOnlyCollection<string> Topics { get; }

    /// <summary>Writes the source's bytes.</summary>
    /// <exception cref="InvalidDataException">The record is refused: it becomes a dead letter with the message as its reason, moves no stream time, and nothing waits for it.</exception>
    void Accept(in IncomingRecord record, IBufferWriter<byte> source);
}
