using System.Text.Json;
using System.Text.Json.Serialization;

namespace Promotions.Streams.Kafka.Status;

/// <summary>What one process says of itself once a second in <c>{group}-members</c>: JSON under its id. The topic is compacted; a process that leaves writes a tombstone.</summary>
/// <remarks>Read by the dashboard of another process, perhaps of another version: members are added, never removed, and readers ignore what they do not know.</remarks>
/// <param name="Id">Of the process: its instance id, or host, process id and a number.</param>
/// <param name="AtMs">When it was said, by the process's clock. Unit: Unix milliseconds.</param>
/// <param name="StartedAtMs">Unit: Unix milliseconds.</param>
/// <param name="State"><c>starting</c>, <c>rebalancing</c>, <c>running</c>, <c>leaving</c> or <c>stopped</c>.</param>
/// <param name="StoppedBecause">A sentence where it stopped by itself; null otherwise.</param>
/// <param name="CommitSeconds">How long the last commits took, mean of late; null where there was none.</param>
/// <param name="OutcomeDelaySeconds">From a request to its outcome's being counted by features, mean of late; null where there was none.</param>
public sealed record MemberStatus(
    string Id, string Host, int ProcessId, long AtMs, long StartedAtMs, string State, string? StoppedBecause, IReadOnlyList<MemberTask> Tasks,
    double? CommitSeconds = null, double? OutcomeDelaySeconds = null)
{
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, MemberStatusJson.Default.MemberStatus);

    /// <returns>Null when it is no status: a reader shows the rest.</returns>
    public static MemberStatus? FromJson(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, MemberStatusJson.Default.MemberStatus);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>One task, or a copy of its state, in one process.</summary>
/// <param name="SubTopology">Its number; <paramref name="Name"/> says it in words: the topic that it reads.</param>
/// <param name="Role"><c>active</c> or <c>standby</c>.</param>
/// <param name="State"><c>restoring</c> (not yet at the changelog's end), <c>running</c> or <c>paused</c> (it waits for what comes after it).</param>
/// <param name="Lag">Records of its input that it has not taken yet; of a standby, of the changelog.</param>
/// <param name="StreamTimeMs">The highest event time that it has seen. Unit: Unix milliseconds; null before the first record.</param>
/// <param name="RestoreRemaining">Records of the changelog still to be read; 0 when there.</param>
/// <param name="RestorePerSecond">How many are read a second; null where nothing is restored.</param>
public sealed record MemberTask(
    int SubTopology, string Name, int Partition, string Role, string State, long Lag, long? StreamTimeMs, long RestoreRemaining = 0, double? RestorePerSecond = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(MemberStatus))]
internal sealed partial class MemberStatusJson : JsonSerializerContext;
