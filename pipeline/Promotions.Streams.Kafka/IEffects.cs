using Promotions.Domain;

namespace Promotions.Streams.Kafka;

/// <summary>One partition of one sub-topology: the unit that moves between processes.</summary>
public readonly record struct TaskId(int SubTopology, int Partition)
{
    public override string ToString() => $"{SubTopology}_{Partition}";
}

/// <summary>What some sinks lead to where a plain topic is not enough: a commit elsewhere (the ledger), whose answers are then published.</summary>
/// <remarks>At least once: after a crash the same records come again, perhaps grouped differently. Whoever implements it makes each count once, by the records' own ids.</remarks>
public interface IEffects
{
    /// <summary>Topics of the sinks whose records come here. Records of other sinks are produced to their topic as they are.</summary>
    IReadOnlyCollection<string> Topics { get; }

    /// <summary>This process became the owner of the task: earlier owners must be refused from now on. Awaited before the task's first record.</summary>
    /// <returns>The epoch that <see cref="ApplyAsync"/> is called with.</returns>
    Task<long> AcquireAsync(TaskId task, CancellationToken cancellationToken);

    /// <summary>Makes the records' effects durable, in order. One call at a time for each task; what comes meanwhile is the next batch.</summary>
    /// <param name="outputs">In the order in which the task's records made them.</param>
    /// <returns>What is to be published now, in order. The task's positions are committed after these are acknowledged.</returns>
    /// <exception cref="EpochPassedException">Another process owns the task: it is given up here, and nothing of it was made durable by this call.</exception>
    /// <exception cref="Exception">Nothing was done, or it is unknown whether: the driver calls again with the same records, later.</exception>
    Task<IReadOnlyList<OutgoingRecord>> ApplyAsync(TaskId task, long epoch, IReadOnlyList<SinkOutput> outputs, CancellationToken cancellationToken);
}

/// <summary>A record to publish.</summary>
/// <param name="Partition">Null: by the key.</param>
/// <param name="Key">Null only where a partition is named.</param>
/// <param name="Headers">Null for none.</param>
public sealed record OutgoingRecord(string Topic, int? Partition, byte[]? Key, byte[] Value, EventTime At, IReadOnlyList<KeyValuePair<string, byte[]>>? Headers = null);

/// <summary>Another process owns the task now.</summary>
public sealed class EpochPassedException : Exception
{
    public EpochPassedException() { }
    public EpochPassedException(string message) : base(message) { }
    public EpochPassedException(string message, Exception innerException) : base(message, innerException) { }
}
