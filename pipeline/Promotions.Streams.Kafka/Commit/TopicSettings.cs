using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Promotions.Streams.Kafka.Commit;

/// <summary>Compares the settings of topics that are there with those that the driver would give them.</summary>
internal static class TopicSettings
{
    private const string CleanupPolicy = "cleanup.policy";
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    /// <summary>Others than planned cost time or room, and lose nothing that a running group needs at once.</summary>
    private static readonly string[] Told = ["retention.ms", "delete.retention.ms"];

    /// <param name="topics">Of the plan, all there.</param>
    /// <param name="warn">Told of what may stay as it is.</param>
    /// <exception cref="TopicPlanException">A topic's records would be lost: state that is not kept, or records between two hops that are taken for older values of a key.</exception>
    /// <exception cref="KafkaException">The brokers cannot be reached, or refuse.</exception>
    public static async Task CheckAsync(IAdminClient admin, IReadOnlyList<PlannedTopic> topics, Action<string> warn)
    {
        if (topics.Count == 0) return;
        foreach (var result in await DescribeAsync(admin, topics).ConfigureAwait(false))
        {
            if (result.Error.IsError)
            {
                warn($"The settings of topic '{result.ConfigResource.Name}' may not be read and are not checked: {result.Error.Reason}");
                continue;
            }

            var topic = topics.First(planned => planned.Name == result.ConfigResource.Name);
            Check(topic, name => result.Entries.TryGetValue(name, out var entry) ? entry.Value : null, warn);
        }
    }

    /// <param name="found">A setting's value at the brokers; null where they name none.</param>
    internal static void Check(PlannedTopic topic, Func<string, string?> found, Action<string> warn)
    {
        if (topic.Settings.TryGetValue(CleanupPolicy, out var policy) && found(CleanupPolicy) is { } there && there != policy)
        {
            var why = policy == "compact" ? "state in it would be deleted by age" : "records with equal keys in it would be taken for one";
            throw new TopicPlanException($"Topic '{topic.Name}' has {CleanupPolicy}={there} and needs {policy}: {why}. kafka-configs.sh --alter --entity-type topics --entity-name {topic.Name} --add-config {CleanupPolicy}={policy}");
        }

        foreach (var name in Told)
            if (topic.Settings.TryGetValue(name, out var planned) && found(name) is { } value && value != planned)
                warn($"Topic '{topic.Name}' has {name}={value}; this build would make it with {planned}.");
    }

    private static async Task<List<DescribeConfigsReport>> DescribeAsync(IAdminClient admin, IReadOnlyList<PlannedTopic> topics)
    {
        try
        {
            var results = await admin.DescribeConfigsAsync(topics.Select(topic => new ConfigResource { Type = ResourceType.Topic, Name = topic.Name }), new() { RequestTimeout = Within }).ConfigureAwait(false);
            return results.ConvertAll(result => new DescribeConfigsReport { ConfigResource = result.ConfigResource, Entries = result.Entries, Error = new Error(ErrorCode.NoError) });
        }
        catch (DescribeConfigsException some)
        {
            return some.Results;
        }
    }
}
