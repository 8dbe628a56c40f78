using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Domain.Campaigns;

/// <summary>Prices carts against a campaign snapshot. Pure: the same request, snapshot and time give the same answer. Limits and balances are the ledger's.</summary>
/// <remarks>
/// How a benefit is named: a coupon by its code; a public campaign, which hands out no codes, by <c>{type: coupon, code: campaign id}</c>, letter case ignored. A
/// coupon of that code comes first. Discounts are rounded once per redeemable and divided over lines by largest remainder; shipping is never discounted.
/// A line that a campaign excludes gets no discount from it, not even one off the whole order.
/// </remarks>
public static partial class PromotionEngine
{
    /// <summary>What one point pays. Unit: minor units of the order's currency.</summary>
    public const long PointsRate = 1;

    /// <summary>Prices all of the request's redeemables together: all or nothing, so any refusal refuses the redemption.</summary>
    /// <remarks>Coupons on disjoint lines apply together. Of two whose lines overlap the later in the request is refused, whatever the customer's arms are:
    /// arms are looked at last, so that a trigger never depends on an arm.</remarks>
    /// <param name="at">The request's event time.</param>
    /// <exception cref="OverflowException">The cart's sum is no Int64. Intake bounds it.</exception>
    /// <exception cref="ArgumentException">A balance's amount is not positive or a coupon has no code. Intake refuses both.</exception>
    public static PricedCart Price(RedemptionRequest request, ICampaignSnapshot snapshot, EventTime at)
    {
        var cart = request.Cart;
        var redeemables = request.Redeemables;
        var priced = new PricedRedeemable[redeemables.Count];
        var lineDiscounts = new List<LineDiscount>(cart.Lines.Count);
        var taken = new bool[cart.Lines.Count];
        long discount = 0;
        for (var i = 0; i < redeemables.Count; i++)
        {
            if (redeemables[i].Type is not RedeemableType.Coupon) continue;
            priced[i] = IsRepeated(redeemables, i)
                ? Refuse(redeemables[i], RefusalCode.DuplicateRedeemable)
                : PriceCoupon(redeemables[i], request, snapshot, at, taken, lineDiscounts);
            discount = checked(discount + priced[i].Discount);
        }

        var subtotal = cart.Subtotal;
        var total = checked(subtotal + cart.Shipping - discount);
        var due = total;
        for (var i = 0; i < redeemables.Count; i++)
        {
            if (redeemables[i].Type is RedeemableType.Coupon) continue;
            priced[i] = IsRepeated(redeemables, i) ? Refuse(redeemables[i], RefusalCode.DuplicateRedeemable) : PriceTender(redeemables[i], ref due);
        }

        return new(FirstRefusal(priced), priced, lineDiscounts, subtotal, discount, total, due);
    }

    /// <summary>The arms that this priced request triggered: to be logged with its decision. Empty where no campaign in it has a control group.</summary>
    public static IReadOnlyList<ArmAssignment> ArmsOf(PricedCart priced, string customerId, EventTime at)
    {
        List<ArmAssignment>? arms = null;
        foreach (var one in priced.Redeemables)
            if (one.Arm is not Arm.None && !Has(arms, one.CampaignId!))
                (arms ??= []).Add(new(one.CampaignId!, one.CampaignVersion, customerId, one.Arm, one.WithheldForControl, at));
        return arms is null ? [] : arms;

        static bool Has(List<ArmAssignment>? arms, string campaignId) => arms is not null && arms.Exists(arm => arm.CampaignId == campaignId);
    }

