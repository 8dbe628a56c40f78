using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Records;

namespace Promotions.Processing.Topologies;

/// <summary>What one entity is told: of an attempt, or of what became of one.</summary>
/// <param name="Customer">Where an attempt's part is gathered; empty for feedback.</param>
/// <param name="RequestId">The attempt that the part belongs to; empty for feedback.</param>
public readonly record struct EntityRecord(string Customer, string RequestId, Observation Observation, Feedback Feedback)
{
    public bool IsFeedback => Feedback.Type is not FeedbackType.None;

    public static EntityRecord Of(RedemptionRequest request, in Observation observation) => new(request.Customer.Id, request.Id, observation, default);
    public static EntityRecord Of(in Feedback feedback) => new("", "", default, feedback);
}

/// <summary>What became of an attempt, and which entities it tells.</summary>
/// <param name="Customer">By whom the topic is partitioned.</param>
/// <param name="Keys">Empty where it changes nothing: most outcomes are approvals, and no feature counts those.</param>
public sealed record EntityFeedback(EntityKey Customer, Feedback Feedback, IReadOnlyList<EntityKey> Keys)
{
    /// <summary>Whoever it is about, it changes nothing.</summary>
    public static readonly EntityFeedback Nothing = new(default, default, []);

    /// <summary>From an outcome's bytes, which are read no further than to "approved": that is what most of them say, and no feature counts it.</summary>
    public static EntityFeedback OfOutcome(ReadOnlySpan<byte> bytes)
    {
        if (RecordCodec.StatusOfOutcome(bytes) is not (RedemptionStatus.Blocked or RedemptionStatus.Rejected)) return Nothing;
        var outcome = RecordCodec.DecodeOutcome(bytes);
        return Of(outcome.Entities, Feedback.From(outcome));
    }

    /// <summary>For every entity that the judged attempt named.</summary>
    public static EntityFeedback Of(LabelRecorded label) => Of(label.Entities, Feedback.From(label));

    /// <summary>Orders and returns are the customer's alone.</summary>
    public static EntityFeedback Of(OrderPlaced order) => OfCustomer(order.Customer.Id, Feedback.From(order));
    public static EntityFeedback Of(OrderReturned returned) => OfCustomer(returned.CustomerId, Feedback.From(returned));

    private static EntityFeedback OfCustomer(string id, in Feedback feedback)
    {
        var key = EntityKey.Of(EntityKind.Customer, id);
        return new(key, feedback, [key]);
    }

    private static EntityFeedback Of(AttemptEntities entities, in Feedback feedback)
    {
        var keys = new List<EntityKey>(8);
        Entities.Keys(entities, keys);
        return new(keys[0], feedback, keys);
    }
}
