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
/// Only observe has state. Gather and decide lead to the decision alone, so a replay, which recomputes state and has no effects, goes without them.
/// </remarks>
public static class RedemptionTopology
{
    public const string Entities = "entities";
    public const string EntityRecordsTopic = "entity-records";
    public const string PartsTopic = "redemption-parts";

    /// <summary>Never another store's in this topology.</summary>
    private const byte EntitiesId = 1;

    /// <summary>Of everything that gives stored feature state its meaning: the vector's layout and the state's own form.</summary>
    public static ulong LayoutHash => FeatureRegistry.LayoutHash ^ ((ulong)EntityState.StateFormat << 56);

    /// <param name="decider">Makes one per partition, for its own thread.</param>
    /// <param name="inputs">Model, policy and campaigns of this moment.</param>
    /// <param name="cacheBytes">Memory for entities, per partition. Unit: bytes.</param>
    public static Topology Build(Func<Decider> decider, Func<DecisionInputs> inputs, long cacheBytes = StoreDefinition.CacheBytesDefault)
    {
        var builder = new TopologyBuilder();
        var requests = builder.Source("requests", Topics.Requests, new ObservedRequestDecoder(), static observed => observed.Request.Customer.Id);
        var announced = builder.Processor("announce", static () => new Announce(), requests);
        var observations = builder.Processor("to-entities", static () => new ToEntities(), requests);
        var feedback = builder.Processor("feedback-to-entities", static () => new FeedbackToEntities(), Feedback(builder));

        var byEntity = builder.Repartition("by-entity", EntityRecordsTopic, new EntityKeyCodec(), new EntityRecordCodec(), observations, feedback);
        var parts = builder.Processor("observe", static () => new Observe(), byEntity);
        builder.Store(new StoreDefinition<EntityKey, EntityState>(Entities, EntitiesId, new EntitySerde(), cacheBytes), "observe");

        var byCustomer = builder.Repartition("by-customer", PartsTopic, new TextCodec(), new GatherRecordCodec(), announced, parts);
        var gathered = builder.Processor("gather", static () => new Gather(), byCustomer);
        var decided = builder.Processor("decide", () => new Decide(decider(), inputs), gathered);
        return builder.Sink("decisions", Topics.Decisions, new DecisionProposalCodec(), decided).Build();
    }

    private static Node<EntityKey, EntityFeedback>[] Feedback(TopologyBuilder builder) =>
    [
        builder.Source(Topics.Outcomes, Topics.Outcomes, new FeedbackDecoder(EntityFeedback.OfOutcome), static feedback => feedback.Customer),
        builder.Source(Topics.Labels, Topics.Labels, new FeedbackDecoder(static bytes => EntityFeedback.Of(RecordCodec.DecodeLabel(bytes))), static feedback => feedback.Customer),
        builder.Source(Topics.Orders, Topics.Orders, new FeedbackDecoder(static bytes => EntityFeedback.Of(RecordCodec.DecodeOrder(bytes))), static feedback => feedback.Customer),
        builder.Source(Topics.Returns, Topics.Returns, new FeedbackDecoder(static bytes => EntityFeedback.Of(RecordCodec.DecodeReturn(bytes))), static feedback => feedback.Customer),
    ];
}
