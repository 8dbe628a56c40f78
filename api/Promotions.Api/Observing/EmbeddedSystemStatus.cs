using System.Globalization;
using Promotions.Contracts;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Streams.Embedded;

namespace Promotions.Api.Observing;

/// <summary>One process over its own log: a single member with a single task.</summary>
public sealed class EmbeddedSystemStatus(EmbeddedDriver driver, ILedgerReader ledger, IEnumerable<IFollowerLag> followers, TimeProvider time) : ISystemStatus
{
    private readonly IReadOnlyList<IFollowerLag> _followers = [.. followers];
    private readonly string _startedAt = EventTime.Now(time).ToString();
    private readonly string _id = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}");

    public SystemAnswer Read()
    {
        var now = EventTime.Now(time).ToString();
        var queued = driver.Queued;
        var streamTime = driver.StreamTime;
        var stopped = driver.StoppedBecause;
        var task = new TaskAnswer(0, "log", 0, "active", stopped is null ? "running" : "paused", queued, streamTime.UnixMilliseconds > 0 ? streamTime.ToString() : null, 0, null);
        var member = new MemberAnswer(_id, Environment.MachineName, Environment.ProcessId, stopped is null ? "running" : "stopped", stopped?.Message, _startedAt, now, [task], null);
        return new(
            "embedded", now, [member], new(ledger.LastLogPosition, driver.CheckpointPosition, queued, 0, 0),
            [.. _followers.Select(follower => new FollowerAnswer(follower.Name, follower.PositionsBehind))], 0);
    }
}
