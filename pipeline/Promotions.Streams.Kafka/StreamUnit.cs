namespace Promotions.Streams.Kafka;

/// <summary>What a task is one partition of: a sub-topology as one input topic of it drives it.</summary>
/// <remarks>A sub-topology with state has one input topic. One without may have several; each is a unit of its own, since the assignor may give partition 3 of one topic to one process
/// and partition 3 of another to another.</remarks>
/// <param name="Number">What <see cref="TaskId.SubTopology"/> says; the same for equal topologies.</param>
/// <param name="InputTopic">By its name in the topology; <paramref name="Input"/> by its name in Kafka.</param>
/// <param name="Changelog">The topic that carries the state of all stores of the sub-topology, by the name of the first, and where it stands; without stores the latter alone, by the input's name.</param>
/// <param name="HasEffects">Some sink of it leads to <see cref="IEffects"/>.</param>
internal sealed record StreamUnit(int Number, SubTopology Sub, string InputTopic, string Input, bool IsHop, string Changelog, bool HasEffects)
{
    public static IReadOnlyList<StreamUnit> Of(Topology topology, TopicNames names, IReadOnlyCollection<string> effects)
    {
        var hops = topology.Nodes.OfType<IRepartitionDefinition>().Select(r => r.Topic).ToHashSet(StringComparer.Ordinal);
        var units = new List<StreamUnit>();
        foreach (var sub in topology.SubTopologies)
        {
            var hasEffects = topology.Nodes.Any(n => n is ISinkDefinition sink && sub.Nodes.Contains(n.Name) && effects.Contains(sink.Topic));
            foreach (var topic in sub.InputTopics)
            {
                var isHop = hops.Contains(topic);
                units.Add(new(units.Count, sub, topic, isHop ? names.Repartition(topic) : names.Outside(topic), isHop,
                    names.Changelog(sub.Stores.Count > 0 ? sub.Stores[0] : topic), hasEffects));
            }
        }

        return units;
    }
}

/// <summary>How topics, groups and transactions are called in the cluster.</summary>
internal sealed class TopicNames(KafkaDriverOptions options)
{
    private readonly string _internal = $"{options.Prefix}{options.Group}-";

    public string Group => $"{options.Prefix}{options.Group}";

    public string Members => $"{_internal}members";
    public string DeadLetters => Outside(DeadLetter.LettersTopic);
    public string TransactionalId(string member) => $"{_internal}{member}";

    /// <summary>A topic that others know.</summary>
    public string Outside(string topic) => options.Prefix + topic;

    public string Repartition(string topic) => $"{_internal}{topic}-repartition";
    public string Changelog(string of) => $"{_internal}{of}-changelog";
}
