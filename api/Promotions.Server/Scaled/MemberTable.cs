using Promotions.Contracts;
using Promotions.Domain;
using Promotions.Streams.Kafka.Status;

namespace Promotions.Server.Scaled;

/// <summary>What the members of a group last said, and who has fallen silent. Pure: time comes with each call.</summary>
internal sealed class MemberTable
{
    /// <summary>A member speaks once a second; its session ends after 6 s. Longer silence is a death or a pause.</summary>
    public static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(5);

    /// <summary>Somebody killed leaves no tombstone: shown as silent for so long, then no more.</summary>
    public static readonly TimeSpan GoneAfter = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, (MemberStatus Said, long SeenMs)> _members = new(StringComparer.Ordinal);

    /// <param name="value">Null: a tombstone, the member has left.</param>
    /// <param name="seen">When it was heard here; while old records are read, when they were written.</param>
    public void Apply(string key, ReadOnlySpan<byte> value, bool isTombstone, EventTime seen)
    {
        if (isTombstone) _members.Remove(key);
        else if (MemberStatus.FromJson(value) is { } said) _members[key] = (said, seen.UnixMilliseconds);
    }

    public IReadOnlyList<MemberAnswer> Read(EventTime now)
    {
        foreach (var (key, member) in _members)
            if (now.UnixMilliseconds - member.SeenMs > GoneAfter.TotalMilliseconds) _members.Remove(key);
        return [.. _members.Values.Select(member => Tell(member.Said, now.UnixMilliseconds - member.SeenMs > SilentAfter.TotalMilliseconds)).OrderBy(member => member.Id, StringComparer.Ordinal)];
    }

    /// <summary>Mean over the members that measured any; null where none did.</summary>
    public double? OutcomeDelaySeconds(EventTime now)
    {
        var told = _members.Values.Where(member => now.UnixMilliseconds - member.SeenMs <= SilentAfter.TotalMilliseconds && member.Said.OutcomeDelaySeconds is not null).Select(member => member.Said.OutcomeDelaySeconds!.Value).ToList();
        return told.Count == 0 ? null : told.Average();
    }

    private static MemberAnswer Tell(MemberStatus said, bool silent) => new(
        said.Id, said.Host, said.ProcessId, silent ? "silent" : said.State, said.StoppedBecause, new EventTime(said.StartedAtMs).ToString(), new EventTime(said.AtMs).ToString(),
        [.. said.Tasks.OrderBy(task => task.SubTopology).ThenBy(task => task.Partition).Select(Tell)], said.CommitSeconds);

    private static TaskAnswer Tell(MemberTask task) => new(
        task.SubTopology, task.Name, task.Partition, task.Role, task.State, task.Lag, task.StreamTimeMs is { } time ? new EventTime(time).ToString() : null, task.RestoreRemaining,
        task.RestoreRemaining > 0 && task.RestorePerSecond is > 0 and var rate ? task.RestoreRemaining / rate : null);
}
