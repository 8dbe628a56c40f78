using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Promotions.Streams.Kafka.Commit;

/// <summary>Compares topics that are there with those that the driver would make.</summary>
internal static class TopicSettings
{
    private const string CleanupPolicy = "cleanup.policy";
    public const string MinInSync = "min.insync.replicas";
    public const string MaxBatch = "max.message.bytes";
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    /// <summary>Others than planned cost time or room, and lose nothing that a running group needs at once.</summary>
    private static readonly string[] Told = ["retention.ms", "delete.retention.ms"];

    /// <param name="topics">Of the plan, all there.</param>
    /// <exception cref="KafkaException">The brokers cannot be reached, or refuse.</exception>
    public static async Task<IReadOnlyList<TopicFinding>> CompareAsync(IAdminClient admin, IReadOnlyList<PlannedTopic> topics, IReadOnlyDictionary<string, FoundTopic> found)
    {
        var findings = new List<TopicFinding>();
        if (topics.Count == 0) return findings;
        foreach (var result in await DescribeAsync(admin, topics).ConfigureAwait(false))
        {
            var topic = topics.First(planned => planned.Name == result.ConfigResource.Name);
            findings.AddRange(Shape(topic, found[topic.Name]));
            if (result.Error.IsError) findings.Add(new($"The settings of topic '{topic.Name}' may not be read and are not checked: {result.Error.Reason}", false, null));
            else findings.AddRange(Compare(topic, found[topic.Name], name => result.Entries.TryGetValue(name, out var entry) ? entry.Value : null));
        }

        return findings;
    }

    /// <summary>Partitions and copies. More than planned harm nothing.</summary>
    internal static IEnumerable<TopicFinding> Shape(PlannedTopic topic, FoundTopic there)
    {
        if (there.Partitions < topic.Partitions)
            yield return new(string.Create(CultureInfo.InvariantCulture, $"Topic '{topic.Name}' has {there.Partitions} partitions; under these settings it would be made with {topic.Partitions}. Added partitions would move keys away from their state."), false, null);
        if (there.Replication < topic.Replication)
            yield return new(string.Create(CultureInfo.InvariantCulture, $"Topic '{topic.Name}' has {there.Replication} copies; under these settings it would be made with {topic.Replication}. kafka-reassign-partitions.sh adds copies."), false, null);
    }

    /// <param name="found">A setting's value at the brokers; null where they name none.</param>
    internal static IEnumerable<TopicFinding> Compare(PlannedTopic topic, FoundTopic there, Func<string, string?> found)
    {
        if (topic.Settings.TryGetValue(CleanupPolicy, out var policy) && found(CleanupPolicy) is { } actual && actual != policy)
        {
            var why = policy == "compact" ? "state in it would be deleted by age" : "records with equal keys in it would be taken for one";
            yield return new($"Topic '{topic.Name}' has {CleanupPolicy}={actual} and needs {policy}: {why}.", true, Alter(topic, CleanupPolicy, policy));
        }

        // A frame that the brokers refuse can neither be sent nor left out: the process would stop on it, and again after each start.
        if (topic.Settings.TryGetValue(MaxBatch, out var needed) && found(MaxBatch) is { } most && long.Parse(most, CultureInfo.InvariantCulture) < long.Parse(needed, CultureInfo.InvariantCulture))
            yield return new($"Topic '{topic.Name}' has {MaxBatch}={most} and needs {needed}: a larger batch would stop whoever sends it, again after each start.", true, Alter(topic, MaxBatch, needed));

        foreach (var name in Told)
            if (topic.Settings.TryGetValue(name, out var planned) && found(name) is { } value && value != planned)
                yield return new($"Topic '{topic.Name}' has {name}={value}; this build would make it with {planned}.", false, Alter(topic, name, planned));

        // Every record is sent with acks=all, which waits for as many copies as are in sync: it is this setting that says how few that may be.
        if (there.Replication < 2 || !int.TryParse(found(MinInSync), CultureInfo.InvariantCulture, out var minimum)) yield break;
        if (minimum < 2)
            yield return new(string.Create(CultureInfo.InvariantCulture, $"Topic '{topic.Name}' has {there.Replication} copies and {MinInSync}={minimum}: what was acknowledged may stand on one server only, and is lost with it."), false, Alter(topic, MinInSync, "2"));
        else if (minimum >= there.Replication)
            yield return new(string.Create(CultureInfo.InvariantCulture, $"Topic '{topic.Name}' has {there.Replication} copies and {MinInSync}={minimum}: it takes no records while one server is away."), false, null);
    }

    private static string Alter(PlannedTopic topic, string setting, string value) => $"kafka-configs.sh --alter --entity-type topics --entity-name {topic.Name} --add-config {setting}={value}";

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
