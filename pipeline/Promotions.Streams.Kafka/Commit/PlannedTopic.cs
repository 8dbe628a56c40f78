namespace Promotions.Streams.Kafka.Commit;

/// <summary>A topic as the driver needs it.</summary>
/// <param name="Replication">Copies; -1 leaves it to the brokers.</param>
public sealed record PlannedTopic(string Name, int Partitions, short Replication, IReadOnlyDictionary<string, string> Settings, string Why)
{
    /// <summary>With three copies or more, what is acknowledged stands on two of them at least: one server may go, without loss and without a pause.</summary>
    public static PlannedTopic Of(string name, int partitions, short replication, IReadOnlyDictionary<string, string> settings, string why) =>
        new(name, partitions, replication, replication >= 3 ? new Dictionary<string, string>(settings) { [TopicSettings.MinInSync] = "2" } : settings, why);
}

/// <summary>A topic as it is at the brokers.</summary>
/// <param name="Replication">Copies of its first partition.</param>
public sealed record FoundTopic(int Partitions, int Replication);

/// <summary>What about a topic is otherwise than planned.</summary>
/// <param name="Refused">Records would be lost: the driver does not start on it. Otherwise it is told, and stays.</param>
/// <param name="Command">What mends it; null where nothing does but another topic.</param>
public sealed record TopicFinding(string Sentence, bool Refused, string? Command);

/// <summary>Topics are not as they must be, and the driver may not make them so.</summary>
public sealed class TopicPlanException : Exception
{
    public TopicPlanException() { }
    public TopicPlanException(string message) : base(message) { }
    public TopicPlanException(string message, Exception innerException) : base(message, innerException) { }
}
