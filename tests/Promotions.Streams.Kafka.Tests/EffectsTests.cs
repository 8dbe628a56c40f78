using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Confluent.Kafka;
using Promotions.Kafka.Cluster;
using Promotions.Streams.Kafka.Commit;

namespace Promotions.Streams.Kafka.Tests;

/// <summary>The way to a ledger, in this process: batches, retries, owners that have passed, answers that cannot be published.</summary>
public sealed class EffectsTests(KafkaServer server)
{
    [Fact]
    public async Task Effects_come_in_order_in_batches_and_are_tried_again_until_they_hold()
    {
        var rig = await RigAsync("effects");
        rig.Effects.FailsLeft = 3;
        await using var driver = await rig.StartAsync();
        await rig.SendAsync(0, 2_000);
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Effects.Applied.Count >= 2_000), () => $"{rig.Effects.Applied.Count} applied.");
        Assert.Equal(Enumerable.Range(0, 2_000).Select(i => $"v{i}"), rig.Effects.Applied);
        Assert.Equal(0, rig.Effects.FailsLeft);
        Assert.True(rig.Effects.Calls < 1_000, $"{rig.Effects.Calls} calls for 2,000 records: none waited for another.");
        Assert.Equal(1, rig.Effects.InOneTaskMax);

        // Issue 34 of the library that one would pick: a commit for each record.
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Watch.Commits > 0), () => "Nothing was committed.");
        Assert.True(rig.Watch.Commits < 200, $"{rig.Watch.Commits} commits for 2,000 records.");
    }

    [Fact]
    public async Task An_answer_that_cannot_be_published_is_a_dead_letter_and_the_next_ones_arrive()
    {
        var rig = await RigAsync("answers");
        rig.Effects.Answer = value => value == "v1" ? new OutgoingRecord("no-such-topic-" + rig.Name, 0, null, "lost"u8.ToArray(), default) : value == "v2" ? new OutgoingRecord(rig.Name + "answers", 0, null, new byte[1_200_000], default) : new OutgoingRecord(rig.Name + "answers", 0, null, Encoding.UTF8.GetBytes(value), default);
        await server.Cluster.CreateTopicAsync(rig.Name + "answers", 1);
        await using var driver = await rig.StartAsync();
        await rig.SendAsync(0, 10);
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Watch.Letters.Count >= 2), () => "No letters.", TimeSpan.FromSeconds(60));
        Assert.Equal(8, (await server.Cluster.ReadAllAsync(rig.Name + "answers")).Count);
        var letters = (await server.Cluster.ReadAllAsync(rig.Options.Prefix + "dead-letters")).ToList();
        Assert.Contains(letters, l => Encoding.UTF8.GetString(l.Message.Value) == "lost");
        Assert.False(driver.Completion.IsFaulted);
    }

    [Fact]
    public async Task An_owner_whose_epoch_has_passed_takes_nothing_more_and_commits_nothing_of_it()
    {
        var rig = await RigAsync("epoch");
        rig.Effects.PassedFrom = 5;
        await using var driver = await rig.StartAsync();
        await rig.SendAsync(0, 50);
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Watch.FencedTasks > 0), () => "It was not refused.");
        await rig.SendAsync(50, 10);
        await driver.DisposeAsync();
        Assert.DoesNotContain("v59", rig.Effects.Applied);

        rig.Effects.PassedFrom = int.MaxValue;
        await using var owner = await rig.StartAsync();
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Effects.Applied.Distinct().Count() == 60), () => $"{rig.Effects.Applied.Distinct().Count()} applied.");
    }

    [Fact]
    public async Task A_dead_letter_that_is_sent_again_is_processed_with_its_key_and_its_time()
    {
        var rig = await RigAsync("again");
        await using var driver = await rig.StartAsync();
        rig.Intake.Refuses = true;
        await rig.SendAsync(0, 3);
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Watch.Letters.Count == 3), () => $"{rig.Watch.Letters.Count} letters.");
        await Eventually.HoldsAsync(async () => (await DeadLetters.ReadAsync(rig.Options)).Count == 3, () => "The letters are not there.");
        Assert.All(await DeadLetters.ReadAsync(rig.Options), l => Assert.Equal((rig.Name + "in", "Refused for a test."), (l.Topic, l.Reason)));
        Assert.Empty(rig.Effects.Applied);

        rig.Intake.Refuses = false;
        Assert.Equal(2, await DeadLetters.SendAgainAsync(rig.Options, l => l.Offset > 0));
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Effects.Applied.Count == 2), () => $"{rig.Effects.Applied.Count} applied.");
        Assert.Equal(["v1", "v2"], rig.Effects.Applied);
        Assert.Equal("k", rig.Intake.LastKey);
    }

    [Fact]
    public async Task Topics_that_are_missing_are_a_plan_where_the_driver_may_not_make_them()
    {
        var rig = await RigAsync("plan", createInput: false);
        var options = rig.Options with { CreateTopics = false };
        var plan = await Assert.ThrowsAsync<TopicPlanException>(() => KafkaDriver.StartAsync(Rig.Topology(), options, rig.Effects));
        Assert.Contains($"--topic {rig.Name}in --partitions 1", plan.Message, StringComparison.Ordinal);
        Assert.Contains("cleanup.policy=compact", plan.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("effects", plan.Message, StringComparison.Ordinal);
        Assert.Contains(KafkaDriver.Plan(Rig.Topology(), options), topic => topic.Name == $"{rig.Name}g-in-changelog");
    }

    [Fact]
    public async Task A_changelog_that_would_forget_refuses_the_start_and_says_how_to_mend_it()
    {
        var rig = await RigAsync("forgets");
        var changelog = $"{rig.Name}g-in-changelog";
        await server.Cluster.CreateTopicAsync(changelog, 1, new Dictionary<string, string> { ["cleanup.policy"] = "delete" });
        var refused = await Assert.ThrowsAsync<TopicPlanException>(() => KafkaDriver.StartAsync(Rig.Topology(), rig.Options, rig.Effects));
        Assert.Contains($"'{changelog}' has cleanup.policy=delete and needs compact", refused.Message, StringComparison.Ordinal);
        Assert.Contains("kafka-configs.sh --alter", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_that_loses_nothing_is_told_and_the_driver_starts()
    {
        var rig = await RigAsync("tells");
        await server.Cluster.CreateTopicAsync($"{rig.Name}g-in-changelog", 1, new Dictionary<string, string> { ["cleanup.policy"] = "compact", ["delete.retention.ms"] = "1000" });
        var told = new Told();
        await using (await KafkaDriver.StartAsync(Rig.Topology(), rig.Options, rig.Effects, observer: told)) Assert.Contains(told.Warnings, line => line.Contains("has delete.retention.ms=1000;", StringComparison.Ordinal));
    }

    private sealed class Told : IKafkaDriverObserver
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Warnings { get; } = [];
        public void ClientSaid(string message) => Warnings.Enqueue(message);
    }

    private async Task<Rig> RigAsync(string what, bool createInput = true)
    {
        var rig = new Rig(server.Cluster, KafkaServer.NewName(what));
        if (createInput) await server.Cluster.CreateTopicAsync(rig.Name + "in", 1);
        return rig;
    }

    private sealed class Rig(KafkaCluster kafka, string name)
    {
        public string Name => name;
        public FakeEffects Effects { get; } = new();
        public Watch Watch { get; } = new();
        public FakeIntake Intake { get; } = new();

        public KafkaDriverOptions Options { get; } = new()
        {
            Bootstrap = kafka.Bootstrap, MemberId = "one", Prefix = name, Group = "g", StateFolder = Directory.CreateTempSubdirectory(name).FullName, LayoutHash = 1, Threads = 1, Partitions = 1,
            SessionTimeout = TimeSpan.FromSeconds(2), Heartbeat = TimeSpan.FromMilliseconds(400),
        };

        public Task<KafkaDriver> StartAsync() => KafkaDriver.StartAsync(Topology(), Options, Effects, Intake, Watch);

        public Task SendAsync(int from, int count) => kafka.ProduceAsync(name + "in", Enumerable.Range(from, count).Select(i => new Message<byte[], byte[]> { Key = "k"u8.ToArray(), Value = Encoding.UTF8.GetBytes($"v{i}") }));

        public static Topology Topology()
        {
            var builder = new TopologyBuilder();
            var source = builder.Source("in", "in", new Text(), static value => value);
            return builder.Sink("effects", "effects", new Text(), source).Build();
        }
    }

    private sealed class FakeEffects : IEffects
    {
        private readonly ConcurrentDictionary<TaskId, int> _inside = new();
        public IReadOnlyCollection<string> Topics => ["effects"];
        public ConcurrentQueue<string> Applied { get; } = new();
        public int FailsLeft { get; set; }
        public int PassedFrom { get; set; } = int.MaxValue;
        public int Calls { get; private set; }
        public int InOneTaskMax { get; private set; }
        public Func<string, OutgoingRecord>? Answer { get; set; }

        public Task<long> AcquireAsync(TaskId task, CancellationToken cancellationToken) => Task.FromResult(1L);

        public async Task<IReadOnlyList<OutgoingRecord>> ApplyAsync(TaskId task, long epoch, IReadOnlyList<SinkOutput> outputs, CancellationToken cancellationToken)
        {
            InOneTaskMax = Math.Max(InOneTaskMax, _inside.AddOrUpdate(task, 1, (_, n) => n + 1));
            try
            {
                Calls++;
                await Task.Delay(2, cancellationToken);
                if (FailsLeft > 0)
                {
                    FailsLeft--;
                    throw new IOException("The ledger is away.");
                }

                if (Applied.Count + outputs.Count > PassedFrom) throw new EpochPassedException("Another process owns it.");
                foreach (var output in outputs) Applied.Enqueue((string)output.Value!);
                return Answer is null ? [] : [.. outputs.Select(o => Answer((string)o.Value!))];
            }
            finally
            {
                _inside.AddOrUpdate(task, 0, (_, n) => n - 1);
            }
        }
    }

    private sealed class FakeIntake : IIntake
    {
        public IReadOnlyCollection<string> Topics => ["in"];
        public bool Refuses { get; set; }
        public string? LastKey { get; private set; }

        public void Accept(in IncomingRecord record, IBufferWriter<byte> source)
        {
            if (Refuses) throw new InvalidDataException("Refused for a test.");
            LastKey = Encoding.UTF8.GetString(record.Key.Span);
            source.Write(record.Value.Span);
        }
    }

    private sealed class Watch : IKafkaDriverObserver
    {
        private int _commits;
        private int _fenced;
        public int Commits => Volatile.Read(ref _commits);
        public int FencedTasks => Volatile.Read(ref _fenced);
        public ConcurrentQueue<string> Letters { get; } = new();
        public void Committed(TimeSpan took, int tasks) => Interlocked.Increment(ref _commits);
        public void Fenced(TaskId task) => Interlocked.Increment(ref _fenced);
        public void DeadLettered(string topic, string reason) => Letters.Enqueue(reason);
    }

    private sealed class Text : ICodec<string>
    {
        public void Encode(in string value, IBufferWriter<byte> output) => Encoding.UTF8.GetBytes(value, output);
        public string Decode(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
    }
}
