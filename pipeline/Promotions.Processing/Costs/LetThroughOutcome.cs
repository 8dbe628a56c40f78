using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Processing.Decisions;

namespace Promotions.Processing.Costs;

/// <summary>A redemption that the model alone would have blocked, while the policy let a share of such attempts through.</summary>
/// <param name="Position">Of its decision.</param>
/// <param name="Cluster">Attempts of one cluster stand or fall together, and are drawn together.</param>
/// <param name="Propensity">The chance that it had to pass while its day had room: above 0, at most 1.</param>
/// <param name="Value">What it takes of its day, minor units.</param>
/// <param name="ValuePerDayMax">Minor units.</param>
/// <param name="Discount">Coupon value, minor units.</param>
/// <param name="Goods">The order's total after the discount, minor units.</param>
/// <param name="Abuse">The last label that has arrived; null where none has.</param>
public readonly record struct WouldBeBlock(
    long Position, EventTime At, string Cluster, RedemptionStatus Status, double Propensity, bool Drawn, long Value, long ValuePerDayMax, long Discount, long Goods, bool? Abuse);

/// <summary>What the attempts that passed tell about all that the model would have blocked.</summary>
/// <param name="WouldBe">Attempts that it would have blocked.</param>
/// <param name="WithoutRoom">Of them, those whose day had no room left for them, drawn or not: they had no chance and stand for nobody.</param>
/// <param name="Passed">Those that passed.</param>
/// <param name="ValuePassed">What they took of their days, minor units.</param>
/// <param name="TooYoung">Of those that passed, those to which a label may still come.</param>
/// <param name="Judged">Those that passed and are old enough: without a label they count as honest.</param>
/// <param name="JudgedAbuse">Of them, those with a label that says abuse.</param>
/// <param name="AbuseShare">Of all that the model would have blocked, how much is abuse, 0 to 1: how right it is. Null while <see cref="Judged"/> is below <see cref="JudgedMin"/>.</param>
/// <param name="Saved">What blocking the rest of that age saved: losses spared, less what wronged customers cost, both by the policy's costs. Minor units; null as above.</param>
public sealed record LetThroughOutcome(
    long WouldBe, long WithoutRoom, long Passed, long ValuePassed, long TooYoung, long Judged, long JudgedAbuse, Range95? AbuseShare, Range95? Saved)
{
    /// <summary>Below it nothing is estimated. A convention: with fewer the interval says nothing anyway.</summary>
    public const int JudgedMin = 20;

    /// <summary>
    /// Weighs each that passed by 1 / propensity (Horvitz and Thompson 1952), normed by the weights' sum (Hájek 1971); the intervals are of clusters drawn again (percentile bootstrap, Efron 1979).
    /// Whether there was room is counted from the values of those before it on its day, so an attempt's chance depends on the past alone: share with room, 0 without.
    /// </summary>
    /// <param name="attempts">Of one currency, in order of position, whole days.</param>
    /// <param name="costs">Of the policy in force.</param>
    /// <param name="matureAfter">How long labels take: what passed longer ago and has none is taken for honest.</param>
    /// <param name="seed">The same attempts and seed give the same numbers.</param>
    public static LetThroughOutcome Of(IReadOnlyList<WouldBeBlock> attempts, FraudCosts costs, EventTime now, TimeSpan matureAfter, int seed)
    {
        var used = new Dictionary<long, long>();
        var clusters = new Dictionary<string, Sums>(StringComparer.Ordinal);
        long withoutRoom = 0, passed = 0, value = 0, young = 0, judged = 0, abuse = 0, blocked = 0;
        foreach (var attempt in attempts)
        {
            var day = Math.DivRem(attempt.At.UnixMilliseconds, 86_400_000).Quotient;
            var taken = used.GetValueOrDefault(day);
            var went = attempt.Drawn && attempt.Status is RedemptionStatus.Approved;
            var old = now.UnixMilliseconds - attempt.At.UnixMilliseconds >= matureAfter.TotalMilliseconds;
            if (old && attempt.Status is RedemptionStatus.Blocked) blocked++;
            if (!went)
            {
                if (attempt.Value > attempt.ValuePerDayMax - taken) withoutRoom++;
                continue;
            }

            used[day] = checked(taken + attempt.Value);
            passed++;
            value = checked(value + attempt.Value);
            if (!old)
            {
                young++;
                continue;
            }

            judged++;
            var wrong = attempt.Abuse is true;
            if (wrong) abuse++;
            var weight = 1 / attempt.Propensity;
            var sums = clusters.GetValueOrDefault(attempt.Cluster);
            clusters[attempt.Cluster] = new(
                sums.Weight + weight, sums.Abuse + (wrong ? weight : 0), sums.Saved + (weight * (wrong ? costs.LossOf(attempt.Discount, attempt.Goods) : -costs.WrongedCustomer)));
        }

        if (judged < JudgedMin) return new(attempts.Count, withoutRoom, passed, value, young, judged, abuse, null, null);
        Sums[] each = [.. clusters.Values];
        return new(
            attempts.Count, withoutRoom, passed, value, young, judged, abuse,
            PolicyTrial.BootstrapRatio([.. each.Select(sums => (sums.Abuse, sums.Weight))], seed),
            Times(PolicyTrial.BootstrapRatio([.. each.Select(sums => (sums.Saved, sums.Weight))], seed), blocked));
    }

    private static Range95 Times(Range95 mean, long count) => new(mean.Value * count, mean.Low * count, mean.High * count);

    private readonly record struct Sums(double Weight, double Abuse, double Saved);
}
