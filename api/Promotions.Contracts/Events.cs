using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

/// <summary>Body of <c>POST /v1/orders</c>. The order's id is the idempotency id.</summary>
[Description("A purchase, with or without a redemption.")]
public sealed class OrderPlacedBody
{
    [Required, RegularExpression(Patterns.Id)]
    public string? Channel { get; set; }

    [Required]
    public CustomerBody? Customer { get; set; }

    [Required]
    public OrderBody? Order { get; set; }

    [Required, Description("What the customer paid, after discounts, shipping included.")]
    public MoneyBody? Total { get; set; }

    [RegularExpression(Patterns.Id), Description("The redemption used on it, if any.")]
    public string? RedemptionId { get; set; }

    [DataType(DataType.DateTime)]
    public string? OccurredAt { get; set; }
}

[Description("Money given back for an order: a negative fact, never a change of the order.")]
public sealed class OrderReturnedBody
{
    [RegularExpression(Patterns.Id)]
    public string? Id { get; set; }

    [Required, RegularExpression(Patterns.Id)]
    public string? CustomerId { get; set; }

    [Required]
    public MoneyBody? Amount { get; set; }
}

[Description("Something a customer did that is no purchase: a review, a referral, a visit.")]
public sealed class EngagementBody
{
    [RegularExpression(Patterns.Id)]
    public string? Id { get; set; }

    [Required, RegularExpression(Patterns.Id)]
    public string? Channel { get; set; }

    [Required, RegularExpression(Patterns.Id)]
    public string? CustomerId { get; set; }

    [Required, RegularExpression(Patterns.Id)]
    public string? Type { get; set; }
}

[Description("Confirmed abuse, or its confirmed absence, of one redemption.")]
public sealed class LabelBody
{
    [RegularExpression(Patterns.Id)]
    public string? Id { get; set; }

    [Required, RegularExpression(Patterns.Id)]
    public string? RedemptionId { get; set; }

    [Required]
    public bool? Abuse { get; set; }

    [Required, AllowedValues("review", "chargeback", "refund", "import")]
    public string? Source { get; set; }

    [StringLength(Bounds.NoteMax)]
    public string? Note { get; set; }
}

[Description("A reviewer's answer: agree (abuse) or disagree with the flag. It becomes a label.")]
public sealed class FlagAnswerBody
{
    [Required]
    public bool? Abuse { get; set; }

    [StringLength(Bounds.NoteMax)]
    public string? Note { get; set; }
}

/// <summary>What the ledger did with a fact that needs no other answer.</summary>
/// <param name="Position">Of its entry in the log.</param>
public sealed record RecordedAnswer(string Id, long Position);

/// <param name="AtStake">Lost if the verdict is wrong, by the costs of the policy in force.</param>
/// <param name="ExpectedCost">Lost, expected, if nobody looks.</param>
public sealed record FlagAnswer(
    RedemptionAnswer Redemption, bool? Abuse, string? AnsweredBy, [property: DataType(DataType.DateTime)] string? AnsweredAt, MoneyBody AtStake, MoneyBody ExpectedCost);

/// <param name="NextBefore">Newest first: pass it as <c>before</c> for the next page; null when this was the last.</param>
/// <param name="NextAfter">By cost: pass it as <c>after</c> for the next page; null when this was the last.</param>
/// <param name="Queue">By cost only.</param>
public sealed record FlagsAnswer(IReadOnlyList<FlagAnswer> Flags, long? NextBefore, string? NextAfter, ReviewQueueAnswer? Queue);

/// <param name="Open">Flags without an answer that were put in order: all there are, or the newest ones where there are more.</param>
/// <param name="OpenIsAll">False where there are more than were put in order.</param>
/// <param name="AnsweredToday">Since midnight UTC, in all channels.</param>
/// <param name="PerDay">What reviewers answer in a day, as set in the flag rules.</param>
public sealed record ReviewQueueAnswer(int Open, bool OpenIsAll, long AnsweredToday, long PerDay);
