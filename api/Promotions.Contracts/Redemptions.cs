using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

/// <summary>Body of <c>POST /v1/redemptions</c>, <c>/v1/validations</c> and <c>/v1/qualifications</c>.</summary>
/// <remarks>Requests have settable members: the generated reader boxes every value of an init-only member.</remarks>
[Description("May this customer use these coupons and balances on this order?")]
public sealed class RedemptionBody
{
    [RegularExpression(Patterns.Id), Description("Made by the caller and kept across retries. Or send it as Idempotency-Key.")]
    public string? Id { get; set; }

    [Required, RegularExpression(Patterns.Id), Description("The store or site where it happens.")]
    public string? Channel { get; set; }

    [Required]
    public CustomerBody? Customer { get; set; }

    [Required]
    public OrderBody? Order { get; set; }

    [MaxLength(Bounds.RedeemablesMax), Description("What to use on the order. All apply, or none.")]
    public RedeemableBody?[]? Redeemables { get; set; }

    public ContextBody? Context { get; set; }

    [DataType(DataType.DateTime), Description("The caller's own clock, UTC; an attribute, at most one minute ahead of ours.")]
    public string? OccurredAt { get; set; }
}

public sealed class CustomerBody
{
    [Required, RegularExpression(Patterns.Id)]
    public string? Id { get; set; }

    [DataType(DataType.DateTime), Description("When the account was made, if known.")]
    public string? RegisteredAt { get; set; }

    [RegularExpression(Patterns.Country), Description("The account's country, two letters of ISO 3166-1.")]
    public string? Country { get; set; }
}

public sealed class OrderBody
{
    [Required, RegularExpression(Patterns.Id)]
    public string? Id { get; set; }

    [Required, RegularExpression("^[A-Z]{3}$"), Description("ISO 4217 code; every amount of the request is in it.")]
    public string? Currency { get; set; }

    [Required, MinLength(1), MaxLength(Bounds.ItemsMax)]
    public ItemBody?[]? Items { get; set; }

    public MoneyBody? Shipping { get; set; }
}

public sealed class ItemBody
{
    [Required, RegularExpression(Patterns.Id), Description("Unique in the order.")]
    public string? Line { get; set; }

    [Required, StringLength(Bounds.NameMax, MinimumLength = 1)]
    public string? Sku { get; set; }

    [StringLength(Bounds.NameMax, MinimumLength = 1)]
    public string? Category { get; set; }

    [Required, Range(1, Bounds.QuantityMax)]
    public int? Quantity { get; set; }

    [Required]
    public MoneyBody? UnitPrice { get; set; }
}

public sealed class RedeemableBody
{
    [Required, AllowedValues("coupon", "points", "cash", "gift", "refund")]
    public string? Type { get; set; }

    [StringLength(Bounds.CodeMax, MinimumLength = 1), Description("For a coupon: the code as typed; case and surrounding blanks do not matter.")]
    public string? Code { get; set; }

    [Description("For a balance: money, or a number of points.")]
    public QuantityBody? Amount { get; set; }
}

[Description("Where the attempt came from. Leave out what is not known.")]
public sealed class ContextBody
{
    [StringLength(Bounds.NameMax, MinimumLength = 1)]
    public string? DeviceId { get; set; }

    [StringLength(45), Description("IPv4 or IPv6 address of the shopper, not of the server.")]
    public string? Ip { get; set; }

    [StringLength(Bounds.UserAgentMax)]
    public string? UserAgent { get; set; }

    [StringLength(Bounds.NameMax, MinimumLength = 1), Description("The payment provider's token; never a card number.")]
    public string? PaymentToken { get; set; }

    [StringLength(Bounds.NameMax, MinimumLength = 1)]
    public string? AddressId { get; set; }

    [StringLength(Bounds.NameMax, MinimumLength = 1)]
    public string? Session { get; set; }

    [RegularExpression(Patterns.Country), Description("Where the order is shipped to, two letters of ISO 3166-1. Part of the request: a retry says the same.")]
    public string? ShippingCountry { get; set; }

    [RegularExpression(Patterns.Country), Description("The ip's country, where the caller knows better (a CDN does). Else it is looked up, once, when the request comes in.")]
    public string? IpCountry { get; set; }

    [Description("Whether the ip belongs to a hosting provider. Left out, it is looked up where a list is given.")]
    public bool? IpHosting { get; set; }

    [Description("Whether the ip is a Tor exit. Left out, it is looked up where a list is given.")]
    public bool? IpTor { get; set; }
}

public sealed class VoidBody
{
    [StringLength(Bounds.NoteMax)]
    public string? Reason { get; set; }
}

