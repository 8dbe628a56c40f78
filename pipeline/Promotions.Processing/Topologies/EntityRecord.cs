using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Records;

namespace Promotions.Processing.Topologies;

/// <summary>What one entity is told: of an attempt, or of what became of one.</summary>
/// <param name="Customer">Where an attempt's part is gathered; empty for feedback.</param>
/// <param name="RequestId">The attempt that the part belongs to; empty for feedback.</param>
/// <param name="Part">Which of the attempt's entities this is, in the vector's order from 0.</param>
/// <param name="FeedbackKey">Of feedback: stands for its id.</param>
public readonly record struct EntityRecord(string Customer, string RequestId, byte Part, Observation Observation, Feedback Feedback, ulong FeedbackKey)
{
    public bool IsFeedback => Feedback.Type is not FeedbackType.None;

    public static EntityRecord Of(RedemptionRequest request, in Observation observation) => new(request.Customer.Id, request.Id, 0, observation, default, 0);
    public static EntityRecord Of(EntityFeedback feedback) => new("", "", 0, default, feedback.Feedback, feedback.Key);
}

/// <summary>What became of an attempt, and which entities it tells.</summary>
/// <param name="Customer">By whom the topic is partitioned.</param>
/// <param name="Key">Stands for the id of what became known: the same id of the same type is the same fact.</param>
/// <param name="Keys">Empty where it changes nothing: most outcomes are approvals, and no feature counts those.</param>
public sealed record EntityFeedback(EntityKey Customer, Feedback Feedback, ulong Key, IReadOnlyList<EntityKey> Keys)
{
    /// <summary>Whoever it is about, it changes nothing.</summary>
    public static readonly EntityFeedback Nothing = new(default, default, 0, []);

    /// <summary>From an outcome's bytes, which are read no further than to "approved": that is what most of them say, and no feature counts it.</summary>
    public static EntityFeedback OfOutcome(ReadOnlySpan<byte> bytes)
    {
        if (!FeedbackRecord.IsCounted(RecordCodec.StatusOfOutcome(bytes))) return Nothing;
        var outcome = RecordCodec.DecodeOutcome(bytes);
        return Of(outcome.Entities, Feedback.From(outcome), outcome.RedemptionId);
    }

    /// <summary>For every entity that the judged attempt named.</summary>
    public static EntityFeedback Of(LabelRecorded label) => Of(label.Entities, Feedback.From(label), label.Id);

    /// <summary>Orders and returns are the customer's alone.</summary>
    public static EntityFeedback Of(OrderPlaced order) => OfCustomer(order.Customer.Id, Feedback.From(order), order.Id);
    public static EntityFeedback Of(OrderReturned returned) => OfCustomer(returned.CustomerId, Feedback.From(returned), returned.Id);

    private static EntityFeedback OfCustomer(string customer, in Feedback feedback, string id)
    {
        var key = EntityKey.Of(EntityKind.Customer, customer);
        return new(key, feedback, EntityKey.OtherOf(id), [key]);
    }

    private static EntityFeedback Of(AttemptEntities entities, in Feedback feedback, string id)
    {
        var keys = new List<EntityKey>(8);
        Entities.Keys(entities, keys);
        return new(keys[0], feedback, EntityKey.OtherOf(id), keys);
    }
}
