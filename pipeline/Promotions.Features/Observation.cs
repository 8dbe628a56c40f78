using Promotions.Domain;
using Promotions.Domain.Events;

namespace Promotions.Features;

/// <summary>The hashes of an attempt's codes; one without a list in the usual case.</summary>
public readonly struct CodeHashes
{
    private readonly ulong _first;
    private readonly ulong[]? _others;

    public CodeHashes(IReadOnlyList<string> codes)
    {
        if (codes.Count == 0) return;
        _first = EntityKey.OtherOf(codes[0]);
        if (codes.Count == 1) return;
        _others = new ulong[codes.Count - 1];
        for (var i = 1; i < codes.Count; i++) _others[i - 1] = EntityKey.OtherOf(codes[i]);
    }

    public CodeHashes(ReadOnlySpan<ulong> hashes)
    {
        if (hashes.IsEmpty) return;
        _first = hashes[0];
        if (hashes.Length > 1) _others = hashes[1..].ToArray();
    }

    public int Count => _first == 0 ? 0 : 1 + (_others?.Length ?? 0);
    public ulong this[int index] => index == 0 ? _first : _others![index - 1];
}

/// <summary>What the entities of one attempt learn of it: made once per request, given to the state of each entity it names.</summary>
/// <param name="At">Event time.</param>
/// <param name="RequestKey">Hash of the request's id: an entity counts an id once within grace.</param>
/// <param name="Amount">Cart subtotal, minor units; <see cref="Windows.AmountMax"/> at most, larger counts as that.</param>
/// <param name="Customer">Hash of the name as by <see cref="EntityKey.OtherOf"/>, like the next two; 0 when absent.</param>
public readonly record struct Observation(EventTime At, ulong RequestKey, long Amount, ulong Customer, ulong Device, ulong Ip, CodeHashes Codes)
{
    public static Observation From(RedemptionRequest request, AttemptEntities entities) => new(
        request.At, EntityKey.OtherOf(request.Id), request.Cart.Subtotal,
        EntityKey.OtherOf(entities.Customer), EntityKey.OtherOf(entities.Device), EntityKey.OtherOf(entities.Ip), new CodeHashes(entities.Codes));
}

public enum FeedbackType : byte { None = 0, Outcome = 1, Label = 2, Order = 3, Return = 4 }

/// <summary>What became of an attempt, later: it counts from its own position in the log on, in the windows that hold its event time.</summary>
/// <remarks>The log holds each feedback once, so state does not look for duplicates of it.</remarks>
/// <param name="At">An outcome's is its request's; a label's, order's or return's is its own arrival.</param>
/// <param name="Refused">Outcome: blocked or rejected.</param>
/// <param name="InvalidCode">Outcome: a code of the request named no coupon.</param>
/// <param name="Abuse">Label: abuse, or its confirmed absence.</param>
/// <param name="Amount">Order: paid; return: given back. Minor units.</param>
/// <param name="Codes">Outcome: the request's codes.</param>
public readonly record struct Feedback(FeedbackType Type, EventTime At, bool Refused, bool InvalidCode, bool Abuse, long Amount, CodeHashes Codes)
{
    public static Feedback From(RedemptionOutcome outcome) => new(
        FeedbackType.Outcome, outcome.At, outcome.Status is RedemptionStatus.Blocked or RedemptionStatus.Rejected, outcome.InvalidCode, false, 0, new CodeHashes(outcome.Entities.Codes));

    /// <summary>For every entity that the judged attempt named.</summary>
    public static Feedback From(LabelRecorded label) => new(FeedbackType.Label, label.At, false, false, label.Abuse, 0, default);

    /// <summary>For the customer only.</summary>
    public static Feedback From(OrderPlaced order) => new(FeedbackType.Order, order.At, false, false, false, order.Total, default);

    /// <summary>For the customer only.</summary>
    public static Feedback From(OrderReturned returned) => new(FeedbackType.Return, returned.At, false, false, false, returned.Amount, default);
}
