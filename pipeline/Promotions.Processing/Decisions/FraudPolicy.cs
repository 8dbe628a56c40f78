using Promotions.Domain.Events;

namespace Promotions.Processing.Decisions;

/// <summary>What the shop loses by each mistake. Money in minor units of the cart's currency.</summary>
/// <param name="WrongedCustomer">Margin lost when an honest customer is blocked. Default 20.00.</param>
/// <param name="Review">A reviewer's time for one flag. Default 1.50.</param>
/// <param name="AbuseMultiple">An abuser who gets through comes back: the loss is this many times the discount. Default 5, at least 1.</param>
/// <param name="LossMin">The least that one success of an abuser costs. Default 5.00.</param>
/// <param name="ReviewCatches">Share of abuse that a review stops before the hold is captured, 0 to 1. Default 0.8.</param>
public sealed record FraudCosts(long WrongedCustomer, long Review, double AbuseMultiple, long LossMin, double ReviewCatches)
{
    public static readonly FraudCosts Default = new(2_000, 150, 5, 500, 0.8);
}

/// <summary>Blocks whatever the model says: a counted fact beyond doubt.</summary>
/// <param name="Name">Stable, snake_case.</param>
/// <param name="Feature">A name of the feature registry.</param>
/// <param name="AtLeast">The feature's value from which on it holds.</param>
public sealed record HardRule(string Name, string Feature, float AtLeast);

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
    public static RedemptionStatus Verdict(double probability, long discountMinorUnits, FraudPolicy policy)
    {
        if (!(probability >= policy.ReviewFloor)) return RedemptionStatus.Approved;
        var costs = policy.Costs;
        var loss = Math.Max(costs.LossMin, discountMinorUnits * costs.AbuseMultiple);
        var approve = probability * loss;
        var review = costs.Review + probability * loss * (1 - costs.ReviewCatches);
        var block = (1 - probability) * costs.WrongedCustomer;
        if (approve <= review && approve <= block) return RedemptionStatus.Approved;
        return review <= block ? RedemptionStatus.Review : RedemptionStatus.Blocked;
    }
}