/// <summary>The answer to a redemption or validation.</summary>
/// <param name="ReasonCode">Why it is rejected or blocked, in the public words; null when it is approved or in review.</param>
/// <param name="Hold">Null when nothing is held.</param>
public sealed record RedemptionAnswer(
    string Id,
    [property: AllowedValues("approved", "review", "blocked", "rejected")] string Status,
    string? ReasonCode,
    OrderAnswer Order,
    IReadOnlyList<RedeemableAnswer> Redeemables,
    HoldAnswer? Hold,
    RiskAnswer Risk,
    DecisionAnswer? Decision);

public sealed record OrderAnswer(
    string Id, string Currency, MoneyBody Subtotal, MoneyBody Discount, MoneyBody Total, MoneyBody Due, IReadOnlyList<LineAnswer> Lines);

/// <param name="Total">The line's subtotal less its discount.</param>
public sealed record LineAnswer(string Line, MoneyBody Discount, MoneyBody Total);

/// <param name="Status"><c>applied</c>; <c>refused</c>, with its own reason; or <c>not_applied</c>, because another part of the request was refused.</param>
public sealed record RedeemableAnswer(
    [property: AllowedValues("coupon", "points", "cash", "gift", "refund")] string Type,
    string? Code,
    [property: AllowedValues("applied", "refused", "not_applied")] string Status,
    string? ReasonCode,
    MoneyBody Discount,
    QuantityBody? Amount);

public sealed record HoldAnswer([property: AllowedValues("held", "captured", "voided", "expired")] string State, [property: DataType(DataType.DateTime)] string? ExpiresAt);

/// <summary>The fraud side. Checkout gets the verdict only: the score's value and its features teach abusers.</summary>
/// <param name="Score">Calibrated probability of abuse, 0 to 1; admins only, null when the model gave none.</param>
/// <param name="Reasons">Strongest first; admins only. Recorded for what was flagged, computed from the recorded vector for the rest.</param>
/// <param name="ReasonsMissingBecause">A sentence where reasons cannot be given, as when the model named in the record is not loaded; null otherwise.</param>
public sealed record RiskAnswer(
    [property: AllowedValues("approved", "review", "blocked")] string Verdict,
    double? Score = null,
    string? HardRule = null,
    string? ScorerFault = null,
    IReadOnlyList<RiskReasonAnswer>? Reasons = null,
    string? ReasonsMissingBecause = null);

/// <param name="Value">In the feature's unit; null when missing.</param>
/// <param name="Contribution">Log-odds; 0 for a hard rule.</param>
public sealed record RiskReasonAnswer(string Feature, string Sentence, double? Value, double Contribution, string? Entity);

/// <summary>Where a decision stands in the log and what made it; admins only.</summary>
public sealed record DecisionAnswer(
    long Position, string CustomerId, string Channel, [property: DataType(DataType.DateTime)] string DecidedAt, string ModelHash, string LayoutHash, int PolicyVersion, long LateMask,
    IReadOnlyList<ShadowAnswer> Challengers, LetThroughAnswer? LetThrough);

/// <summary>The model alone would have blocked it, under a policy that lets a share of such attempts through.</summary>
/// <param name="Propensity">The chance that it had to pass, while the day's value had room.</param>
/// <param name="Drawn">It was to pass; where it is blocked all the same, the day's value had no room left.</param>
/// <param name="Value">What passing gives away.</param>
public sealed record LetThroughAnswer(double Propensity, bool Drawn, MoneyBody Value);

/// <summary>What a challenger said of the same request; it decided nothing.</summary>
/// <param name="Verdict">What fraud alone would have said with it in the champion's place.</param>
/// <param name="Probability">Null when it gave none; then <paramref name="Fault"/> says why.</param>
public sealed record ShadowAnswer(string ModelHash, string Verdict, double? Probability, string? Fault);

/// <summary>The answer to <c>void</c> of an id that is not known (yet): a late request with it will be refused.</summary>
public sealed record VoidAnswer(string Id, [property: AllowedValues("void_remembered")] string Status);

/// <param name="ReasonCode">Why nothing can be used whatever the cart is, <c>account_frozen</c> or <c>account_blocked</c>, as a redemption would be refused; null otherwise.</param>
public sealed record QualificationAnswer(IReadOnlyList<OfferAnswer> Options, IReadOnlyList<NearMissAnswer> NearMisses, string? ReasonCode = null);

public sealed record OfferAnswer(string CampaignId, string? Code, string Name, MoneyBody Discount, MoneyBody Total, RemainingAnswer Remaining);

/// <summary>What is left of each limit; null where there is none.</summary>
public sealed record RemainingAnswer(long? CampaignUses, MoneyBody? Budget, long? CustomerUses, long? CouponUses);

/// <param name="Missing">What is still to be spent, or null when something else is missing.</param>
public sealed record NearMissAnswer(string CampaignId, string? Code, string Name, string ReasonCode, MoneyBody? Missing);
