using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Domain.Campaigns;

/// <summary>What is left of a campaign's limits for one customer. Null: no limit. Discounts in minor units.</summary>
public sealed record LimitsLeft(long? CampaignUses, long? BudgetMinorUnits, long? CustomerUses, long? CouponUses)
{
    public static readonly LimitsLeft Unlimited = new(null, null, null, null);
}

/// <summary>Asks the ledger, which alone counts uses and budgets.</summary>
/// <param name="code">The coupon's, or null for a public campaign.</param>
public delegate LimitsLeft FindLimitsLeft(string campaignId, string? code, string customerId);

/// <summary>Something that this customer can use on this cart.</summary>
/// <param name="Coupon">Null for a public campaign, which is redeemed by its id.</param>
/// <param name="Discount">Minor units off the cart.</param>
/// <param name="Total">Subtotal + shipping − discount, used alone.</param>
public sealed record Offer(Campaign Campaign, Coupon? Coupon, Arm Arm, long Discount, long Total, LimitsLeft Left);

/// <summary>A little more in the cart and it applies.</summary>
/// <param name="Missing">Minor units of matching lines still to spend, at least 1.</param>
public sealed record Shortfall(Campaign Campaign, Coupon? Coupon, long Missing);

/// <summary>A coupon of the customer that does not apply, and why.</summary>
public sealed record UnusableCoupon(Campaign Campaign, Coupon Coupon, RefusalCode Refusal);

/// <param name="Offers">Greatest discount first; ties by campaign id, then code.</param>
/// <param name="Shortfalls">Least missing first. Never for the control arm.</param>
/// <param name="Unusable">By code. Never for the control arm.</param>
/// <param name="Arms">What this trigger assigns, ghost offers marked: to be logged before the answer, and never shown.</param>
public sealed record OfferList(IReadOnlyList<Offer> Offers, IReadOnlyList<Shortfall> Shortfalls, IReadOnlyList<UnusableCoupon> Unusable, IReadOnlyList<ArmAssignment> Arms);

public static partial class PromotionEngine
{
    /// <summary>Everything that the customer could use on this cart, each alone: the active public campaigns and the customer's own coupons.</summary>
    /// <remarks>Truthful: every limit counts. A control customer gets neither offer, shortfall nor reason; what would have been an offer is a ghost offer in
    /// <see cref="OfferList.Arms"/>. A shortfall is no trigger, so it assigns no arm, but the arm to come already hides it.</remarks>
    public static OfferList Qualify(string channel, string customerId, Cart cart, ICampaignSnapshot snapshot, EventTime at, FindLimitsLeft limitsLeft)
    {
        var found = new Candidates(channel, customerId, cart, snapshot, at, limitsLeft);
        foreach (var campaign in snapshot.PublicCampaigns)
            if (campaign.Distribution is Distribution.Public) found.Add(campaign, null);
        foreach (var coupon in snapshot.CouponsOf(customerId))
            if (snapshot.FindCampaign(coupon.CampaignId) is { } campaign) found.Add(campaign, coupon);
        return found.ToList();
    }

    private static RefusalCode LimitRefusal(LimitsLeft left, long discount)
    {
        if (left.CouponUses <= 0) return RefusalCode.CouponUsesExhausted;
        if (left.CampaignUses <= 0) return RefusalCode.CampaignUsesExhausted;
        if (left.CustomerUses <= 0) return RefusalCode.CustomerUsesExhausted;
        return left.BudgetMinorUnits < discount ? RefusalCode.BudgetExhausted : RefusalCode.None;
    }

    private sealed class Candidates(string channel, string customerId, Cart cart, ICampaignSnapshot snapshot, EventTime at, FindLimitsLeft limitsLeft)
    {
        private readonly List<Offer> _offers = [];
        private readonly List<Shortfall> _shortfalls = [];
        private readonly List<UnusableCoupon> _unusable = [];
        private readonly Dictionary<string, ArmAssignment> _arms = new(StringComparer.Ordinal);
        private readonly long _before = checked(cart.Subtotal + cart.Shipping);

        public void Add(Campaign campaign, Coupon? coupon)
        {
            var appraisal = coupon is { Revoked: true } ? Appraisal.Refused(RefusalCode.CouponRevoked) : Appraisal.Of(campaign, channel, cart, at);
            var left = LimitsLeft.Unlimited;
            var refusal = appraisal.Refusal;
            if (refusal is RefusalCode.None)
            {
                left = limitsLeft(campaign.Id, coupon?.Code, customerId);
                refusal = LimitRefusal(left, appraisal.Discount);
            }

            var arm = ControlGroup.ArmOf(campaign, customerId, snapshot);
            if (refusal is RefusalCode.None && arm is not Arm.None)
                _arms.TryAdd(campaign.Id, new(campaign.Id, campaign.Version, customerId, arm, GhostOffer: arm is Arm.Control, at));
            if (arm is Arm.Control) return;

            if (refusal is RefusalCode.None) _offers.Add(new(campaign, coupon, arm, appraisal.Discount, _before - appraisal.Discount, left));
            else if (refusal is RefusalCode.SpendBelowMinimum) _shortfalls.Add(new(campaign, coupon, campaign.Conditions.SpendMin!.Value - appraisal.Counted));
            else if (coupon is not null) _unusable.Add(new(campaign, coupon, refusal));
        }

        public OfferList ToList()
        {
            _offers.Sort(static (one, other) =>
                one.Discount != other.Discount ? other.Discount.CompareTo(one.Discount) : Compare(one.Campaign, one.Coupon, other.Campaign, other.Coupon));
            _shortfalls.Sort(static (one, other) =>
                one.Missing != other.Missing ? one.Missing.CompareTo(other.Missing) : Compare(one.Campaign, one.Coupon, other.Campaign, other.Coupon));
            _unusable.Sort(static (one, other) => string.CompareOrdinal(one.Coupon.Code, other.Coupon.Code));
            return new(_offers, _shortfalls, _unusable, [.. _arms.Values.OrderBy(arm => arm.CampaignId, StringComparer.Ordinal)]);
        }

        private static int Compare(Campaign one, Coupon? oneCoupon, Campaign other, Coupon? otherCoupon) =>
            string.CompareOrdinal(one.Id, other.Id) is not 0 and var byId ? byId : string.CompareOrdinal(oneCoupon?.Code, otherCoupon?.Code);
    }
}
