using Confluent.Kafka;

namespace Promotions.Streams.Kafka.Commit;

/// <summary>Which topics there must be, and with what settings.</summary>
internal static class TopicPlan
{
    /// <summary>The brokers' own default, and more than the largest frame and the largest batch of a changelog.</summary>
    private const string BatchBytes = "1048588";

    /// <summary>Only the last value of a key counts. Small segments, since the one that is written to is never compacted; a restore reads what was not.</summary>
    private static readonly Dictionary<string, string> Compacted = new()
    {
        ["cleanup.policy"] = "compact",
        ["segment.bytes"] = "67108864",
        ["segment.ms"] = "600000",
        ["min.cleanable.dirty.ratio"] = "0.3",
        ["delete.retention.ms"] = "86400000",
        [TopicSettings.MaxBatch] = BatchBytes,
    };

    private static readonly Dictionary<string, string> Members = new() { ["cleanup.policy"] = "compact", ["segment.ms"] = "600000", ["min.cleanable.dirty.ratio"] = "0.1" };

    /// <summary>What lies between two hops: kept for a day, which a consumer that is behind has to catch up.</summary>
    private static readonly Dictionary<string, string> Hop = new() { ["cleanup.policy"] = "delete", ["retention.ms"] = "86400000", ["segment.bytes"] = "134217728", [TopicSettings.MaxBatch] = BatchBytes };

    private static readonly Dictionary<string, string> Log = new() { ["cleanup.policy"] = "delete" };

    /// <param name="found">The topics that there are.</param>
    public static IReadOnlyList<PlannedTopic> Of(Topology topology, IReadOnlyList<StreamUnit> units, TopicNames names, KafkaDriverOptions options, IReadOnlyCollection<string> effects, IReadOnlyDictionary<string, FoundTopic> found)
    {
        var plan = new Dictionary<string, PlannedTopic>(StringComparer.Ordinal);
        void Add(string name, int partitions, Dictionary<string, string> settings, string why) => plan.TryAdd(name, PlannedTopic.Of(name, partitions, options.Replication, settings, why));
        int Partitions(string topic) => options.PartitionsOf.GetValueOrDefault(topic, options.Partitions);

        foreach (var unit in units) Add(unit.Input, Partitions(unit.InputTopic), unit.IsHop ? Hop : Log, unit.IsHop ? "between two sub-topologies" : "read by the topology");
        foreach (var unit in units)
            Add(unit.Changelog, found.TryGetValue(unit.Input, out var there) ? there.Partitions : Partitions(unit.InputTopic), Compacted, unit.Sub.Stores.Count > 0 ? "state, as many partitions as its input" : "where its reader stands, as many partitions as its input");
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
        var found = await BrokerTopics.FindAsync(admin).ConfigureAwait(false);
        var plan = Of(topology, units, names, options, effects, found);
        Check(units, found);
        found = await BrokerTopics.EnsureAsync(admin, plan, found, options.CreateTopics, warn).ConfigureAwait(false);
        Check(units, found);
        return found.ToDictionary(topic => topic.Key, topic => topic.Value.Partitions, StringComparer.Ordinal);
    }

    private static void Check(IReadOnlyList<StreamUnit> units, IReadOnlyDictionary<string, FoundTopic> found)
    {
        foreach (var unit in units)
        {
            if (found.TryGetValue(unit.Changelog, out var partitions) && found.TryGetValue(unit.Input, out var inputs) && partitions.Partitions < inputs.Partitions)
                throw new TopicPlanException(
                    $"Topic '{unit.Changelog}' has {partitions.Partitions} partitions, and the input whose state it carries, '{unit.Input}', has {inputs.Partitions}. Partitions of an input were added: its keys have moved, and state " +
                    $"with them would have to. Use a new group, or give '{unit.Changelog}' {inputs.Partitions} partitions if no key matters.");
        }
    }
}
