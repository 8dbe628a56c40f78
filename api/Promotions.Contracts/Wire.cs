using System.Collections.Frozen;
using System.Text.Json;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Contracts;

/// <summary>The wire names of the domain's words: the member in snake_case.</summary>
public static class Wire
{
    private static readonly FrozenDictionary<RefusalCode, string> RefusalCodes = NamesOf<RefusalCode>();
    private static readonly FrozenDictionary<RedemptionStatus, string> Statuses = NamesOf<RedemptionStatus>();
    private static readonly FrozenDictionary<RedeemableType, string> RedeemableTypes = NamesOf<RedeemableType>();
    private static readonly FrozenDictionary<HoldState, string> HoldStates = NamesOf<HoldState>();
    private static readonly FrozenDictionary<Distribution, string> Distributions = NamesOf<Distribution>();
    private static readonly FrozenDictionary<BenefitType, string> BenefitTypes = NamesOf<BenefitType>();

    public static string Of(RefusalCode code) => RefusalCodes[code];
    public static string Of(RedemptionStatus status) => Statuses[status];
    public static string Of(RedeemableType type) => RedeemableTypes[type];
    public static string Of(HoldState state) => HoldStates[state];
    public static string Of(Distribution distribution) => Distributions[distribution];
    public static string Of(BenefitType type) => BenefitTypes[type];

    public static string? Of(EventTime? at) => at?.ToString();

    /// <summary>The member with this wire name; <c>default</c>, which no name has, when there is none.</summary>
    public static RedeemableType ParseRedeemableType(string? name) => name switch
    {
        "coupon" => RedeemableType.Coupon,
        "points" => RedeemableType.Points,
        "cash" => RedeemableType.Cash,
        "gift" => RedeemableType.Gift,
        "refund" => RedeemableType.Refund,
        _ => RedeemableType.None,
    };

    public static Distribution ParseDistribution(string? name) => name switch
    {
        "public" => Distribution.Public,
        "private" => Distribution.Private,
        "code_based" => Distribution.CodeBased,
        _ => Distribution.None,
    };

    public static BenefitType ParseBenefitType(string? name) => name switch
    {
        "percent_off" => BenefitType.PercentOff,
        "amount_off" => BenefitType.AmountOff,
        _ => BenefitType.None,
    };

    private static FrozenDictionary<TEnum, string> NamesOf<TEnum>() where TEnum : struct, Enum =>
        Enum.GetValues<TEnum>().Distinct().ToFrozenDictionary(member => member, member => JsonNamingPolicy.SnakeCaseLower.ConvertName(member.ToString()));
}
