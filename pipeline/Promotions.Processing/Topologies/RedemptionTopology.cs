using Promotions.Domain;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;
using Promotions.Streams;
using Promotions.Streams.State;

namespace Promotions.Processing.Topologies;

/// <summary>The redemption topology, for every driver: observe → gather → price → score → decide, and the feedback that re-enters it.</summary>
/// <remarks>
/// <code>
/// redemption-requests ─┬─────────────────────────────────────────────► redemption-parts ─► gather ─► decide ─► redemption-decisions
///                      └─► entity-records ─► observe ─ parts ────────►      (by customer)
/// outcomes, labels ──────►  (by entity)
/// orders, returns
/// </code>
/// The processors are the same everywhere. What differs is what topics between them make necessary: where hops are calls, observe alone has state, and gather and decide lead to the decision
/// alone, so that a replay, which recomputes state and has no effects, goes without them. Where hops are topics, gather keeps what is in flight and has patience, observe knows what it counted, feedback
/// comes in one topic once the ledger took it, and reports from outside go to the ledger first.
/// </remarks>
public static class RedemptionTopology
{
    public const string Entities = "entities";
    public const string InFlight = "in-flight";
    public const string Counted = "counted-feedback";
    public const string EntityRecordsTopic = "entity-records";
    public const string PartsTopic = "redemption-parts";

    /// <summary>Where reports leave for the ledger: no topic, but a name for whoever commits them.</summary>
    public const string ReportsSink = "reports";

    // Never another store's in this topology.
    private const byte EntitiesId = 1;
    private const byte InFlightId = 2;
    private const byte CountedId = 3;

    /// <summary>Reports from outside; under Kafka, topics of that name.</summary>
    public static readonly IReadOnlyList<string> ReportTopics = [Topics.Orders, Topics.Returns, Topics.Engagements, Topics.Labels, Topics.Captures, Topics.Voids];

    /// <summary>Of everything that gives stored feature state its meaning: the vector's layout and the state's own form.</summary>
    public static ulong LayoutHash => FeatureRegistry.LayoutHash ^ ((ulong)EntityState.StateFormat << 56);

    /// <summary>Where hops are calls: one process, or one thread.</summary>
    /// <param name="decider">Makes one per partition, for its own thread.</param>
    /// <param name="inputs">Model, policy and campaigns of this moment.</param>
    /// <param name="cacheBytes">Memory for entities, per partition. Unit: bytes.</param>
    public static Topology Build(Func<Decider> decider, Func<DecisionInputs> inputs, long cacheBytes = StoreDefinition.CacheBytesDefault)
    {
        var builder = new TopologyBuilder();
        var parts = Parts(builder, static () => new Observe(), hopsAreTopics: false, cacheBytes, LogFeedback(builder));
        var gathered = builder.Processor("gather", static () => new Gather(), parts);
        var decided = builder.Processor("decide", () => new Decide(decider(), inputs), gathered);
        return builder.Sink("decisions", Topics.Decisions, new DecisionProposalCodec(), decided).Build();
    }

    /// <summary>Where hops are topics: any number of processes.</summary>
    public static Topology BuildForTopics(Func<Decider> decider, Func<DecisionInputs> inputs, RedemptionTopologyOptions options)
    {
        var times = options.Gather.Checked();
        var builder = new TopologyBuilder();
        var feedback = builder.Source(Topics.Outcomes, Topics.Outcomes, new FeedbackDecoder(ReadFeedback), static feedback => feedback.Customer);
        var parts = Parts(builder, () => new Observe(hopsAreTopics: true, options.Counted), hopsAreTopics: true, options.EntityCacheBytes, feedback);
        var gathered = builder.Processor("gather", () => new PatientGather(times, options.LookAhead), parts);
        builder.Store(new StoreDefinition<EntityKey, CustomerRequests>(InFlight, InFlightId, new InFlightSerde(), options.InFlightCacheBytes), "gather");
        var decided = builder.Processor("decide", () => new DecideFor(decider(), inputs, options.LookAhead), gathered);
        builder.Sink("decisions", Topics.Decisions, new ProposedDecisionCodec(), decided);

        Node<string, Report>[] reports = [.. ReportTopics.Select(topic => builder.Source(topic, topic, new ReportCodec(), static (Report report) => report.Key))];
        return builder.Sink(ReportsSink, ReportsSink, new ReportCodec(), reports).Build();
    }

