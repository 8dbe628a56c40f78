using System.Globalization;
using System.Text;
using Promotions.Streams.State;

namespace Promotions.Streams;

/// <summary>A validated graph, split into sub-topologies: parts that share no topic hop and no store, and so may run anywhere.</summary>
public sealed class Topology
{
    private Topology(IReadOnlyList<NodeDefinition> nodes, IReadOnlyList<SubTopology> subTopologies, IReadOnlyDictionary<string, StoreDefinition> stores) =>
        (Nodes, SubTopologies, Stores) = (nodes, subTopologies, stores);

    public IReadOnlyList<SubTopology> SubTopologies { get; }
    internal IReadOnlyList<NodeDefinition> Nodes { get; }
    internal IReadOnlyDictionary<string, StoreDefinition> Stores { get; }

    /// <summary>Topics that records come in from.</summary>
    public IReadOnlyList<string> SourceTopics => [.. Nodes.OfType<ISourceDefinition>().Select(s => s.Topic)];

    public SubTopology SubTopologyOf(string node) => SubTopologies.First(s => s.Nodes.Contains(node));

    internal static Topology From(IReadOnlyList<NodeDefinition> nodes, IReadOnlyList<(StoreDefinition Store, string[] Processors)> stores)
    {
        if (!nodes.OfType<ISourceDefinition>().Any()) throw new TopologyException("A topology needs a source.");
        Unique(nodes.OfType<ISourceDefinition>().Select(s => s.Topic).Concat(nodes.OfType<IRepartitionDefinition>().Select(r => r.Topic)), "sources read topic");
        Unique(stores.Select(s => s.Store.Name), "stores are named");
        Unique(stores.Select(s => s.Store.Id.ToString(CultureInfo.InvariantCulture)), "stores have id");
        foreach (var (store, processors) in stores)
        {
            if (processors.Length == 0) throw new TopologyException($"Store '{store.Name}' is attached to no processor.");
            foreach (var processor in processors)
            {
                var node = nodes.FirstOrDefault(n => n.Name == processor) ?? throw new TopologyException($"Store '{store.Name}' is attached to '{processor}', which is no node.");
                if (node is not IProcessorDefinition) throw new TopologyException($"Store '{store.Name}' is attached to '{processor}', which is no processor.");
                node.Stores.Add(store.Name);
            }
        }

        MarkEffects(nodes);
        var groups = new Groups(nodes, stores);
        var subTopologies = groups.Split(nodes);
        foreach (var sub in subTopologies.Where(s => s.Stores.Count > 0 && s.InputTopics.Count > 1))
            throw new TopologyException(
                $"Sub-topology {sub.Index} has state ({string.Join(", ", sub.Stores)}) and {sub.InputTopics.Count} input topics ({string.Join(", ", sub.InputTopics)}): " +
                "which partition of one goes with which of the other would depend on the assignor. Bring them into one topic with a repartition.");
        return new(nodes, subTopologies, stores.ToDictionary(s => s.Store.Name, s => s.Store, StringComparer.Ordinal));
    }

    /// <summary>The graph in words: sub-topologies with their topics, stores and nodes. Equal graphs, equal text.</summary>
    public string Describe()
    {
        var text = new StringBuilder();
        foreach (var sub in SubTopologies)
        {
            text.Append(CultureInfo.InvariantCulture, $"Sub-topology {sub.Index}: input {string.Join(", ", sub.InputTopics)}; ")
                .Append(CultureInfo.InvariantCulture, $"stores {(sub.Stores.Count == 0 ? "none" : string.Join(", ", sub.Stores))}\n");
            foreach (var node in Nodes.Where(n => sub.Nodes.Contains(n.Name))) text.Append("  ").Append(node.Describe()).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Backwards, since a parent comes before its children: a node is needed for state if it has some or leads to some.</summary>
    private static void MarkEffects(IReadOnlyList<NodeDefinition> nodes)
    {
        var needed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in nodes.Reverse())
        {
            node.IsForEffectsOnly = node.Stores.Count == 0 && !needed.Contains(node.Name);
            if (!node.IsForEffectsOnly) needed.UnionWith(node.Parents);
        }
    }

    private static void Unique(IEnumerable<string> names, string what)
    {
        if (names.GroupBy(n => n, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice) throw new TopologyException($"Two {what} '{twice.Key}'.");
    }

    /// <summary>Union-find over nodes: joined by function calls and by shared stores, not by topics.</summary>
    private sealed class Groups
    {
        private readonly Dictionary<string, string> _parents;

        public Groups(IReadOnlyList<NodeDefinition> nodes, IReadOnlyList<(StoreDefinition Store, string[] Processors)> stores)
        {
            _parents = nodes.ToDictionary(n => n.Name, n => n.Name, StringComparer.Ordinal);
            foreach (var node in nodes.Where(n => n is not IRepartitionDefinition))
                foreach (var parent in node.Parents) Join(node.Name, parent);
            foreach (var (_, processors) in stores)
                foreach (var processor in processors) Join(processor, processors[0]);
        }

        public List<SubTopology> Split(IReadOnlyList<NodeDefinition> nodes) =>
            [.. nodes.GroupBy(n => Root(n.Name)).Select((group, index) => new SubTopology(
                index,
                [.. group.Select(n => n.Name)],
                [.. group.Select(n => n switch { ISourceDefinition s => s.Topic, IRepartitionDefinition r => r.Topic, _ => null }).OfType<string>()],
                [.. group.SelectMany(n => n.Stores).Distinct(StringComparer.Ordinal)]))];

        private string Root(string node)
        {
            while (_parents[node] != node) node = _parents[node] = _parents[_parents[node]];
            return node;
        }

        private void Join(string one, string other) => _parents[Root(one)] = Root(other);
    }
}

/// <summary>Nodes that run together on one partition of one input.</summary>
/// <param name="Nodes">Names, parents before children.</param>
public sealed record SubTopology(int Index, IReadOnlyList<string> Nodes, IReadOnlyList<string> InputTopics, IReadOnlyList<string> Stores);
