using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

/// <summary>Who runs, what of the stream each has, and how far behind everything is. Read by <c>GET /v1/system</c> and the dashboard.</summary>
public interface ISystemStatus
{
    /// <summary>What is known now. Cheap: whatever asks another server does so beforehand, in the background.</summary>
    SystemAnswer Read();
}

/// <param name="Mode">One process over its own log, or members of a consumer group over Kafka.</param>
/// <param name="At">When it was read.</param>
/// <param name="Members">By id; one where everything is embedded.</param>
/// <param name="Ledger">Null where this process has no ledger at hand.</param>
/// <param name="Followers">By name: who reads the ledger afterwards.</param>
/// <param name="OutcomeDelaySeconds">From a request to its outcome's being counted by features, of refusals, which are what features count; mean of the last minute; null where there was none. Embedded it is 0: outcomes follow in the same batch.</param>
public sealed record SystemAnswer(
    [property: AllowedValues("embedded", "kafka")] string Mode, [property: DataType(DataType.DateTime)] string At, IReadOnlyList<MemberAnswer> Members, LedgerStateAnswer? Ledger,
    IReadOnlyList<FollowerAnswer> Followers, double? OutcomeDelaySeconds);

/// <param name="State">As it said itself; <c>silent</c> when it has said nothing for longer than its session.</param>
/// <param name="StateBecause">A sentence where it stopped by itself; null otherwise.</param>
/// <param name="SeenAt">When it said so.</param>
/// <param name="CommitSeconds">Mean of its last commits.</param>
public sealed record MemberAnswer(
    string Id, string Host, int ProcessId, [property: AllowedValues("starting", "rebalancing", "running", "leaving", "stopped", "silent")] string State, string? StateBecause,
    [property: DataType(DataType.DateTime)] string StartedAt, [property: DataType(DataType.DateTime)] string SeenAt, IReadOnlyList<TaskAnswer> Tasks, double? CommitSeconds);

/// <param name="Name">The topic that it reads.</param>
/// <param name="Lag">Records not taken yet.</param>
/// <param name="StreamTimeAt">The highest event time that it has seen.</param>
/// <param name="RestoreRemaining">Records still to be read before it works; 0 when there.</param>
/// <param name="RestoreSecondsLeft">At the present rate; null where nothing is restored or nothing moves.</param>
public sealed record TaskAnswer(
    int SubTopology, string Name, int Partition, [property: AllowedValues("active", "standby")] string Role, [property: AllowedValues("restoring", "running", "paused")] string State, long Lag,
    [property: DataType(DataType.DateTime)] string? StreamTimeAt, long RestoreRemaining, double? RestoreSecondsLeft);

/// <param name="LogPosition">Of the last entry; null where the log is Kafka.</param>
/// <param name="CheckpointPosition">Up to where feature state is on disk; null where the log is Kafka.</param>
/// <param name="Queued">Accepted records that wait; null where the log is Kafka.</param>
/// <param name="UnsequencedEntries">Booked and not yet in the audit tree and outbox.</param>
/// <param name="SequenceDelaySeconds">Age of the oldest of them; 0 when there is none.</param>
public sealed record LedgerStateAnswer(long? LogPosition, long? CheckpointPosition, int? Queued, long UnsequencedEntries, double SequenceDelaySeconds);

/// <param name="PositionsBehind">Committed positions that it has not followed yet.</param>
public sealed record FollowerAnswer(string Name, long PositionsBehind);