    private static PricedRedeemable PriceCoupon(
        Redeemable redeemable, RedemptionRequest request, ICampaignSnapshot snapshot, EventTime at, bool[] taken, List<LineDiscount> lineDiscounts)
    {
        var code = redeemable.Code ?? throw new ArgumentException($"A coupon of {request.Id} has no code.", nameof(redeemable));
        var coupon = snapshot.FindCoupon(code);
        var campaign = coupon is null ? snapshot.FindPublic(code) : snapshot.FindCampaign(coupon.CampaignId);
        if (campaign is null)
        {
            LookUpArm(snapshot, code, request.Customer.Id);
            return Refuse(redeemable, RefusalCode.NotAvailable) with { Coupon = coupon, UnknownCode = coupon is null };
        }

        var of = new PricedRedeemable(redeemable, campaign.Id, campaign.Version, coupon, RefusalCode.None, 0, 0, Arm.None, false, false);
        var appraisal = Appraisal.Of(campaign, request.Channel, request.Cart, at);
        if ((coupon is not null && !IsFor(coupon, campaign, request.Customer.Id)) || appraisal.Refusal is RefusalCode.ChannelNotAllowed)
        {
            LookUpArm(snapshot, campaign.Id, request.Customer.Id);
            return of with { Refusal = appraisal.Refusal is RefusalCode.ChannelNotAllowed ? RefusalCode.ChannelNotAllowed : RefusalCode.NotAvailable };
        }
        if (coupon is { Revoked: true }) return of with { Refusal = RefusalCode.CouponRevoked };

        if (appraisal.Refusal is not RefusalCode.None) return of with { Refusal = appraisal.Refusal };
        if (Array.Exists(appraisal.Lines, line => taken[line])) return of with { Refusal = RefusalCode.NotCombinable };
        foreach (var line in appraisal.Lines) taken[line] = true;

        var arm = ControlGroup.ArmOf(campaign, request.Customer.Id, snapshot);
        if (arm is Arm.Control) return of with { Refusal = RefusalCode.NotAvailable, Arm = arm, WithheldForControl = true };
        appraisal.AddLineDiscounts(request.Cart, code, campaign.Id, lineDiscounts);
        return of with { Discount = appraisal.Discount, Arm = arm };
    }

    /// <summary>What a coupon withheld for control costs, spent where the answer is the same "not available": the time must not tell which codes exist.</summary>
    private static void LookUpArm(ICampaignSnapshot snapshot, string campaignId, string customerId) => _ = snapshot.FindArm(campaignId, customerId);

    /// <summary>Balances pay what is left; they are tender and never make a discount.</summary>
    private static PricedRedeemable PriceTender(Redeemable redeemable, ref long due)
    {
        if (redeemable.Amount <= 0) throw new ArgumentException($"A {redeemable.Type} of {redeemable.Amount} was let in.", nameof(redeemable));
        var pays = redeemable.Type is RedeemableType.Points ? (Int128)redeemable.Amount * PointsRate : redeemable.Amount;
        if (pays > due) return Refuse(redeemable, RefusalCode.AmountExceedsOrder);
        due -= (long)pays;
        return Refuse(redeemable, RefusalCode.None) with { Tender = redeemable.Amount };
    }

    /// <summary>A coupon of a private campaign is nobody's until it is assigned.</summary>
    private static bool IsFor(Coupon coupon, Campaign campaign, string customerId) =>
        coupon.CustomerId is null ? campaign.Distribution is not Distribution.Private : coupon.CustomerId == customerId;

    /// <summary>The same code, or the same kind of balance, earlier in the request.</summary>
    private static bool IsRepeated(IReadOnlyList<Redeemable> redeemables, int index)
    {
        for (var i = 0; i < index; i++)
            if (redeemables[i].Type == redeemables[index].Type && redeemables[i].Code == redeemables[index].Code) return true;
        return false;
    }

    private static RefusalCode FirstRefusal(PricedRedeemable[] priced)
    {
        foreach (var one in priced)
            if (one.Refusal is not RefusalCode.None) return one.Refusal;
        return RefusalCode.None;
    }

    private static PricedRedeemable Refuse(Redeemable redeemable, RefusalCode refusal) => new(redeemable, null, 0, null, refusal, 0, 0, Arm.None, false, false);
}
