using Promotions.Domain;
using Promotions.Streams.State;
using Promotions.Streams.Tests.Embedded;
using Promotions.Streams.Tests.State;

namespace Promotions.Streams.Tests;

public sealed class TopologyTests
{
    private readonly TopologyBuilder _builder = new();

    [Fact]
    public void It_describes_itself_by_sub_topology() => Assert.Equal(
        """
        Sub-topology 0: input additions; stores none
          source additions [additions]
        Sub-topology 1: input outcomes; stores none
          source outcomes [outcomes]
        Sub-topology 2: input additions-by-key; stores counters
          repartition by-key [additions-by-key] <- additions, outcomes
          processor count (stores counters) <- by-key
          processor tell <- count
          sink totals [totals] <- tell

        """, Counting.Topology().Describe());

    [Fact]
    public void Two_nodes_of_one_name_are_refused()
    {
        Source("a");
        Refused("two nodes named 'a'", () => Source("a"));
    }

    [Fact]
    public void A_parent_of_another_builder_is_unknown() =>
        Refused("unknown parent 'a'", () => _builder.Processor("p", () => new Pass(), new TopologyBuilder().Source<int, Addition>("a", "a", new AdditionCodec(), v => v.Key)));

    [Fact]
    public void A_node_without_a_parent_is_refused() => Refused("has no parent", () => _builder.Processor<int, Addition, int, Addition>("p", () => new Pass()));

    [Fact]
    public void A_store_that_no_processor_uses_is_refused()
    {
        Source("a");
        Refused("attached to no processor", () => _builder.Store(Store("s", 1)).Build());
    }

    [Fact]
    public void A_store_of_a_node_that_does_not_exist_is_refused()
    {
        Source("a");
        Refused("which is no node", () => _builder.Store(Store("s", 1), "nobody").Build());
    }

    [Fact]
    public void State_behind_two_topics_is_refused_without_a_repartition()
    {
        _builder.Processor("p", () => new Pass(), Source("a"), Source("b"));
        Refused("2 input topics (a, b)", () => _builder.Store(Store("s", 1), "p").Build());
    }

    [Fact]
    public void Two_sources_of_one_topic_are_refused()
    {
        Source("a");
        _builder.Source<int, Addition>("again", "a", new AdditionCodec(), v => v.Key);
        Refused("sources read topic 'a'", () => _builder.Build());
    }

    [Fact]
    public void A_shared_store_joins_sub_topologies()
    {
        _builder.Processor("p", () => new Pass(), Source("a"));
        _builder.Processor("q", () => new Pass(), Source("b"));
        Assert.Equal(2, _builder.Build().SubTopologies.Count);
        Refused("2 input topics", () => _builder.Store(Store("s", 1), "p", "q").Build());
    }

    [Fact]
    public void A_processor_cannot_reach_a_store_that_is_not_its_own()
    {
        _builder.Processor("p", () => new Reach(), Source("a"));
        _builder.Processor("q", () => new Pass(), Source("b"));
        var topology = _builder.Store(Store("s", 1), "q").Build();
        Refused("not attached to processor 'p'", () => new TopologyDriver(topology).Dispose());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Outputs_come_in_order_and_bytes_between_hops_change_nothing(bool hopsAreBytes)
    {
        using var driver = new TopologyDriver(Counting.Topology(), new EventTime(500), hopsAreBytes);
        foreach (var amount in new[] { 1L, 2, 3 }) driver.Pipe("additions", new AdditionCodec(), new Addition(4, amount));
        Assert.Equal([1L, 3, 6], driver.TakeOutputs().Select(o => ((Addition)o.Value!).Amount));
        Assert.Empty(driver.Outputs);
        Assert.Equal(6, driver.Store<int, Counter>("counters").Get(4).Count);
    }

    [Fact]
    public void Stream_time_is_the_greatest_seen_and_never_goes_back()
    {
        using var driver = new TopologyDriver(Counting.Topology());
        foreach (var at in new long[] { 5, 9, 2 }) driver.Pipe("additions", new Addition(1, 1).ToBytes(), new(at));
        Assert.Equal(new EventTime(9), driver.StreamTime);
        Assert.Equal(3, driver.Store<int, Counter>("counters").Get(1).Count);
    }

    [Theory]
    [InlineData(Addition.GivenUp)]
    [InlineData(Addition.FailsLate)]
    public void A_dead_letter_leaves_no_state_no_time_and_no_output(long amount)
    {
        using var driver = new TopologyDriver(Counting.Topology());
        driver.Pipe("additions", new Addition(1, 5).ToBytes(), new(10));
        driver.Pipe("additions", new Addition(1, amount).ToBytes(), new(1_000));
        driver.Pipe("additions", new byte[3], new(2_000));
        Assert.Equal((5, new EventTime(10)), (driver.Store<int, Counter>("counters").Get(1).Count, driver.StreamTime));
        Assert.Equal(2, driver.DeadLetters.Count);
        Assert.Single(driver.Outputs);
    }

    [Fact]
    public void What_is_scheduled_fires_as_stream_time_passes_it()
    {
        var fired = new List<long>();
        _builder.Processor("p", () => new Pass { Fired = fired }, Source("a"));
        using var driver = new TopologyDriver(_builder.Build(), new EventTime(95));
        foreach (var at in new long[] { 95, 101, 150, 99, 420 }) driver.Pipe("a", new Addition(1, 1).ToBytes(), new(at));
        driver.AdvanceTime(TimeSpan.FromMilliseconds(500));
        Assert.Equal([100, 400, 500], fired);
    }

    private Node<int, Addition> Source(string name) => _builder.Source<int, Addition>(name, name, new AdditionCodec(), a => a.Key);
    private static StoreDefinition<int, Counter> Store(string name, byte id) => new(name, id, new CounterSerde());
    private static void Refused(string why, Action action) => Assert.Contains(why, Assert.Throws<TopologyException>(action).Message, StringComparison.Ordinal);

    private class Pass : IProcessor<int, Addition, int, Addition>
    {
        public List<long>? Fired { get; init; }

        public virtual void Init(IProcessorContext<int, Addition> context)
        {
            if (Fired is { } fired) context.Schedule(100, at => fired.Add(at.UnixMilliseconds));
        }

        public void Process(in Record<int, Addition> record)
        {
        }
    }

    private sealed class Reach : Pass
    {
        public override void Init(IProcessorContext<int, Addition> context) => context.Store<int, Counter>("s");
    }
}
