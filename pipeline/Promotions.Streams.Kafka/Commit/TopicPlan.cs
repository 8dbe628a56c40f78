using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Promotions.Streams.Kafka.Commit;

/// <summary>A topic as the driver needs it.</summary>
public sealed record PlannedTopic(string Name, int Partitions, short Replication, IReadOnlyDictionary<string, string> Settings, string Why);

/// <summary>Topics are not as they must be, and the driver may not make them so.</summary>
public sealed class TopicPlanException : Exception
{
    public TopicPlanException() { }
    public TopicPlanException(string message) : base(message) { }
    public TopicPlanException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>Which topics there must be, and with what settings.</summary>
internal static class TopicPlan
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    /// <summary>Only the last value of a key counts. Small segments, since the one that is written to is never compacted; a restore reads what was not.</summary>
    private static readonly Dictionary<string, string> Compacted = new()
    {
        ["cleanup.policy"] = "compact",
        ["segment.bytes"] = "67108864",
        ["segment.ms"] = "600000",
        ["min.cleanable.dirty.ratio"] = "0.3",
        ["delete.retention.ms"] = "86400000",
    };

    private static readonly Dictionary<string, string> Members = new() { ["cleanup.policy"] = "compact", ["segment.ms"] = "600000", ["min.cleanable.dirty.ratio"] = "0.1" };

    /// <summary>What lies between two hops: kept for a day, which a consumer that is behind has to catch up.</summary>
    private static readonly Dictionary<string, string> Hop = new() { ["cleanup.policy"] = "delete", ["retention.ms"] = "86400000", ["segment.bytes"] = "134217728" };

    private static readonly Dictionary<string, string> Log = new() { ["cleanup.policy"] = "delete" };

    /// <param name="found">Partitions of topics that there are.</param>
    public static IReadOnlyList<PlannedTopic> Of(Topology topology, IReadOnlyList<StreamUnit> units, TopicNames names, KafkaDriverOptions options, IReadOnlyCollection<string> effects, IReadOnlyDictionary<string, int> found)
    {
        var plan = new Dictionary<string, PlannedTopic>(StringComparer.Ordinal);
        void Add(string name, int partitions, Dictionary<string, string> settings, string why) => plan.TryAdd(name, new(name, partitions, options.Replication, settings, why));
        int Partitions(string topic) => options.PartitionsOf.GetValueOrDefault(topic, options.Partitions);

        foreach (var unit in units) Add(unit.Input, Partitions(unit.InputTopic), unit.IsHop ? Hop : Log, unit.IsHop ? "between two sub-topologies" : "read by the topology");
        foreach (var unit in units)
            Add(unit.Changelog, found.TryGetValue(unit.Input, out var there) ? there : Partitions(unit.InputTopic), Compacted, unit.Sub.Stores.Count > 0 ? "state, as many partitions as its input" : "where its reader stands, as many partitions as its input");
        foreach (var sink in topology.Nodes.OfType<ISinkDefinition>().Where(s => !effects.Contains(s.Topic))) Add(names.Outside(sink.Topic), Partitions(sink.Topic), Log, "written by the topology");
        Add(names.DeadLetters, Partitions(DeadLetter.LettersTopic), Log, "records that were given up");
        Add(names.Members, 1, Members, "what each process says of itself");
        return [.. plan.Values.OrderBy(t => t.Name, StringComparer.Ordinal)];
    }

    /// <summary>Makes the topics that are missing, and checks those that are there.</summary>
    /// <param name="warn">Told of settings that are others than planned, and may stay so.</param>
    /// <returns>Partitions of every topic of the plan.</returns>
    /// <exception cref="TopicPlanException">Some are missing or wrong, and the message is the plan.</exception>
    public static async Task<IReadOnlyDictionary<string, int>> EnsureAsync(
        IAdminClient admin, Topology topology, IReadOnlyList<StreamUnit> units, TopicNames names, KafkaDriverOptions options, IReadOnlyCollection<string> effects, Action<string> warn)
    {
        var found = await FindAsync(admin).ConfigureAwait(false);
        var plan = Of(topology, units, names, options, effects, found);
        Check(units, found);
        await TopicSettings.CheckAsync(admin, [.. plan.Where(t => found.ContainsKey(t.Name))], warn).ConfigureAwait(false);
        var missing = plan.Where(t => !found.ContainsKey(t.Name)).ToList();
        if (missing.Count == 0) return found;
        if (!options.CreateTopics) throw new TopicPlanException($"{missing.Count} topics are missing. Create them:\n{Commands(missing)}");
        try
        {
            await admin.CreateTopicsAsync(
                missing.Select(t => new TopicSpecification { Name = t.Name, NumPartitions = t.Partitions, ReplicationFactor = t.Replication, Configs = t.Settings.ToDictionary() }),
                new() { OperationTimeout = Within, RequestTimeout = Within }).ConfigureAwait(false);
        }
        catch (CreateTopicsException fault) when (fault.Results.All(r => r.Error.Code is ErrorCode.NoError or ErrorCode.TopicAlreadyExists))
        {
            // Another process of the group starts too.
        }
        catch (CreateTopicsException fault)
        {
            throw new TopicPlanException($"{fault.Results.First(r => r.Error.IsError).Error.Reason} Create the topics that are missing:\n{Commands(missing)}", fault);
        }

        while (true)
        {
            found = await FindAsync(admin).ConfigureAwait(false);
            if (plan.All(t => found.ContainsKey(t.Name))) break;
            await Task.Delay(50).ConfigureAwait(false);
        }

        Check(units, found);
        return found;
    }

    /// <summary>The plan as commands for whoever may create topics.</summary>
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

    private static void Check(IReadOnlyList<StreamUnit> units, IReadOnlyDictionary<string, int> found)
    {
        foreach (var unit in units)
        {
            if (found.TryGetValue(unit.Changelog, out var partitions) && found.TryGetValue(unit.Input, out var inputs) && partitions < inputs)
                throw new TopicPlanException(
                    $"Topic '{unit.Changelog}' has {partitions} partitions, and the input whose state it carries, '{unit.Input}', has {inputs}. Partitions of an input were added: its keys have moved, and state " +
                    $"with them would have to. Use a new group, or give '{unit.Changelog}' {inputs} partitions if no key matters.");
        }

    }

    private static Task<IReadOnlyDictionary<string, int>> FindAsync(IAdminClient admin) =>
        Task.Run<IReadOnlyDictionary<string, int>>(() => admin.GetMetadata(Within).Topics.Where(t => t.Partitions.Count > 0).ToDictionary(t => t.Topic, t => t.Partitions.Count, StringComparer.Ordinal));
}
