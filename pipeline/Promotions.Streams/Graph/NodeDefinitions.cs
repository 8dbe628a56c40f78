namespace Promotions.Streams;

/// <summary>A node as declared; it makes its running form for each partition.</summary>
internal abstract class NodeDefinition(string name, string[] parents)
{
    public string Name { get; } = Named(name);
    public string[] Parents { get; } = parents;
    public SortedSet<string> Stores { get; } = new(StringComparer.Ordinal);

    /// <summary>Neither this node nor any behind it has state: all that it leads to is sinks, so a replay, which has no effects, goes without it.</summary>
    public bool IsForEffectsOnly { get; set; }

    /// <summary>Makes the running node and puts it under its parents.</summary>
    public abstract void Wire(TopologyRuntime runtime);

    public abstract string Describe();

    protected string From => Parents.Length == 0 ? "" : " <- " + string.Join(", ", Parents);

    private static string Named(string name) => name is { Length: > 0 } ? name : throw new TopologyException("A node needs a name.");
}

internal interface ISourceDefinition
{
    string Topic { get; }
}

internal interface IProcessorDefinition;

internal interface ISinkDefinition
{
    string Topic { get; }

    /// <summary>Whether the key has a byte form, as a record of a topic needs.</summary>
    bool HasKeyBytes { get; }
}

internal interface IRepartitionDefinition
{
    string Topic { get; }
}

internal sealed class SourceDefinition<TKey, TValue>(string name, string topic, IDecoder<TValue> decoder, Func<TValue, TKey> keyOf) : NodeDefinition(name, []), ISourceDefinition
{
    public string Topic => topic;

    public override void Wire(TopologyRuntime runtime) =>
        runtime.AddSource(topic, Name, new SourceNode<TKey, TValue>(runtime.TaskOf(Name), runtime.Output<TKey, TValue>(Name), decoder, keyOf));

    public override string Describe() => $"source {Name} [{topic}]";
}

internal sealed class ProcessorDefinition<TKeyIn, TValueIn, TKeyOut, TValueOut>(
    string name, string[] parents, Func<IProcessor<TKeyIn, TValueIn, TKeyOut, TValueOut>> supplier) : NodeDefinition(name, parents), IProcessorDefinition
{
    public override void Wire(TopologyRuntime runtime)
    {
        var processor = supplier() ?? throw new TopologyException($"The supplier of processor '{Name}' gave null.");
        processor.Init(new ProcessorContext<TKeyOut, TValueOut>(this, runtime, runtime.TaskOf(Name), runtime.Output<TKeyOut, TValueOut>(Name)));
        runtime.AddForgetful(processor.Forget);
        foreach (var parent in Parents) runtime.Output<TKeyIn, TValueIn>(parent).Add(new ProcessorNode<TKeyIn, TValueIn, TKeyOut, TValueOut>(processor), IsForEffectsOnly);
    }

    public override string Describe() => $"processor {Name}{(Stores.Count == 0 ? "" : $" (stores {string.Join(", ", Stores)})")}{From}";
}

internal sealed class RepartitionDefinition<TKey, TValue>(string name, string[] parents, string topic, ICodec<TKey> keyCodec, ICodec<TValue> valueCodec)
    : NodeDefinition(name, parents), IRepartitionDefinition
{
    public string Topic => topic;

    public override void Wire(TopologyRuntime runtime)
    {
        if (runtime.Transport is { } transport)
        {
            if (runtime.Has(Name)) runtime.AddHopSource(topic, new HopSourceNode<TKey, TValue>(runtime.TaskOf(Name), runtime.Output<TKey, TValue>(Name), keyCodec, valueCodec));
            foreach (var parent in Parents.Where(runtime.Has))
                runtime.Output<TKey, TValue>(parent).Add(new HopOutNode<TKey, TValue>(transport.Open(topic), keyCodec, valueCodec), IsForEffectsOnly);
            return;
        }

        var hop = new HopNode<TKey, TValue>(runtime, runtime.TaskOf(Name), runtime.Output<TKey, TValue>(Name), keyCodec, valueCodec);
        runtime.AddHop(hop);
        foreach (var parent in Parents) runtime.Output<TKey, TValue>(parent).Add(hop, IsForEffectsOnly);
    }

    public override string Describe() => $"repartition {Name} [{topic}]{From}";
}

internal sealed class SinkDefinition<TKey, TValue>(string name, string[] parents, string topic, ICodec<TKey>? keyCodec, ICodec<TValue> codec)
    : NodeDefinition(name, parents), ISinkDefinition
{
    public string Topic => topic;
    public bool HasKeyBytes => keyCodec is not null || typeof(TKey) == typeof(string) || typeof(TKey) == typeof(byte[]);

    public override void Wire(TopologyRuntime runtime)
    {
        foreach (var parent in Parents) runtime.Output<TKey, TValue>(parent).Add(new SinkNode<TKey, TValue>(runtime, topic, keyCodec, codec), IsForEffectsOnly);
    }

    public override string Describe() => $"sink {Name} [{topic}]{From}";
}
