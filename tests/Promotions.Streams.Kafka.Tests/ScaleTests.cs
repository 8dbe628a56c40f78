using System.Text;
using System.Text.Json;
using Promotions.Kafka.Cluster;
using Promotions.Velocity;

namespace Promotions.Streams.Kafka.Tests;

/// <summary>Many members, and such as keep their name.</summary>
public sealed class ScaleTests(KafkaServer server)
{
    /// <summary>Ten come nearly at once, under traffic; six leave. Every partition runs at one of them, whose state was restored, and every event counts once. All the while somebody looks at what they do.</summary>
    [Fact]
    public async Task Ten_members_that_come_at_once_and_leave_again_run_every_task_once_and_lose_nothing()
    {
        const int partitions = 6;
        var name = KafkaServer.NewName("ten");
        var events = VelocityOracle.Events(1_800, seed: 13, late: false);
        await server.Cluster.CreateTopicAsync(name + "in", partitions);
        var members = new List<KafkaDriver> { await StartAsync("m0") };
        using var enough = new CancellationTokenSource();
        var looks = LookAsync();
        try
        {
            await SendAsync(events[..600]);
            await Eventually.HoldsAsync(() => Task.FromResult(members[0].IsServing), () => "The first does not serve.");
            var others = await Task.WhenAll(Enumerable.Range(1, 9).Select(i => StartAsync($"m{i}")));
            lock (members) members.AddRange(others);
            await SendAsync(events[600..1_200]);
            await CoveredAsync();
            foreach (var pair in Enumerable.Range(0, 3))
            {
                List<KafkaDriver> leaving;
                lock (members)
                {
                    leaving = members[..2];
                    members.RemoveRange(0, 2);
                }

                await Task.WhenAll(leaving.Select(m => m.DisposeAsync().AsTask()));
                await SendAsync(events.GetRange(1_200 + (pair * 200), 200));
            }

            await CoveredAsync();
            var expected = VelocityOracle.Answers(events);
            var found = new Dictionary<string, HashSet<string>>();
            await Eventually.HoldsAsync(
                async () =>
                {
                    if ((await server.Cluster.EndOffsetsAsync(name + "out")).Values.Sum() < expected.Count) return false;
                    found = (await server.Cluster.ReadAllAsync(name + "out")).GroupBy(r => Encoding.UTF8.GetString(r.Message.Key)).ToDictionary(g => g.Key, g => g.Select(r => Encoding.UTF8.GetString(r.Message.Value)).ToHashSet());
                    return found.Count >= expected.Count;
                },
                () => $"{found.Count} of {expected.Count} are answered.");
            foreach (var (id, answer) in expected) Assert.Equal(Customer(answer), Customer(Assert.Single(found[id])));
            Assert.All(members, m => Assert.False(m.Completion.IsCompleted));
        }
        finally
        {
            await enough.CancelAsync();
            await looks;
            await Task.WhenAll(members.Select(m => m.DisposeAsync().AsTask()));
        }

        Task SendAsync(IEnumerable<VelocityOracle.Event> some) => server.Cluster.ProduceAsync(name + "in", some.Select(VelocityOracle.ToMessage));

        Task<KafkaDriver> StartAsync(string member) => KafkaDriver.StartAsync(VelocityTopology.Build(name + "in", name + "out", 1 << 20), new()
        {
            Bootstrap = server.Bootstrap, MemberId = member, Group = name + "g", StateFolder = Directory.CreateTempSubdirectory(name).FullName, LayoutHash = 1, Threads = 1, Partitions = partitions,
            SessionTimeout = TimeSpan.FromSeconds(6), Heartbeat = TimeSpan.FromMilliseconds(300),
        });

        // Each of the three sub-topologies' partitions runs at one member, and no two say so of one.
        Task CoveredAsync() => Eventually.HoldsAsync(
            () =>
            {
                var running = members.SelectMany(m => m.Status().Tasks).Where(t => t is { Role: "active", State: "running" }).Select(t => (t.SubTopology, t.Partition)).ToList();
                return Task.FromResult(members.TrueForAll(m => m.IsServing) && running.Count == 3 * partitions && running.Distinct().Count() == running.Count);
            },
            () => string.Join('\n', members.Select(m => $"{m.Status().State}: {string.Join(' ', m.Status().Tasks.Select(t => $"{t.SubTopology}_{t.Partition} {t.State}"))}")));

        // As /metrics does, and more often: what it looks at changes meanwhile.
        Task LookAsync() => Task.Run(() =>
        {
            while (!enough.IsCancellationRequested)
            {
                List<KafkaDriver> now;
                lock (members) now = [.. members];
                foreach (var member in now) Assert.NotNull(member.Status());
                enough.Token.WaitHandle.WaitOne(1);
            }
        });
    }

    [Fact]
    public async Task A_member_that_keeps_its_name_comes_back_to_its_partitions_and_nobody_elses_move()
    {
        var rig = await Rig.NewAsync(server.Cluster, "static", partitions: 4);
        var (stays, before, after) = (new Watch(), new Watch(), new Watch());
        KafkaDriverOptions Named(string member) => rig.Options with { MemberId = member, InstanceId = member, StateFolder = Path.Combine(rig.Options.StateFolder, member), SessionTimeout = TimeSpan.FromMinutes(4), Heartbeat = TimeSpan.FromMilliseconds(400) };
        await using var other = await rig.StartAsync(Named("other"), stays);
        await Eventually.HoldsAsync(() => Task.FromResult(other is { IsServing: true } && other.Status().Tasks.Count == 4), () => "The other does not serve.");
        HashSet<TaskId> its;
        await using (var restarted = await rig.StartAsync(Named("restarted"), before))
        {
            await rig.SendAsync(0, 200, i => $"k{i}");
            await Eventually.HoldsAsync(
                () => Task.FromResult(other.IsServing && restarted.IsServing && other.Status().Tasks.Count == 2 && restarted.Status().Tasks.Count == 2 && rig.Effects.Applied.Distinct().Count() == 200),
                () => $"{other.Status().Tasks.Count} and {restarted.Status().Tasks.Count} tasks, {rig.Effects.Applied.Distinct().Count()} applied. {string.Join('\n', before.Said)}");
            its = [.. restarted.Status().Tasks.Select(t => new TaskId(t.SubTopology, t.Partition))];
        }

        var (came, gone) = (stays.Came.Count, stays.Gone.Count);
        await using var back = await rig.StartAsync(Named("restarted"), after);
        await rig.SendAsync(200, 200, i => $"k{i}");
        await Eventually.HoldsAsync(() => Task.FromResult(back.IsServing && rig.Effects.Applied.Distinct().Count() == 400), () => $"{rig.Effects.Applied.Distinct().Count()} applied. {string.Join('\n', after.Said)}");
        Assert.Equal(its.Order(Comparer<TaskId>.Create((a, b) => a.Partition - b.Partition)), after.Came.Order(Comparer<TaskId>.Create((a, b) => a.Partition - b.Partition)));
        Assert.Equal((came, gone), (stays.Came.Count, stays.Gone.Count));
        Assert.All(after.Restores, r => Assert.Equal(0, r.Records));
    }

    private static string Customer(string answer)
    {
        using var json = JsonDocument.Parse(answer);
        return json.RootElement.GetProperty("customer").GetRawText();
    }
}
