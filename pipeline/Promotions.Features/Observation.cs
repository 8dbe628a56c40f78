using Promotions.Domain;
using Promotions.Domain.Events;

namespace Promotions.Features;

/// <summary>The hashes of an attempt's codes, none of them 0; up to four without an array.</summary>
public readonly struct CodeHashes
{
    private const int InPlace = 4;
    private readonly ulong _first, _second, _third, _fourth;
    private readonly ulong[]? _others;

    public CodeHashes(IReadOnlyList<string> codes)
    {
        Count = codes.Count;
        if (Count > 0) _first = EntityKey.OtherOf(codes[0]);
        if (Count > 1) _second = EntityKey.OtherOf(codes[1]);
        if (Count > 2) _third = EntityKey.OtherOf(codes[2]);
        if (Count > 3) _fourth = EntityKey.OtherOf(codes[3]);
        if (Count <= InPlace) return;
        _others = new ulong[Count - InPlace];
        for (var i = InPlace; i < Count; i++) _others[i - InPlace] = EntityKey.OtherOf(codes[i]);
    }

    public CodeHashes(ReadOnlySpan<ulong> hashes)
    {
        Count = hashes.Length;
        if (Count > 0) _first = hashes[0];
        if (Count > 1) _second = hashes[1];
        if (Count > 2) _third = hashes[2];
        if (Count > 3) _fourth = hashes[3];
        if (Count > InPlace) _others = hashes[InPlace..].ToArray();
    }

    /// <summary>Of the keys of one attempt that are coupons'.</summary>
    public CodeHashes(ReadOnlySpan<EntityKey> keys)
    {
        Span<ulong> hashes = stackalloc ulong[keys.Length <= 64 ? keys.Length : 0];
        if (hashes.Length < keys.Length) hashes = new ulong[keys.Length];
        var count = 0;
        foreach (ref readonly var key in keys)
            if (key.Kind == EntityKind.Coupon) hashes[count++] = key.Other;
        this = new(hashes[..count]);
    }

    public int Count { get; }

    public ulong this[int index] => index switch { 0 => _first, 1 => _second, 2 => _third, 3 => _fourth, _ => _others![index - InPlace] };
}

/// <summary>What the entities of one attempt learn of it: made once per request, given to the state of each entity it names.</summary>
/// <param name="At">Event time.</param>
/// <param name="RequestKey">Hash of the request's id: an entity counts an id once within grace.</param>
/// <param name="Amount">Cart subtotal, minor units; <see cref="Windows.AmountMax"/> at most, larger counts as that.</param>
/// <param name="Customer">Hash of the name as by <see cref="EntityKey.OtherOf"/>, like the next two; 0 when absent.</param>
/// <param name="Place">Country of the ip, for whoever keeps where it was.</param>
public readonly record struct Observation(EventTime At, ulong RequestKey, long Amount, ulong Customer, ulong Device, ulong Ip, CodeHashes Codes, Country Place = default)
{
    public static Observation From(RedemptionRequest request, AttemptEntities entities) => new(
        request.At, EntityKey.OtherOf(request.Id), request.Cart.Subtotal,
        EntityKey.OtherOf(entities.Customer), EntityKey.OtherOf(entities.Device), EntityKey.OtherOf(entities.Ip), new CodeHashes(entities.Codes), request.Origin.Ip);

    /// <summary>The same from keys in hand: no name but the request's id is hashed again.</summary>
    /// <param name="keys">All of the attempt, as <see cref="Entities.Keys(AttemptEntities, Span{EntityKey})"/> gives them.</param>
    public static Observation From(RedemptionRequest request, ReadOnlySpan<EntityKey> keys)
    {
        ulong customer = 0, device = 0, ip = 0;
        foreach (ref readonly var key in keys)
        {
            if (key.Kind == EntityKind.Customer) customer = key.Other;
            else if (key.Kind == EntityKind.Device) device = key.Other;
            else if (key.Kind == EntityKind.Ip) ip = key.Other;
        }
        return new(request.At, EntityKey.OtherOf(request.Id), request.Cart.Subtotal, customer, device, ip, new CodeHashes(keys), request.Origin.Ip);
    }
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
