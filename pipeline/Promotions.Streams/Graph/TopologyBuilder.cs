using Promotions.Streams.State;

namespace Promotions.Streams;

/// <summary>A node that has been added, and the type of what it forwards.</summary>
/// <remarks>Parents are handles of nodes that exist already, so a cycle of nodes cannot be written; a loop goes through a topic, and is feedback.</remarks>
public sealed class Node<TKey, TValue>
{
    internal Node(TopologyBuilder builder, NodeDefinition definition) => (Builder, Definition) = (builder, definition);

    internal TopologyBuilder Builder { get; }
    internal NodeDefinition Definition { get; }
    public string Name => Definition.Name;
}

/// <summary>Builds a <see cref="Topology"/>: sources, processors, stores, repartitions and sinks, in Kafka Streams' words.</summary>
public sealed class TopologyBuilder
{
    private readonly List<NodeDefinition> _nodes = [];
    private readonly List<(StoreDefinition Store, string[] Processors)> _stores = [];

    /// <summary>Records that come in from a topic. Under Kafka the topic is partitioned by the key.</summary>
    /// <param name="keyOf">The key is a function of the value, so that a log of values alone can be replayed.</param>
    public Node<TKey, TValue> Source<TKey, TValue>(string name, string topic, IDecoder<TValue> decoder, Func<TValue, TKey> keyOf) =>
        Add<TKey, TValue>(new SourceDefinition<TKey, TValue>(name, topic, decoder, keyOf));

    /// <param name="supplier">Makes one processor per partition; they share nothing.</param>
    public Node<TKeyOut, TValueOut> Processor<TKeyIn, TValueIn, TKeyOut, TValueOut>(
        string name, Func<IProcessor<TKeyIn, TValueIn, TKeyOut, TValueOut>> supplier, params ReadOnlySpan<Node<TKeyIn, TValueIn>> parents) =>
        Add<TKeyOut, TValueOut>(new ProcessorDefinition<TKeyIn, TValueIn, TKeyOut, TValueOut>(name, Names(name, parents), supplier));

    /// <summary>A keyed store and the processors that may use it. Processors that share a store share a sub-topology.</summary>
    public TopologyBuilder Store(StoreDefinition store, params string[] processors)
    {
        _stores.Add((store, processors));
        return this;
    }

    /// <summary>Sends records through a topic partitioned by their key: the next hop's state is where the key is. In one process: a queue.</summary>
    public Node<TKey, TValue> Repartition<TKey, TValue>(
        string name, string topic, ICodec<TKey> keyCodec, ICodec<TValue> valueCodec, params ReadOnlySpan<Node<TKey, TValue>> parents) =>
        Add<TKey, TValue>(new RepartitionDefinition<TKey, TValue>(name, Names(name, parents), topic, keyCodec, valueCodec));

    /// <summary>Records that leave through a topic: effects, which a replay does not repeat.</summary>
    public TopologyBuilder Sink<TKey, TValue>(string name, string topic, ICodec<TValue> codec, params ReadOnlySpan<Node<TKey, TValue>> parents)
    {
        Add<TKey, TValue>(new SinkDefinition<TKey, TValue>(name, Names(name, parents), topic, null, codec));
        return this;
    }

    /// <param name="keyCodec">The key's bytes in the topic, which choose the partition. Texts and byte arrays do without: UTF-8, and themselves.</param>
    public TopologyBuilder Sink<TKey, TValue>(string name, string topic, ICodec<TKey> keyCodec, ICodec<TValue> codec, params ReadOnlySpan<Node<TKey, TValue>> parents)
    {
        Add<TKey, TValue>(new SinkDefinition<TKey, TValue>(name, Names(name, parents), topic, keyCodec, codec));
        return this;
    }

    /// <exception cref="TopologyException">The graph cannot run; the message says which node and why.</exception>
    public Topology Build() => Topology.From(_nodes, _stores);

    private Node<TKey, TValue> Add<TKey, TValue>(NodeDefinition definition)
    {
        if (_nodes.Exists(node => node.Name == definition.Name)) throw new TopologyException($"There are two nodes named '{definition.Name}'.");
        _nodes.Add(definition);
        return new(this, definition);
    }

    private string[] Names<TKey, TValue>(string child, ReadOnlySpan<Node<TKey, TValue>> parents)
    {
        if (parents.IsEmpty) throw new TopologyException($"Node '{child}' has no parent: nothing would reach it.");
        var names = new string[parents.Length];
        for (var i = 0; i < parents.Length; i++)
        {
            if (parents[i].Builder != this) throw new TopologyException($"Node '{child}' has the unknown parent '{parents[i].Name}': it belongs to another builder.");
            if (parents[i].Definition is ISinkDefinition) throw new TopologyException($"Node '{child}' has the sink '{parents[i].Name}' as a parent: sinks forward nothing.");
            names[i] = parents[i].Name;
        }

        return names;
    }
}
