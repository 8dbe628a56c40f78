using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

[Description("A promotion: what it takes off, for whom, when, and how much of it there is.")]
public sealed class CampaignBody
{
    [RegularExpression(Patterns.Id), Description("On creation; in PUT the path names it.")]
    public string? Id { get; set; }

    [Range(1, int.MaxValue), Description("In PUT: the version that this edit was made on.")]
    public int? Version { get; set; }

    [Required, StringLength(Bounds.NameMax, MinimumLength = 1)]
    public string? Name { get; set; }

    [Required, AllowedValues("public", "private", "code_based")]
    public string? Distribution { get; set; }

    [Required, RegularExpression("^[A-Z]{3}$")]
    public string? Currency { get; set; }

    [Required]
    public BenefitBody? Benefit { get; set; }

    public ConditionsBody? Conditions { get; set; }

    public LimitsBody? Limits { get; set; }

    [DataType(DataType.DateTime), Description("Inclusive; now when left out.")]
    public string? StartsAt { get; set; }

    [DataType(DataType.DateTime), Description("Exclusive; open when left out.")]
    public string? EndsAt { get; set; }

    [MaxLength(Bounds.ListMax), Description("Where it applies; everywhere when empty.")]
    public string?[]? Channels { get; set; }

    [Range(0, 5000), Description("Share of customers kept out to measure the effect, in basis points. 0 for code_based.")]
    public int? ControlShare { get; set; }

    [Description("True when left out.")]
    public bool? Active { get; set; }
}

public sealed class BenefitBody
{
    [Required, AllowedValues("percent_off", "amount_off")]
    public string? Type { get; set; }

    [Range(1, 10_000), Description("For percent_off: 1,000 is 10 %.")]
    public int? BasisPoints { get; set; }

    [Description("For amount_off.")]
    public MoneyBody? Amount { get; set; }

    [AllowedValues("order", "matching_lines"), Description("order when left out.")]
    public string? AppliesTo { get; set; }

    [Description("Cap of the discount.")]
    public MoneyBody? DiscountMax { get; set; }
}

public sealed class ConditionsBody
{
    public MoneyBody? SpendMin { get; set; }
    public MoneyBody? SpendMax { get; set; }

    [MaxLength(Bounds.ListMax)]
    public string?[]? IncludedSkus { get; set; }

    [MaxLength(Bounds.ListMax)]
    public string?[]? ExcludedSkus { get; set; }

    [MaxLength(Bounds.ListMax)]
    public string?[]? IncludedCategories { get; set; }

    [MaxLength(Bounds.ListMax)]
    public string?[]? ExcludedCategories { get; set; }
}

public sealed class LimitsBody
{
    [Range(1, int.MaxValue)]
    public long? UsesMax { get; set; }

    [Range(1, int.MaxValue)]
    public int? UsesPerCustomerMax { get; set; }

    [Description("Discount that all redemptions together may give.")]
    public MoneyBody? Budget { get; set; }
}

public sealed record CampaignAnswer(
    string Id,
    int Version,
    string Name,
    [property: AllowedValues("public", "private", "code_based")] string Distribution,
    string Currency,
    BenefitBody Benefit,
    ConditionsBody Conditions,
    LimitsBody Limits,
    [property: DataType(DataType.DateTime)] string StartsAt,
    [property: DataType(DataType.DateTime)] string? EndsAt,
    IReadOnlyList<string> Channels,
    int ControlShare,
    bool Active,
    [property: DataType(DataType.DateTime)] string CreatedAt,
    UsageAnswer? Usage);

public sealed record UsageAnswer(long UsesHeld, long UsesCaptured, MoneyBody DiscountHeld, MoneyBody DiscountCaptured, long CouponsIssued);

public sealed record CampaignsAnswer(IReadOnlyList<CampaignAnswer> Campaigns);

[Description("New codes of a campaign: so many made by us, or exactly these.")]
public sealed class CodesBody
{
    [RegularExpression(Patterns.Id)]
    public string? Id { get; set; }

    [Range(1, Bounds.CodesMax), Description("How many to make. More than 1,000 are made in the background.")]
    public int? Count { get; set; }

    [MaxLength(Bounds.ListMax), Description("Codes of your own, instead of count.")]
    public string?[]? Codes { get; set; }

    [Range(1, int.MaxValue), Description("Uses of each code; no limit of its own when left out and codes is given, else 1.")]
    public long? UsesMax { get; set; }
}

[Description("One coupon of the campaign for each of these customers.")]
public sealed class GrantBody
{
    [RegularExpression(Patterns.Id)]
    public string? Id { get; set; }

    [Required, MinLength(1), MaxLength(Bounds.GrantMax)]
    public string?[]? CustomerIds { get; set; }
}

public sealed record CouponAnswer(
    string Code, string CampaignId, string? CustomerId, long? UsesMax, bool Revoked, [property: DataType(DataType.DateTime)] string CreatedAt);

/// <param name="Id">Of the call that made them.</param>
public sealed record CodesAnswer(string Id, string CampaignId, long? UsesMax, IReadOnlyList<string> Codes);

/// <param name="NextAfter">Pass it as <c>after</c> for the next page; null when this was the last.</param>
public sealed record CouponsAnswer(IReadOnlyList<CouponAnswer> Coupons, string? NextAfter);

/// <summary>Work that goes on after the answer.</summary>
public sealed record OperationAnswer(
    string Id,
    [property: AllowedValues("codes", "grant")] string Kind,
    [property: AllowedValues("running", "done", "failed")] string Status,
    string CampaignId,
    long Done,
    long Total,
    string? Error,
    [property: DataType(DataType.DateTime)] string CreatedAt,
    [property: DataType(DataType.DateTime)] string? FinishedAt);
