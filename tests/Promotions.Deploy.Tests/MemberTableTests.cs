using System.Text;
using Promotions.Domain;
using Promotions.Server.Scaled;
using Promotions.Streams.Kafka.Status;

namespace Promotions.Deploy.Tests;

/// <summary>What the System page makes of what members say.</summary>
public class MemberTableTests
{
    private static readonly EventTime Noon = new(1_772_366_400_000);

    [Fact]
    public void The_last_word_of_each_member_counts_and_a_tombstone_ends_it()
    {
        var table = new MemberTable();
        Say(table, "p-2", Noon);
        Say(table, "p-1", Noon, state: "starting");
        Say(table, "p-1", Noon.Plus(TimeSpan.FromSeconds(1)));
        Assert.Equal([("p-1", "running"), ("p-2", "running")], table.Read(Noon.Plus(TimeSpan.FromSeconds(1))).Select(m => (m.Id, m.State)));
        table.Apply("p-1", default, isTombstone: true, Noon);
        Assert.Equal("p-2", Assert.Single(table.Read(Noon)).Id);
    }

    [Fact]
    public void Silence_is_told_and_after_ten_minutes_forgotten()
    {
        var table = new MemberTable();
        Say(table, "p-1", Noon, outcomeDelay: 0.5);
        Assert.Equal("running", table.Read(Noon.Plus(MemberTable.SilentAfter)).Single().State);
        Assert.Equal(0.5, table.OutcomeDelaySeconds(Noon));
        var later = Noon.Plus(MemberTable.SilentAfter + TimeSpan.FromMilliseconds(1));
        Assert.Equal("silent", table.Read(later).Single().State);
        Assert.Null(table.OutcomeDelaySeconds(later));
        Assert.Empty(table.Read(Noon.Plus(MemberTable.GoneAfter + TimeSpan.FromMilliseconds(1))));
    }

    [Fact]
    public void Time_left_follows_from_the_rate_and_is_unknown_without_one()
    {
        var table = new MemberTable();
        Say(table, "p-1", Noon, tasks:
        [
            new(1, "entities", 2, "active", "restoring", 5, null, 9_000, 3_000), new(1, "entities", 1, "active", "restoring", 5, null, 9_000, null), new(0, "redemption-requests", 7, "standby", "running", 0, 1_772_366_399_900),
        ]);
        var tasks = table.Read(Noon).Single().Tasks;
        Assert.Equal([(0, 7, null), (1, 1, null), (1, 2, 3.0)], tasks.Select(t => (t.SubTopology, t.Partition, t.RestoreSecondsLeft)));
        Assert.Equal("2026-03-01T11:59:59.900Z", tasks[0].StreamTimeAt);
    }

    [Fact]
    public void What_is_no_status_is_passed_over_and_a_newer_version_is_read()
    {
        var table = new MemberTable();
        table.Apply("bad", "{"u8, isTombstone: false, Noon);
        table.Apply("empty", "{}"u8, isTombstone: false, Noon);
        var newer = Encoding.UTF8.GetString(Status("p-1", Noon, "running", [], null).ToJson()).Replace("\"id\":", "\"rack\":\"b\",\"id\":", StringComparison.Ordinal);
        table.Apply("p-1", Encoding.UTF8.GetBytes(newer), isTombstone: false, Noon);
        Assert.Equal("p-1", Assert.Single(table.Read(Noon)).Id);
    }

    internal static MemberStatus Status(string id, EventTime at, string state, IReadOnlyList<MemberTask> tasks, double? outcomeDelay) =>
        new(id, "host", 7, at.UnixMilliseconds, Noon.UnixMilliseconds, state, null, tasks, 0.01, outcomeDelay);

    private static void Say(MemberTable table, string id, EventTime at, string state = "running", IReadOnlyList<MemberTask>? tasks = null, double? outcomeDelay = null) =>
        table.Apply(id, Status(id, at, state, tasks ?? [], outcomeDelay).ToJson(), isTombstone: false, at);
}
