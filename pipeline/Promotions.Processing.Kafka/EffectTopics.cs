using Confluent.Kafka;
using Promotions.Streams.Kafka;
using Promotions.Streams.Kafka.Commit;

namespace Promotions.Processing.Kafka;

/// <summary>The topics that effects publish to: the driver knows of none of them, since they are no sinks.</summary>
internal static class EffectTopics
{
    /// <summary>An answer is worth nothing once nobody waits for it.</summary>
    private static readonly Dictionary<string, string> ShortLived = new() { ["cleanup.policy"] = "delete", ["retention.ms"] = "600000", ["segment.ms"] = "600000" };

    private static readonly Dictionary<string, string> Log = new() { ["cleanup.policy"] = "delete" };

    public static IReadOnlyList<PlannedTopic> Of(KafkaDriverOptions driver, KafkaTopics topics, int replyPartitions)
    {
        return
        [
            Planned(KafkaTopics.Decisions, Log, "what became of each redemption"),
            Planned(KafkaTopics.BalanceChanges, Log, "balances changed by orders and redemptions"),
            PlannedTopic.Of(topics.Named(topics.Replies), replyPartitions, driver.Replication, ShortLived, "answers to API processes"),
        ];

        PlannedTopic Planned(string topic, Dictionary<string, string> settings, string why) =>
            PlannedTopic.Of(topics.Named(topic), driver.PartitionsOf.GetValueOrDefault(topic, driver.Partitions), driver.Replication, settings, why);
    }

    /// <summary>Makes those that are missing, and checks those that are there.</summary>
    /// <exception cref="TopicPlanException">Some are missing or wrong, or the replies' topic has fewer partitions than intake lets callers name.</exception>
    public static async Task EnsureAsync(KafkaDriverOptions driver, KafkaTopics topics, int replyPartitions, Action<string> warn)
    {
        using var admin = Admin(driver);
        var found = await BrokerTopics.EnsureAsync(admin, Of(driver, topics, replyPartitions), await BrokerTopics.FindAsync(admin).ConfigureAwait(false), driver.CreateTopics, warn).ConfigureAwait(false);
        var replies = topics.Named(topics.Replies);
        if (found[replies].Partitions < replyPartitions)
            throw new TopicPlanException($"Topic '{replies}' has {found[replies].Partitions} partitions, and callers may ask for answers at {replyPartitions}: add partitions, or lower ReplyPartitions.");
    }

    public static IAdminClient Admin(KafkaDriverOptions driver) =>
        new AdminClientBuilder(new AdminClientConfig(new Dictionary<string, string>(driver.Client)) { BootstrapServers = driver.Bootstrap }).SetLogHandler(static (_, _) => { }).Build();
}
