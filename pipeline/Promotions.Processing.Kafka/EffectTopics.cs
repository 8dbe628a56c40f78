using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Promotions.Streams.Kafka;
using Promotions.Streams.Kafka.Commit;

namespace Promotions.Processing.Kafka;

/// <summary>The topics that effects publish to: the driver knows of none of them, since they are no sinks.</summary>
internal static class EffectTopics
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    /// <summary>An answer is worth nothing once nobody waits for it.</summary>
    private static readonly Dictionary<string, string> ShortLived = new() { ["cleanup.policy"] = "delete", ["retention.ms"] = "600000", ["segment.ms"] = "600000" };

    private static readonly Dictionary<string, string> Log = new() { ["cleanup.policy"] = "delete" };

    public static IReadOnlyList<PlannedTopic> Of(KafkaDriverOptions driver, KafkaTopics topics, int replyPartitions)
    {
        return
        [
            Planned(KafkaTopics.Decisions, Log, "what became of each redemption"),
            Planned(KafkaTopics.BalanceChanges, Log, "balances changed by orders and redemptions"),
            new(topics.Named(topics.Replies), replyPartitions, driver.Replication, ShortLived, "answers to API processes"),
        ];

        PlannedTopic Planned(string topic, Dictionary<string, string> settings, string why) =>
            new(topics.Named(topic), driver.PartitionsOf.GetValueOrDefault(topic, driver.Partitions), driver.Replication, settings, why);
    }

    /// <summary>As commands for whoever may create topics.</summary>
    public static string Commands(IEnumerable<PlannedTopic> topics) => string.Concat(topics.Select(topic => string.Create(CultureInfo.InvariantCulture,
        $"kafka-topics.sh --create --topic {topic.Name} --partitions {topic.Partitions}{(topic.Replication > 0 ? $" --replication-factor {topic.Replication}" : "")}{string.Concat(topic.Settings.Select(s => $" --config {s.Key}={s.Value}"))}   # {topic.Why}\n")));

    /// <summary>Makes those that are missing.</summary>
    /// <exception cref="TopicPlanException">Some are missing and may not be made here, or the replies' topic has fewer partitions than intake lets callers name.</exception>
    public static async Task EnsureAsync(KafkaDriverOptions driver, KafkaTopics topics, int replyPartitions)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig(new Dictionary<string, string>(driver.Client)) { BootstrapServers = driver.Bootstrap }).SetLogHandler(static (_, _) => { }).Build();
        var plan = Of(driver, topics, replyPartitions);
        var found = await FindAsync(admin).ConfigureAwait(false);
        var missing = plan.Where(topic => !found.ContainsKey(topic.Name)).ToList();
        if (missing.Count > 0 && !driver.CreateTopics) throw new TopicPlanException($"{missing.Count} topics are missing. Create them:\n{Commands(missing)}");
        if (missing.Count > 0) await CreateAsync(admin, missing).ConfigureAwait(false);
        while (!plan.All(topic => found.ContainsKey(topic.Name)))
        {
            await Task.Delay(50).ConfigureAwait(false);
            found = await FindAsync(admin).ConfigureAwait(false);
        }

        var replies = topics.Named(topics.Replies);
        if (found[replies] < replyPartitions)
            throw new TopicPlanException($"Topic '{replies}' has {found[replies]} partitions, and callers may ask for answers at {replyPartitions}: add partitions, or lower ReplyPartitions.");
    }

    private static async Task CreateAsync(IAdminClient admin, List<PlannedTopic> missing)
    {
        try
        {
            await admin.CreateTopicsAsync(
                missing.Select(topic => new TopicSpecification { Name = topic.Name, NumPartitions = topic.Partitions, ReplicationFactor = topic.Replication, Configs = topic.Settings.ToDictionary() }),
                new() { OperationTimeout = Within, RequestTimeout = Within }).ConfigureAwait(false);
        }
        catch (CreateTopicsException fault) when (fault.Results.All(result => result.Error.Code is ErrorCode.NoError or ErrorCode.TopicAlreadyExists))
        {
            // Another process starts too.
        }
        catch (CreateTopicsException fault)
        {
            throw new TopicPlanException($"{fault.Results.First(result => result.Error.IsError).Error.Reason} Create the topics that are missing:\n{Commands(missing)}", fault);
        }
    }

    private static Task<Dictionary<string, int>> FindAsync(IAdminClient admin) =>
        Task.Run(() => admin.GetMetadata(Within).Topics.Where(topic => topic.Partitions.Count > 0).ToDictionary(topic => topic.Topic, topic => topic.Partitions.Count, StringComparer.Ordinal));
}
