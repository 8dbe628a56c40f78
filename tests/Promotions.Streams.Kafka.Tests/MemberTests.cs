using System.Text;
using System.Text.Json;
using Promotions.Kafka.Cluster;
using Promotions.Streams.Kafka.Status;

namespace Promotions.Streams.Kafka.Tests;

/// <summary>Processes come, go, die and wake: nothing is lost, nothing counts twice, and who has lost its partitions writes nothing more.</summary>
public sealed class MemberTests(KafkaServer server)
{
    /// <summary>Four partitions. A customer's events come from one input partition, so its counts have one order, whatever the others do.</summary>
    [Fact]
    public async Task Members_that_join_leave_and_die_under_traffic_lose_and_double_nothing()
    {
        var name = KafkaServer.NewName("members");
        var events = VelocityOracle.Events(4_000, seed: 11, late: false);
        await server.Cluster.CreateTopicAsync(name + "in");
        await using var first = Serve("first");
        await Eventually.HoldsAsync(() => Task.FromResult(first.IsServing), () => first.Said);
        await SendAsync(events[..1_000]);
        await using var second = Serve("second");
        await SendAsync(events[1_000..2_000]);
        await Eventually.HoldsAsync(() => Task.FromResult(second.IsServing), () => second.Said);
        await SendAsync(events[2_000..2_500]);
        await first.LeaveAsync();
        await SendAsync(events[2_500..3_000]);
        await using var third = Serve("third");
        await Eventually.HoldsAsync(() => Task.FromResult(third.IsServing), () => third.Said);
        await SendAsync(events[3_000..3_500]);
        await second.KillAsync();
        await SendAsync(events[3_500..]);

        var expected = VelocityOracle.Answers(events);
        var found = new Dictionary<string, HashSet<string>>();
        await Eventually.HoldsAsync(
            async () =>
            {
                if ((await server.Cluster.EndOffsetsAsync(name + "out")).Values.Sum() < expected.Count) return false;
                found = (await server.Cluster.ReadAllAsync(name + "out")).GroupBy(r => Encoding.UTF8.GetString(r.Message.Key)).ToDictionary(g => g.Key, g => g.Select(r => Encoding.UTF8.GetString(r.Message.Value)).ToHashSet());
                return found.Count >= expected.Count;
            },
            () => $"{found.Count} of {expected.Count} are answered. {third.Said}");
        foreach (var (id, answer) in expected) Assert.Equal(Customer(answer), Customer(Assert.Single(found[id])));
        await third.LeaveAsync();

        VelocityProcess Serve(string member) => VelocityProcess.Serve(server.Cluster, name, Directory.CreateTempSubdirectory(name).FullName, member, partitions: 4);
        Task SendAsync(IEnumerable<VelocityOracle.Event> some) => server.Cluster.ProduceAsync(name + "in", some.Select(VelocityOracle.ToMessage));
    }

    [Fact]
    public async Task A_process_that_was_stopped_and_wakes_commits_nothing_of_what_others_have_taken_over()
    {
        var name = KafkaServer.NewName("zombie");
        var events = VelocityOracle.Events(3_000, seed: 3);
        await server.Cluster.CreateTopicAsync(name + "in", 1);
        await using var sleeper = VelocityProcess.Serve(server.Cluster, name, Directory.CreateTempSubdirectory(name).FullName, "sleeper");
        await Eventually.HoldsAsync(() => Task.FromResult(sleeper.IsServing), () => sleeper.Said);
        await server.Cluster.ProduceAsync(name + "in", events.Take(1_500).Select(VelocityOracle.ToMessage));
        sleeper.Pause();
        await using var heir = VelocityProcess.Serve(server.Cluster, name, Directory.CreateTempSubdirectory(name).FullName, "heir");
        await server.Cluster.ProduceAsync(name + "in", events.Skip(1_500).Take(750).Select(VelocityOracle.ToMessage));
        await Eventually.HoldsAsync(
            async () => (await server.Cluster.EndOffsetsAsync(name + "in"))[0] == 2_250 && heir.IsServing && (await server.Cluster.ReadAllAsync(name + "out")).Select(r => Encoding.UTF8.GetString(r.Message.Key)).Distinct().Count() == 2_250,
            () => heir.Said);
        sleeper.Continue();
        await server.Cluster.ProduceAsync(name + "in", events.Skip(2_250).Select(VelocityOracle.ToMessage));
        await Eventually.AnswersAreAsync(server.Cluster, name + "out", VelocityOracle.Answers(events), () => $"{sleeper.Said} {heir.Said}");
    }

