using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Promotions.Contracts;

[Description("What each mistake costs, and what follows from it. A verdict is the one with the least expected cost.")]
public sealed class FraudPolicyBody
{
    [Required, Range(1, int.MaxValue), Description("The version that this one replaces.")]
    public int? Version { get; set; }

    [Required]
    public FraudCostsBody? Costs { get; set; }

    [Required, Range(0, 1), Description("Below this probability nobody is reviewed or blocked, whatever the costs say.")]
    public double? ReviewFloor { get; set; }

    [MaxLength(Bounds.HardRulesMax), Description("Each blocks whatever the model says.")]
    public HardRuleBody?[]? HardRules { get; set; }

    [MaxLength(Bounds.ChannelPoliciesMax), Description("The first that matches counts. Elsewhere every entity counts and a silent model means review.")]
    public ChannelPolicyBody?[]? Channels { get; set; }

    [Required, Range(1, Bounds.HoldSecondsMax), Description("How long an approved redemption stays held.")]
    public long? HoldSeconds { get; set; }

    [Description("A share of what the model alone would block passes, so that its mistakes are found; off when left out. Hard rules and frozen or blocked accounts are never let through.")]
    public LetThroughBody? LetThrough { get; set; }
}

public sealed class LetThroughBody
{
    [Required, Range(LetThroughShareMin, LetThroughShareMax), Description("The chance to pass. The same visitor gets the same answer all week, by whatever it shows of itself again: customer, device, network, payment method, address.")]
    public double? Share { get; set; }

    [Required, Range(1, Bounds.UnitPriceMax), Description("What may be given away so in a day (UTC), for each currency: discounts, balances that pay, and goods by goods_share. Minor units. What is left of it is kept by the ledger.")]
    public long? ValuePerDayMax { get; set; }

    public const double LetThroughShareMin = 0.001;
    public const double LetThroughShareMax = 0.2;
}

[Description("Money in minor units of the order's currency.")]
public sealed class FraudCostsBody
{
    [Required, Range(0, Bounds.UnitPriceMax), Description("What an honest customer who is blocked would have been worth from then on.")]
    public long? WrongedCustomer { get; set; }

    [Required, Range(0, Bounds.UnitPriceMax), Description("A reviewer's time for one flag.")]
    public long? Review { get; set; }

    [Required, Range(1, 1_000), Description("An abuser who gets through comes back: the loss is so many times the discount.")]
    public double? AbuseMultiple { get; set; }

    [Required, Range(0, Bounds.UnitPriceMax), Description("The least that one success of an abuser costs.")]
    public long? LossMin { get; set; }

    [Required, Range(0, 1), Description("Share of abuse that a review stops before the hold is captured.")]
    public double? ReviewCatches { get; set; }

    [Range(0, 1), Description("Share of what is paid for the order that is lost as well where abuse succeeds: goods that a chargeback takes; 0 when left out.")]
    public double? GoodsShare { get; set; }
}

public sealed class HardRuleBody
{
    [Required, RegularExpression(Patterns.Id)]
    public string? Name { get; set; }

    [Required, Description("A feature's name, as in the reasons of a flag.")]
    public string? Feature { get; set; }

    [Required, Description("The feature's value from which on the rule blocks.")]
    public double? AtLeast { get; set; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [MinLength(1), MaxLength(Bounds.NameMax), Description("Why this limit: stands in the reason of what it blocks.")]
    public string? Note { get; set; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [MinLength(1), MaxLength(Bounds.CodeMax), Description("The rule is about attempts that name this code and no other; about all when left out.")]
    public string? Code { get; set; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [Description("true: it blocks only where neither the customer nor the device was seen more than two days before, and no other account at the address in 30 days.")]
    public bool? StrangersOnly { get; set; }
}

public sealed class ChannelPolicyBody
{
    [Required, RegularExpression(@"^[A-Za-z0-9._:-]{0,64}\*?$"), Description("A channel's id, or a prefix ending in *.")]
    public string? Channel { get; set; }

    [Description("Kinds that belong to nobody there, as a till's device: device, ip, network, payment_token, address.")]
    public string?[]? IgnoredEntities { get; set; }

    [Required, AllowedValues("review", "refuse"), Description("When the model gives no score in time.")]
    public string? Fallback { get; set; }
}

/// <summary>What passed although the model would have blocked it, and what that tells about what was blocked.</summary>
/// <param name="MatureAfterDays">How long labels take: what passed longer ago and has none is taken for honest.</param>
/// <param name="Currencies">Empty where nothing was let through in that time.</param>
public sealed record LetThroughOutcomesAnswer(int Days, int MatureAfterDays, IReadOnlyList<LetThroughOutcomeAnswer> Currencies);

/// <param name="WouldBeBlocked">Attempts that the model alone would have blocked.</param>
/// <param name="WithoutRoom">Of them, those whose day had no value left for them.</param>
/// <param name="Passed">Those that passed.</param>
/// <param name="ValuePassed">What they took, minor units.</param>
/// <param name="TooYoung">Of those that passed, those to which a label may still come.</param>
/// <param name="Judged">Those that passed and are old enough.</param>
/// <param name="JudgedAbuse">Of them, those that were labelled abuse.</param>
/// <param name="AbuseShare">Of everything that the model would have blocked, 0 to 1; null while too few were judged.</param>
/// <param name="Saved">By blocking the rest of that age, minor units: losses spared less what wronged customers cost. Null while too few were judged.</param>
public sealed record LetThroughOutcomeAnswer(
    string Currency, long WouldBeBlocked, long WithoutRoom, long Passed, long ValuePassed, long TooYoung, long Judged, long JudgedAbuse, IntervalAnswer? AbuseShare, IntervalAnswer? Saved);

/// <summary>With the range in which 95 of 100 times like this one would have it.</summary>
public sealed record IntervalAnswer(double Value, double Low, double High);

/// <param name="WrittenBy">The key that wrote it; null for the policy that comes with the program.</param>
public sealed record FraudPolicyAnswer(
    int Version, FraudCostsBody Costs, double ReviewFloor, IReadOnlyList<HardRuleBody> HardRules, IReadOnlyList<ChannelPolicyBody> Channels, long HoldSeconds, LetThroughBody? LetThrough,
    string? WrittenBy, [property: DataType(DataType.DateTime)] string? WrittenAt);
