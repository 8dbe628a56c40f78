using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Promotions.Kafka.Cluster;
using Promotions.Streams.Kafka.Tasks;

namespace Promotions.Streams.Kafka.Tests;

/// <summary>State comes back: behind a writer that died within its transaction, at the pace that was set, and from where an earlier attempt had come.</summary>
public sealed class RestoreTests(KafkaServer server)
{
    private static readonly Dictionary<string, string> Compacted = new() { ["cleanup.policy"] = "compact" };

    /// <summary>The brokers would end such a transaction by themselves after its time-out, which is 15 minutes here: longer than the test waits.</summary>
    [Theory]
    [InlineData("dead")]
    [InlineData("one")]     // the same process, started again: its own id
    public async Task A_transaction_that_its_dead_writer_left_open_is_ended_and_counts_for_nothing(string writer)
    {
        var rig = await Rig.NewAsync(server.Cluster, "open");
        await server.Cluster.CreateTopicAsync(rig.Changelog, 1, Compacted);
        await rig.SendAsync(0, 10);
        var id = $"{rig.Name}g-{writer}";
        using var dead = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = server.Bootstrap, TransactionalId = id, TransactionTimeoutMs = 900_000 }).SetLogHandler((_, _) => { }).Build();
        dead.InitTransactions(TimeSpan.FromSeconds(30));
        dead.BeginTransaction();
        dead.Produce(new TopicPartition(rig.Changelog, 0), new() { Key = Standing.Key, Value = new Standing(7, default, 1, id, new Dictionary<uint, long>()).ToBytes() });
        dead.Flush(TimeSpan.FromSeconds(30));
        Assert.Single(await server.Cluster.ReadAllAsync(rig.Changelog, committedOnly: false));

        await using var driver = await rig.StartAsync();
        await Eventually.HoldsAsync(() => Task.FromResult(rig.Effects.Applied.Count == 10), () => $"{rig.Effects.Applied.Count} applied. {string.Join('\n', rig.Watch.Said)}");
       
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"v{i}"), rig.Effects.Applied);      // a standing of 7 would have left out the first ones
        Assert.ThrowsAny<KafkaException>(() => dead.CommitTransaction(TimeSpan.FromSeconds(30)));
       
        await driver.DisposeAsync();
       
    }

    [Fact]
    public async Task Restoring_keeps_to_its_pace_says_how_far_it_is_and_goes_on_from_there_after_a_stop()
    {
        const int records = 10_000, bytes = 107, aSecond = 100;
        var rig = await Rig.NewAsync(server.Cluster, "pace");
        await server.Cluster.CreateTopicAsync(rig.Changelog, 1, Compacted);
        await server.Cluster.ProduceAsync(rig.Changelog, Enumerable.Range(0, records).Select(i => new Message<byte[], byte[]> { Key = [1, .. Encoding.UTF8.GetBytes($"{i:D6}")], Value = new byte[bytes - 7] }));
        var left = new List<long>();
        var started = Stopwatch.GetTimestamp();
        TimeSpan within;
        await using (var slow = await rig.StartAsync(rig.Options with { RestoreBytesPerSecond = aSecond * bytes }))
        {
            // What is left becomes less. All of it would take more than a minute and a half, so it is stopped on the way.
            await Eventually.HoldsAsync(
                () =>
                {
                    if (slow.Status().Tasks is [{ State: "restoring", RestorePerSecond: > 0 } task]) left.Add(task.RestoreRemaining);
                    return Task.FromResult(left.Distinct().Count() >= 3);
                },
                () => $"{left.Count} looks at it: {string.Join(' ', left.Distinct())}");
            within = Stopwatch.GetElapsedTime(started);
            Assert.False(slow.IsServing);
        }

        Assert.Equal(left.OrderDescending(), left);
        Assert.True(records - left[^1] <= (within.TotalSeconds + 1) * aSecond, $"{string.Join(' ', left.Distinct())} left of {records} within {within}, at {aSecond} a second.");
        Assert.Empty(rig.Watch.Restores);

        // Without a limit, and not from the beginning.
        await using (await rig.StartAsync())
        {
            await Eventually.HoldsAsync(() => Task.FromResult(!rig.Watch.Restores.IsEmpty), () => "It is not restored.");
            Assert.InRange(rig.Watch.Restores.Single().Records, 1, left[^1]);
        }
    }
}
