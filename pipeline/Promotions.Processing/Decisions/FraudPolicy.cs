using Promotions.Domain.Events;

namespace Promotions.Processing.Decisions;

/// <summary>What the shop loses by each mistake. Money in minor units of the cart's currency.</summary>
/// <param name="WrongedCustomer">What an honest customer who was blocked would have been worth from then on: margin over the lifetime, times the chance of leaving. Default 20.00.</param>
/// <param name="Review">A reviewer's minutes for one flag, in money. Default 1.50.</param>
/// <param name="AbuseMultiple">An abuser who gets through comes back: the loss is this many times the discount. Default 5, at least 1.</param>
/// <param name="LossMin">The least that one success of an abuser costs. Default 5.00.</param>
/// <param name="ReviewCatches">Share of abuse that a review stops before the hold is captured, 0 to 1. Default 0.8.</param>
/// <param name="GoodsShare">Share of what is paid for the order that is lost as well where abuse succeeds: goods that a chargeback takes. Default 0.</param>
public sealed record FraudCosts(long WrongedCustomer, long Review, double AbuseMultiple, long LossMin, double ReviewCatches, double GoodsShare = 0)
{
    public static readonly FraudCosts Default = new(2_000, 150, 5, 500, 0.8);

    /// <summary>What one success of an abuser costs. Unit: minor units.</summary>
    /// <param name="discount">Coupon value, minor units.</param>
    /// <param name="goods">The order's total after the discount, minor units.</param>
    public double LossOf(long discount, long goods) => Math.Max(LossMin, (discount * AbuseMultiple) + (goods * GoodsShare));

    /// <summary>What a verdict costs when it is known who asked. Unit: minor units, expected over what reviewers catch.</summary>
    /// <param name="loss">As <see cref="LossOf"/>.</param>
    public double CostOf(RedemptionStatus verdict, bool abuse, double loss) => verdict switch
    {
        RedemptionStatus.Blocked => abuse ? 0 : WrongedCustomer,
        RedemptionStatus.Review => Review + (abuse ? loss * (1 - ReviewCatches) : 0),
        _ => abuse ? loss : 0,
    };
}

/// <summary>What to do when the model gives no score in time.</summary>
public enum ScorerFallback : byte { None = 0, Review = 1, Refuse = 2 }

/// <summary>Settings of one channel. A till's or kiosk's device and a carrier's ip belong to nobody: they are left out as entities.</summary>
/// <param name="ChannelPattern">The channel's id, or a prefix ending in <c>*</c>.</param>
/// <param name="IgnoredEntities">Entity kinds by name: <c>device</c>, <c>ip</c>, <c>network</c>, <c>payment_token</c>, <c>address</c>.</param>
public sealed record ChannelPolicy(string ChannelPattern, IReadOnlyList<string> IgnoredEntities, ScorerFallback Fallback)
{
    public bool Matches(string channel) => ChannelPattern.EndsWith('*')
        ? channel.AsSpan().StartsWith(ChannelPattern.AsSpan(0, ChannelPattern.Length - 1), StringComparison.Ordinal)
        : string.Equals(channel, ChannelPattern, StringComparison.Ordinal);
}

/// <summary>One version of the fraud policy; the record of a decision names it.</summary>
/// <param name="ReviewFloor">Below this probability nobody is reviewed or blocked whatever the costs say, 0 to 1.</param>
public sealed record FraudPolicy(int Version, FraudCosts Costs, double ReviewFloor, IReadOnlyList<HardRule> HardRules, IReadOnlyList<ChannelPolicy> Channels, TimeSpan HoldFor)
{
    /// <summary>Null, as it is until an admin sets it: everything that the model blocks is blocked.</summary>
    public LetThrough? LetThrough { get; init; }

    private static readonly ChannelPolicy OtherChannels = new("*", [], ScorerFallback.Review);

    /// <summary>The first matching channel policy; without one all entities count and a silent scorer means review.</summary>
    public ChannelPolicy For(string channel)
    {
        foreach (var candidate in Channels)
            if (candidate.Matches(channel)) return candidate;
        return OtherChannels;
    }
}

/// <summary>The verdict with the least expected cost.</summary>
/// <remarks>
/// With p the probability of abuse, L the loss if it succeeds, w a wronged customer, r a review and c the share that a review catches:
/// approve costs p·L, review r + p·L·(1−c), block (1−p)·w. Ties go to the lighter verdict. Source: cost-sensitive decision, Elkan 2001.
/// </remarks>
public static class CostThresholds
{
    /// <param name="discount">Coupon value, minor units.</param>
    /// <param name="goods">The order's total after the discount, minor units.</param>
    public static RedemptionStatus Verdict(double probability, long discount, long goods, FraudPolicy policy)
    {
        if (!(probability >= policy.ReviewFloor)) return RedemptionStatus.Approved;
        var costs = policy.Costs;
        var loss = costs.LossOf(discount, goods);
        var approve = probability * loss;
        var review = costs.Review + probability * loss * (1 - costs.ReviewCatches);
        var block = (1 - probability) * costs.WrongedCustomer;
        if (approve <= review && approve <= block) return RedemptionStatus.Approved;
        return review <= block ? RedemptionStatus.Review : RedemptionStatus.Blocked;
    }

    /// <summary>The probabilities above which such an order is flagged, and above which it is blocked. Equal where nobody is reviewed; 1 where never.</summary>
    public static VerdictBands BandsOf(long discount, long goods, FraudPolicy policy)
    {
        var costs = policy.Costs;
        var loss = costs.LossOf(discount, goods);
        var (caught, wronged) = (loss * costs.ReviewCatches, (double)costs.WrongedCustomer);
        var reviewed = caught > 0 ? costs.Review / caught : 1;
        var blockedBeforeApproved = loss + wronged > 0 ? wronged / (loss + wronged) : 1;
        var left = loss - caught;
        var blockedBeforeReviewed = wronged <= costs.Review ? 0 : (wronged - costs.Review) / (wronged + left);
        var block = Math.Clamp(Math.Max(Math.Max(blockedBeforeApproved, blockedBeforeReviewed), policy.ReviewFloor), 0, 1);
        return new(Math.Min(block, Math.Max(policy.ReviewFloor, reviewed)), block);
    }

    /// <summary>What a wronged customer has to be worth for such an order to be blocked from this probability on: the costs stay a statement about money, however they were arrived at.</summary>
    /// <param name="blockFrom">0 or more, below 1.</param>
    public static long WrongedCustomerFor(double blockFrom, long discount, long goods, FraudCosts costs)
    {
        if (!(blockFrom is >= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(blockFrom), blockFrom, "A probability below 1: whoever blocks nobody sets the review floor.");
        var loss = costs.LossOf(discount, goods);
        var otherwise = Math.Min(blockFrom * loss, costs.Review + (blockFrom * loss * (1 - costs.ReviewCatches)));
        return checked((long)Math.Round(otherwise / (1 - blockFrom)));
    }
}

/// <param name="ReviewFrom">Above it an order is at least reviewed.</param>
/// <param name="BlockFrom">Above it an order is blocked.</param>
public readonly record struct VerdictBands(double ReviewFrom, double BlockFrom);
