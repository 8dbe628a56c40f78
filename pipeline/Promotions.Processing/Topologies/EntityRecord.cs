using Promotions.Domain.Events;
using Promotions.Features;

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
    public static EntityFeedback Of(RedemptionOutcome outcome) => Of(outcome.Entities, Feedback.From(outcome), outcome.Status is RedemptionStatus.Blocked or RedemptionStatus.Rejected);

    /// <summary>For every entity that the judged attempt named.</summary>
    public static EntityFeedback Of(LabelRecorded label) => Of(label.Entities, Feedback.From(label), counts: true);

    /// <summary>Orders and returns are the customer's alone.</summary>
    public static EntityFeedback Of(OrderPlaced order) => OfCustomer(order.Customer.Id, Feedback.From(order));
    public static EntityFeedback Of(OrderReturned returned) => OfCustomer(returned.CustomerId, Feedback.From(returned));

    private static EntityFeedback OfCustomer(string id, in Feedback feedback)
    {
        var key = EntityKey.Of(EntityKind.Customer, id);
        return new(key, feedback, [key]);
    }

    private static EntityFeedback Of(AttemptEntities entities, in Feedback feedback, bool counts)
    {
        if (!counts) return new(EntityKey.Of(EntityKind.Customer, entities.Customer), feedback, []);
        var keys = new List<EntityKey>(8);
        Entities.Keys(entities, keys);
        return new(keys[0], feedback, keys);
    }
}
