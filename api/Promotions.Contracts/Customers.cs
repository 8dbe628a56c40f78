using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

[Description("Money put into a customer's cash balance.")]
public sealed class DepositBody
{
    [RegularExpression(Patterns.Id)]
    public string? Id { get; set; }

    [Required]
    public MoneyBody? Amount { get; set; }

    [StringLength(Bounds.NoteMax)]
    public string? Reason { get; set; }
}

[Description("Points granted as one lot.")]
public sealed class PointsBody
{
    [RegularExpression(Patterns.Id)]
    public string? Id { get; set; }

    [Required, Range(1, Bounds.PointsMax)]
    public long? Points { get; set; }

    [DataType(DataType.DateTime), Description("Exclusive; never when left out.")]
    public string? ExpiresAt { get; set; }

    [StringLength(Bounds.NoteMax)]
    public string? Reason { get; set; }
}

[Description("Give a customer a coupon: a new one of a campaign, an unassigned one by its code, or a new one with a code of your own.")]
public sealed class CustomerCouponBody
{
    [RegularExpression(Patterns.Id), Description("Idempotency id; needed with campaign_id alone.")]
    public string? Id { get; set; }

    [RegularExpression(Patterns.Id)]
    public string? CampaignId { get; set; }

    [StringLength(Bounds.CodeMax, MinimumLength = 1)]
    public string? Code { get; set; }
}

public sealed class AssignBody
{
    [Required, RegularExpression(Patterns.Id)]
    public string? CustomerId { get; set; }
}

public sealed record BalancesAnswer(string CustomerId, IReadOnlyList<BalanceAnswer> Balances);

public sealed record BalanceAnswer(
    [property: AllowedValues("cash", "points", "refund", "gift")] string Segment, QuantityBody Available, QuantityBody Held, IReadOnlyList<LotAnswer> Lots);

public sealed record LotAnswer(
    string Id, long Quantity, long Remaining, long Held, [property: DataType(DataType.DateTime)] string EarnedAt, [property: DataType(DataType.DateTime)] string? ExpiresAt, string Origin);

/// <param name="Uses">Captured uses by this customer.</param>
public sealed record CustomerCouponAnswer(
    string Code, string CampaignId, string CampaignName, bool Revoked, long? UsesMax, long Uses, long Held, [property: DataType(DataType.DateTime)] string StartsAt, [property: DataType(DataType.DateTime)] string? EndsAt);

public sealed record CustomerCouponsAnswer(string CustomerId, IReadOnlyList<CustomerCouponAnswer> Coupons);
