using Promotions.Domain.Events;

namespace Promotions.Domain.Campaigns;

/// <summary>Every refusal of a rule or limit, one code each. Stored numbers stay; zero means not refused.</summary>
/// <remarks>The wire name is the member in snake_case. Fraud's verdicts are not here: they are a status.</remarks>
public enum RefusalCode : short
{
    None = 0,
    NotAvailable = 1,            // unknown code, foreign customer's coupon, control arm: one public answer for all
    CampaignNotStarted = 10,
    CampaignEnded = 11,
    CampaignInactive = 12,
    ChannelNotAllowed = 13,      // told to checkout as NotAvailable: elsewhere the campaign does not exist
    CurrencyMismatch = 14,
    SpendBelowMinimum = 15,
    SpendAboveMaximum = 16,
    NoMatchingLines = 17,
    CouponRevoked = 18,
    NotCombinable = 19,
    AmountExceedsOrder = 20,
    DuplicateRedeemable = 21,
    CouponUsesExhausted = 30,    // limits, decided by the ledger
    CampaignUsesExhausted = 31,
    CustomerUsesExhausted = 32,
    BudgetExhausted = 33,
    InsufficientBalance = 34,
    StaleCampaign = 40,          // internal: the request is priced again
    DeadlinePassed = 41,
    VoidedBefore = 42,
    ScorerUnavailable = 43,
    AccountFrozen = 44,          // an admin's, until a set time
    AccountBlocked = 45,         // an admin's, until it is lifted
}

/// <summary>The part of the discount that one coupon gives one line. Minor units.</summary>
public readonly record struct LineDiscount(string Line, string Code, string CampaignId, long Amount);

/// <summary>One redeemable, priced.</summary>
/// <param name="Refusal">None when it applies.</param>
/// <param name="Discount">Minor units off the cart; 0 for balances (tender is not a discount).</param>
/// <param name="Tender">What a balance pays: minor units, or points for points; 0 for coupons.</param>
/// <param name="CampaignVersion">0 when no campaign is behind it.</param>
/// <param name="Arm">The customer's arm where the campaign has a control group and the request triggered it, else None.</param>
/// <param name="WithheldForControl">The only reason it does not apply is the control arm: a ghost offer.</param>
public sealed record PricedRedeemable(
    Redeemable Redeemable, string? CampaignId, int CampaignVersion, Coupon? Coupon, RefusalCode Refusal, long Discount, long Tender, Arm Arm, bool WithheldForControl, bool UnknownCode);

/// <summary>The cart with everything applied that applies. All or nothing: one refusal refuses the redemption.</summary>
/// <param name="Refusal">The first refusal in the request's order, or None.</param>
/// <param name="Total">Subtotal + shipping − discounts, before tender. Minor units, at least 0.</param>
/// <param name="Due">Total − cash, gift, refund and points' value. Minor units.</param>
public sealed record PricedCart(
    RefusalCode Refusal, IReadOnlyList<PricedRedeemable> Redeemables, IReadOnlyList<LineDiscount> LineDiscounts, long Subtotal, long Discount, long Total, long Due);
