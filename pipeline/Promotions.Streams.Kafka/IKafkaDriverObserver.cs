namespace Promotions.Streams.Kafka;

/// <summary>Told what the driver does, on its threads. Must not block or throw.</summary>
public interface IKafkaDriverObserver
{
    /// <summary>A transaction carried so many tasks' checkpoints.</summary>
    void Committed(TimeSpan took, int tasks) { }

    /// <summary>The transaction failed; the same is carried by a later one.</summary>
    void CommitFailed(Exception fault) { }

    /// <summary>About once a second, for each sub-topology that did something.</summary>
    void Processed(int subTopology, int records) { }

    /// <summary>For the status: from a request to its outcome's being counted, mean of late; null where nothing was measured.</summary>
    double? OutcomeDelaySeconds => null;

    void Assigned(IReadOnlyCollection<TaskId> tasks) { }
    void Revoked(IReadOnlyCollection<TaskId> tasks) { }

    /// <summary>A task's state is at its changelog's end.</summary>
    void Restored(TaskId task, long records, TimeSpan took) { }

    /// <summary>So many records of changelogs were applied, by a restore or a standby.</summary>
    void RestoredRecords(int records) { }

    /// <param name="topic">Where the record came from, or was to go.</param>
    void DeadLettered(string topic, string reason) { }

    /// <summary>A failed record had touched state: the task went back to its last commit.</summary>
    void TookBack(TaskId task, string reason) { }

    /// <summary>What a task asks of others was away: effects that could not be applied, or a record that could not be processed, are tried again.</summary>
    void Retrying(TaskId task, Exception fault) { }

    /// <summary>Another process owns the task now.</summary>
    void Fenced(TaskId task) { }

    /// <summary>The driver stops.</summary>
    void Faulted(string what, Exception fault) { }

    /// <summary>What the Kafka client itself says: warnings and worse.</summary>
    void ClientSaid(string message) { }
}

/// <summary>Nobody listens.</summary>
internal sealed class NoKafkaDriverObserver : IKafkaDriverObserver
{
    public static readonly NoKafkaDriverObserver Instance = new();
}