    /// <summary>Requests and feedback to entities, entities' parts to customers.</summary>
    private static Node<string, GatherRecord> Parts(TopologyBuilder builder, Func<Observe> observe, bool hopsAreTopics, long cacheBytes, params ReadOnlySpan<Node<EntityKey, EntityFeedback>> feedback)
    {
        var requests = builder.Source("requests", Topics.Requests, new ObservedRequestDecoder(), static observed => observed.Request.Customer.Id);
        var announced = builder.Processor("announce", static () => new Announce(), requests);
        var observations = builder.Processor("to-entities", static () => new ToEntities(), requests);
        var told = builder.Processor("feedback-to-entities", static () => new FeedbackToEntities(), feedback);

        var byEntity = builder.Repartition("by-entity", EntityRecordsTopic, new EntityKeyCodec(), new EntityRecordCodec(), observations, told);
        var parts = builder.Processor("observe", observe, byEntity);
        builder.Store(new StoreDefinition<EntityKey, EntityState>(Entities, EntitiesId, new EntitySerde(), cacheBytes), "observe");
        if (hopsAreTopics) builder.Store(new StoreDefinition<FeedbackKey, CountedFeedback>(Counted, CountedId, new CountedFeedbackSerde(), Math.Max(cacheBytes / 16, RedemptionTopologyOptions.CacheBytesMin)), "observe");
        return builder.Repartition("by-customer", PartsTopic, new TextCodec(), new GatherRecordCodec(), announced, parts);
    }

    private static Node<EntityKey, EntityFeedback>[] LogFeedback(TopologyBuilder builder) =>
        [.. ((string[])[Topics.Outcomes, Topics.Labels, Topics.Orders, Topics.Returns]).Select(topic =>
            builder.Source(topic, topic, new FeedbackDecoder(bytes => ReadFeedback(topic, bytes)), static (EntityFeedback feedback) => feedback.Customer))];

    private static EntityFeedback ReadFeedback(ReadOnlySpan<byte> bytes) => ReadFeedback(FeedbackRecord.TopicOf(bytes), bytes[1..]);

    private static EntityFeedback ReadFeedback(string topic, ReadOnlySpan<byte> bytes) => topic switch
    {
        Topics.Outcomes => EntityFeedback.OfOutcome(bytes),
        Topics.Labels => EntityFeedback.Of(RecordCodec.DecodeLabel(bytes)),
        Topics.Orders => EntityFeedback.Of(RecordCodec.DecodeOrder(bytes)),
        Topics.Returns => EntityFeedback.Of(RecordCodec.DecodeReturn(bytes)),
        _ => throw new InvalidDataException($"Nothing of '{topic}' is counted by features."),
    };
}

/// <summary>Bounds of the topology where hops are topics.</summary>
/// <param name="Gather">How long gather waits.</param>
/// <param name="EntityCacheBytes">Memory for entities, per partition. Unit: bytes; at least 64 KiB.</param>
/// <param name="InFlightCacheBytes">Memory for requests in flight, per partition. Unit: bytes; at least 64 KiB.</param>
/// <param name="Counted">Told of each fact that an entity has counted, with the fact's event time, on the task's thread: for metrics. Must not block or throw; a task that goes back tells again.</param>
/// <param name="LookAhead">Null: whoever prices a request asks for its coupons then.</param>
public sealed record RedemptionTopologyOptions(
    GatherTimes Gather, long EntityCacheBytes = 64L << 20, long InFlightCacheBytes = 16L << 20, Action<FeedbackType, EventTime>? Counted = null, ICampaignLookAhead? LookAhead = null)
{
    internal const long CacheBytesMin = 64 << 10;

    public static readonly RedemptionTopologyOptions Default = new(GatherTimes.Default);
}
