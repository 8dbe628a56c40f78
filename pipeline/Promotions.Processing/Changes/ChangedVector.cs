using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;

namespace Promotions.Processing.Changes;

/// <summary>The vector that a changed request would have had at the moment of the recorded one: from a lowest to a highest value per feature, equal wherever the record says it exactly.</summary>
/// <remarks>
/// What leaving things out changes: the request's own features, computed anew; sums of carts, which lose the difference; the codes that customer, device and ip tried, which lose those
/// left out unless they were tried before; and what the codes themselves count, which is gone with the last code. Of several codes the record keeps the more telling value and not whose it
/// is, so what remains of it is bounded only. Nothing else looks at lines, balances or codes.
/// </remarks>
internal sealed class ChangedVector
{
    private static readonly FeatureDefinition[] Changing = [.. FeatureRegistry.Features.Where(feature =>
        feature.Entity is EntityKind.Coupon || IsCartSum(feature) || CountsCodes(feature))];

    private readonly ReadOnlyMemory<float> _recorded;
    private readonly AttemptEntities _entities;
    private readonly uint _lateMask;
    private readonly long _subtotal;
    private readonly bool _isNewId;

    public ChangedVector(DecisionProposal proposal)
    {
        (_recorded, _entities, _lateMask) = (proposal.Risk.Vector, proposal.Entities, proposal.Risk.LateMask);
        _subtotal = Math.Min(proposal.Priced.Subtotal, Windows.AmountMax);
        // An id counts once within grace: after a validation under the same id, what is counted is the validation. Silence before it excludes that.
        var sinceLast = _recorded.Span[FeatureRegistry.IndexOf("customer_since_last")];
        _isNewId = !IsLate(EntityKind.Customer) && !(sinceLast <= Windows.Grace);
        (Low, High) = (new float[FeatureRegistry.Count], new float[FeatureRegistry.Count]);
    }

    public float[] Low { get; }
    public float[] High { get; }

    /// <summary>Low and high are the same vector.</summary>
    public bool IsExact => Low.AsSpan().SequenceEqual(High);

    /// <summary>Sets both ends for what is left of the request.</summary>
    /// <param name="codes">Codes that are left, each once.</param>
    /// <param name="subtotal">Of the lines that are left, minor units.</param>
    /// <param name="own">The request's own features, computed from what is left.</param>
    /// <returns>False where no end can be given.</returns>
    public bool TrySet(int codes, long subtotal, ReadOnlySpan<float> own)
    {
        var recorded = _recorded.Span;
        recorded.CopyTo(Low);
        recorded.CopyTo(High);
        own.CopyTo(FeatureVector.Part(Low, EntityKind.None));
        own.CopyTo(FeatureVector.Part(High, EntityKind.None));

        var left = _subtotal - Math.Min(subtotal, Windows.AmountMax);
        var dropped = _entities.Codes.Count - codes;
        if (dropped > 0 && codes > 0 && IsLate(EntityKind.Coupon)) return false;    // whose part was late is not in the record
        foreach (var feature in Changing)
        {
            var value = recorded[feature.Index];
            if (float.IsNaN(value)) continue;                                      // absent, or late: as recorded
            (Low[feature.Index], High[feature.Index]) = feature.Entity is EntityKind.Coupon ? OfCodes(feature, value, dropped, codes)
                : CountsCodes(feature) ? TriedCodes(feature, value, dropped, codes)
                : CartSum(value, left);
        }

        return true;
    }

    /// <summary>Whether leaving out lines, or codes, could move the feature.</summary>
    public static bool CanMove(FeatureDefinition feature, bool lines, bool codes, bool balances) => feature.Entity is EntityKind.None
        ? feature.Name switch
        {
            "request_subtotal" or "request_lines" or "request_quantity" => lines,
            "request_discount" or "request_discount_share" => lines || codes,
            "request_tender_share" => lines || codes || balances,
            "request_redeemables" => codes || balances,
            _ => false,
        }
        : IsCartSum(feature) ? lines : (feature.Entity is EntityKind.Coupon || CountsCodes(feature)) && codes;

    private static bool IsCartSum(FeatureDefinition feature) => feature.Measure is Measure.Sum && feature.Source == (byte)SeriesKind.Attempts;

    private static bool CountsCodes(FeatureDefinition feature) => feature.Measure is Measure.Distinct && feature.Source == (byte)OtherKind.Codes;

    /// <summary>A sum was rounded to a float: beyond 2^24 minor units it may have been half a step more or less.</summary>
    private (float Low, float High) CartSum(float value, long left)
    {
        if (left == 0) return (value, value);
        double below = 0, above = 0;
        if (value > 1 << 24) (below, above) = ((value - (double)MathF.BitDecrement(value)) / 2, (MathF.BitIncrement(value) - (double)value) / 2);
        var low = (float)(value - below - left);
        return (low, _isNewId ? (float)(value + above - left) : (float)(value + above));
    }

    private (float Low, float High) TriedCodes(FeatureDefinition feature, float value, int dropped, int codes)
    {
        if (dropped == 0) return (value, value);
        var low = Math.Max(value - dropped, codes);
        return (low, IsFirstAttempt(feature) ? low : value);
    }

    /// <summary>The entity saw nothing else in a window at least as long, so nothing that is left out was tried before.</summary>
    private bool IsFirstAttempt(FeatureDefinition feature)
    {
        if (!_isNewId) return false;
        foreach (var other in FeatureRegistry.Features)
            if (other.Entity == feature.Entity && other.Measure is Measure.Count && other.Source == (byte)SeriesKind.Attempts && other.Window >= feature.Window && _recorded.Span[other.Index] == 1) return true;
        return false;
    }

    private static (float Low, float High) OfCodes(FeatureDefinition feature, float value, int dropped, int codes)
    {
        if (codes == 0) return (float.NaN, float.NaN);
        if (dropped == 0) return (value, value);
        if (feature.Combine is Combine.Smallest) return (value, float.MaxValue);
        // Each code left counts at least this attempt and its customer.
        return (feature is { Measure: Measure.Count, Source: (byte)SeriesKind.Attempts } or { Measure: Measure.Distinct, Source: (byte)OtherKind.Accounts } ? 1 : 0, value);
    }

    private bool IsLate(EntityKind kind) => (_lateMask & (1u << (int)kind)) != 0;
}