    [Fact]
    public async Task Lost_state_comes_back_from_the_changelog_and_a_restart_on_nothing_new_ends_at_once()
    {
        var name = KafkaServer.NewName("lost");
        var events = VelocityOracle.Events(1_500, seed: 5);
        var state = Directory.CreateTempSubdirectory(name).FullName;
        await server.Cluster.CreateTopicAsync(name + "in", 1);

        // Empty changelogs: nothing to restore, and nothing that would say so.
        await using (var onNothing = VelocityProcess.Serve(server.Cluster, name, state))
        {
            await Eventually.HoldsAsync(() => Task.FromResult(onNothing.IsServing), () => onNothing.Said);
            await server.Cluster.ProduceAsync(name + "in", events.Take(1_000).Select(VelocityOracle.ToMessage));
            await Eventually.HoldsAsync(async () => (await server.Cluster.EndOffsetsAsync(name + "out")).Values.Sum() == 1_000, () => onNothing.Said);
            await onNothing.LeaveAsync();
        }

        // A copy that is at the changelog's end already: not a record is read.
        await using (var inSync = VelocityProcess.Serve(server.Cluster, name, state))
        {
            await Eventually.HoldsAsync(() => Task.FromResult(inSync.IsServing), () => inSync.Said);
            Assert.Contains("restored=0 ", inSync.Said, StringComparison.Ordinal);
            await inSync.LeaveAsync();
        }

        Directory.Delete(state, true);
        await using var again = VelocityProcess.Serve(server.Cluster, name, state);
        await server.Cluster.ProduceAsync(name + "in", events.Skip(1_000).Select(VelocityOracle.ToMessage));
        await Eventually.AnswersAreAsync(server.Cluster, name + "out", VelocityOracle.Answers(events), () => again.Said);
        Assert.DoesNotContain("restored=0 ", again.Said, StringComparison.Ordinal);
        await again.LeaveAsync();
    }

    [Fact]
    public async Task A_standby_follows_and_every_member_says_what_it_does()
    {
        var name = KafkaServer.NewName("standby");
        var events = VelocityOracle.Events(1_200, seed: 9);
        await server.Cluster.CreateTopicAsync(name + "in", 1);
        await using var active = Serve("active");
        await Eventually.HoldsAsync(() => Task.FromResult(active.IsServing), () => active.Said);
        await server.Cluster.ProduceAsync(name + "in", events.Take(1_000).Select(VelocityOracle.ToMessage));
        await using var standby = Serve("standby");
        await Eventually.HoldsAsync(async () => Covered(await StatusesAsync()), () => $"{active.Said} {standby.Said}");
        await active.KillAsync();
        await server.Cluster.ProduceAsync(name + "in", events.Skip(1_000).Select(VelocityOracle.ToMessage));
        await Eventually.AnswersAreAsync(server.Cluster, name + "out", VelocityOracle.Answers(events), () => standby.Said);

        VelocityProcess Serve(string member) => VelocityProcess.Serve(server.Cluster, name, Directory.CreateTempSubdirectory(name).FullName, member, more: ["--standbys", "1"]);

        async Task<List<MemberStatus>> StatusesAsync() =>
            [.. (await server.Cluster.ReadAllAsync(name + "g-members")).GroupBy(r => Encoding.UTF8.GetString(r.Message.Key)).Select(g => MemberStatus.FromJson(g.Last().Message.Value)!)];

        // Each of the three tasks runs at one, and is followed to the end at the other.
        static bool Covered(List<MemberStatus> members) =>
            members.Count == 2 && Enumerable.Range(0, 3).All(sub =>
                members.Any(m => m.Tasks.Any(t => t.SubTopology == sub && t is { Role: "active", State: "running" }))
                && members.Any(m => m.Tasks.Any(t => t.SubTopology == sub && t is { Role: "standby", State: "running" })));
    }

    [Fact]
    public void Copies_of_a_task_fall_to_few_members_and_stay_where_they_are_when_others_go()
    {
        string[] members = ["a", "b", "c", "d", "e"];
        foreach (var partition in Enumerable.Range(0, 50))
        {
            var task = new TaskId(1, partition);
            var chosen = Membership.StandbysOf(task, members, 2).ToList();
            Assert.Equal(2, chosen.Distinct().Count());
            var other = members.First(m => !chosen.Contains(m));
            Assert.Equal(chosen, Membership.StandbysOf(task, members.Where(m => m != other), 2));
        }
    }

    private static string Customer(string answer)
    {
        using var json = JsonDocument.Parse(answer);
        return json.RootElement.GetProperty("customer").GetRawText();
    }
}
