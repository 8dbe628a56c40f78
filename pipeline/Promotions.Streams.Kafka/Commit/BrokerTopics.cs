using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Promotions.Streams.Kafka.Commit;

/// <summary>Makes the topics of a plan, and compares those that are there with it.</summary>
public static class BrokerTopics
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    /// <summary>All topics that there are.</summary>
    /// <exception cref="KafkaException">The brokers cannot be reached, or refuse.</exception>
    public static Task<IReadOnlyDictionary<string, FoundTopic>> FindAsync(IAdminClient admin) =>
        Task.Run<IReadOnlyDictionary<string, FoundTopic>>(() => admin.GetMetadata(Within).Topics.Where(topic => topic.Partitions.Count > 0)
            .ToDictionary(topic => topic.Topic, topic => new FoundTopic(topic.Partitions.Count, topic.Partitions[0].Replicas.Length), StringComparer.Ordinal));

    /// <summary>What is otherwise than planned about the topics that are there.</summary>
    /// <exception cref="KafkaException">The brokers cannot be reached, or refuse.</exception>
    public static Task<IReadOnlyList<TopicFinding>> CompareAsync(IAdminClient admin, IReadOnlyList<PlannedTopic> plan, IReadOnlyDictionary<string, FoundTopic> found) =>
        TopicSettings.CompareAsync(admin, [.. plan.Where(topic => found.ContainsKey(topic.Name))], found);

    /// <summary>Makes the topics that are missing, and checks those that are there.</summary>
    /// <param name="create">False: nothing is made, and a missing topic is an exception with the plan.</param>
    /// <param name="warn">Told of what is otherwise than planned, and may stay so.</param>
    /// <returns>Every topic of the plan as it is, among others.</returns>
    /// <exception cref="TopicPlanException">Some are missing or wrong, and the message is the plan.</exception>
    /// <exception cref="KafkaException">The brokers cannot be reached, or refuse.</exception>
    public static async Task<IReadOnlyDictionary<string, FoundTopic>> EnsureAsync(
        IAdminClient admin, IReadOnlyList<PlannedTopic> plan, IReadOnlyDictionary<string, FoundTopic> found, bool create, Action<string> warn)
    {
        await CheckAsync(admin, plan, found, warn).ConfigureAwait(false);
        var missing = plan.Where(topic => !found.ContainsKey(topic.Name)).ToList();
        if (missing.Count == 0) return found;
        if (!create) throw new TopicPlanException($"{missing.Count} topics are missing. Create them:\n{Commands(missing)}");
        var others = await CreateAsync(admin, missing).ConfigureAwait(false);
        while (!plan.All(topic => found.ContainsKey(topic.Name)))
        {
            await Task.Delay(50).ConfigureAwait(false);
            found = await FindAsync(admin).ConfigureAwait(false);
        }

        await CheckAsync(admin, others, found, warn).ConfigureAwait(false);
        return found;
    }

    /// <summary>As commands for whoever may create topics.</summary>
    public static string Commands(IEnumerable<PlannedTopic> topics)
    {
        var text = new StringBuilder();
        foreach (var topic in topics)
        {
            text.Append(CultureInfo.InvariantCulture, $"kafka-topics.sh --create --topic {topic.Name} --partitions {topic.Partitions}");
            if (topic.Replication > 0) text.Append(CultureInfo.InvariantCulture, $" --replication-factor {topic.Replication}");
            foreach (var (name, value) in topic.Settings) text.Append(CultureInfo.InvariantCulture, $" --config {name}={value}");
            text.Append(CultureInfo.InvariantCulture, $"   # {topic.Why}\n");
        }

        return text.ToString();
    }

    private static async Task CheckAsync(IAdminClient admin, IReadOnlyList<PlannedTopic> plan, IReadOnlyDictionary<string, FoundTopic> found, Action<string> warn)
    {
        foreach (var finding in await CompareAsync(admin, plan, found).ConfigureAwait(false))
        {
            if (finding.Refused) throw new TopicPlanException($"{finding.Sentence} {finding.Command}");
            warn(finding.Sentence);
        }
    }

    /// <returns>Those that somebody else made in the meantime.</returns>
    private static async Task<IReadOnlyList<PlannedTopic>> CreateAsync(IAdminClient admin, List<PlannedTopic> missing)
    {
        try
        {
            await admin.CreateTopicsAsync(
                missing.Select(topic => new TopicSpecification { Name = topic.Name, NumPartitions = topic.Partitions, ReplicationFactor = topic.Replication, Configs = topic.Settings.ToDictionary() }),
                new() { OperationTimeout = Within, RequestTimeout = Within }).ConfigureAwait(false);
            return [];
        }
        catch (CreateTopicsException fault) when (fault.Results.All(result => result.Error.Code is ErrorCode.NoError or ErrorCode.TopicAlreadyExists))
        {
            // Another process of the group starts too; or an operator has just made them, and the broker that was asked did not know yet.
            return missing.FindAll(topic => fault.Results.Exists(result => result.Topic == topic.Name && result.Error.Code is ErrorCode.TopicAlreadyExists));
        }
        catch (CreateTopicsException fault)
        {
            throw new TopicPlanException($"{fault.Results.First(result => result.Error.IsError).Error.Reason} Create the topics that are missing:\n{Commands(missing)}", fault);
        }
    }
}
