using Promotions.Domain.Events;
using Promotions.Processing.Decisions;

namespace Promotions.Processing.Costs;

/// <summary>All attempts that a policy gives one verdict.</summary>
/// <param name="Discount">Their coupon value, minor units.</param>
/// <param name="Abuse">How many are abuse: labels where they have arrived, probabilities elsewhere.</param>
/// <param name="AbuseLoss">What that abuse costs where it succeeds, minor units.</param>
/// <param name="KnownAbuse">By label.</param>
/// <param name="KnownHonest">By label.</param>
public sealed record VerdictTally(long Attempts, long Discount, double Abuse, double AbuseLoss, long KnownAbuse, long KnownHonest)
{
    public static readonly VerdictTally Nothing = new(0, 0, 0, 0, 0, 0);

    /// <summary>The rest: customers, who would be wronged where the verdict blocks.</summary>
    public double Honest => Attempts - Abuse;
}

/// <summary>What a policy would have done with recorded attempts.</summary>
/// <param name="Cost">Of all mistakes and reviews together, expected where no label has arrived. Minor units.</param>
public sealed record PolicyOutcome(VerdictTally Approved, VerdictTally Review, VerdictTally Blocked, double Cost)
{
    public VerdictTally Of(RedemptionStatus verdict) => verdict switch { RedemptionStatus.Blocked => Blocked, RedemptionStatus.Review => Review, _ => Approved };
}

/// <summary>A number with the range in which 95 of 100 days like this one would have it.</summary>
public readonly record struct Range95(double Value, double Low, double High);

/// <summary>One policy beside another on the same attempts.</summary>
/// <param name="Saving">Of the draft, against letting everybody pass whom no hard rule blocks. Minor units.</param>
/// <param name="Gain">Of the draft, against the current policy: both are paid by the draft's costs, or a change of costs would count as a gain. Minor units.</param>
public sealed record PolicyTrial(PolicyOutcome Current, PolicyOutcome Draft, Range95 Saving, Range95 Gain)
{
    private const int Resamples = 400;

    /// <summary>Pure: the same attempts, policies and seed give the same numbers.</summary>
    public static PolicyTrial Of(IReadOnlyList<JudgedAttempt> attempts, FraudPolicy current, FraudPolicy draft, int seed)
    {
        var (before, after) = (new Tallies(draft.Costs), new Tallies(draft.Costs));
        var clusters = new Dictionary<string, (double Saving, double Gain)>(StringComparer.Ordinal);
        foreach (var attempt in attempts)
        {
            var was = before.Add(attempt, attempt.VerdictUnder(current));
            var becomes = after.Add(attempt, attempt.VerdictUnder(draft));
            var nothing = attempt.CostOf(attempt.HardRule ? RedemptionStatus.Blocked : RedemptionStatus.Approved, draft.Costs);
            var sums = clusters.GetValueOrDefault(attempt.Cluster);
            clusters[attempt.Cluster] = (sums.Saving + nothing - becomes, sums.Gain + was - becomes);
        }

        double[] savings = [.. clusters.Values.Select(sums => sums.Saving)], gains = [.. clusters.Values.Select(sums => sums.Gain)];
        return new(before.Outcome, after.Outcome, Bootstrap(savings, seed), Bootstrap(gains, seed));
    }

    /// <summary>The sum, and the middle 95 % of sums over as many clusters drawn with replacement (percentile bootstrap, Efron 1979).</summary>
    internal static Range95 Bootstrap(double[] clusters, int seed)
    {
        if (clusters.Length == 0) return default;
        var random = new Random(seed);
        var sums = new double[Resamples];
        for (var i = 0; i < sums.Length; i++)
            for (var draw = 0; draw < clusters.Length; draw++) sums[i] += clusters[random.Next(clusters.Length)];
        Array.Sort(sums);
        return new(clusters.Sum(), sums[(int)(Resamples * 0.025)], sums[(int)(Resamples * 0.975) - 1]);
    }

    /// <summary>The ratio of two sums, and the middle 95 % of such ratios over as many clusters drawn with replacement.</summary>
    /// <param name="clusters">At least one; every <c>Of</c> is above 0.</param>
    internal static Range95 BootstrapRatio((double Sum, double Of)[] clusters, int seed)
    {
        var random = new Random(seed);
        var ratios = new double[Resamples];
        for (var i = 0; i < ratios.Length; i++)
        {
            var (sum, of) = (0.0, 0.0);
            for (var draw = 0; draw < clusters.Length; draw++)
            {
                var cluster = clusters[random.Next(clusters.Length)];
                (sum, of) = (sum + cluster.Sum, of + cluster.Of);
            }

            ratios[i] = sum / of;
        }

        Array.Sort(ratios);
        return new(clusters.Sum(cluster => cluster.Sum) / clusters.Sum(cluster => cluster.Of), ratios[(int)(Resamples * 0.025)], ratios[(int)(Resamples * 0.975) - 1]);
    }

    private sealed class Tallies(FraudCosts costs)
    {
        private readonly VerdictTally[] _by = [VerdictTally.Nothing, VerdictTally.Nothing, VerdictTally.Nothing];
        private double _cost;

        public PolicyOutcome Outcome => new(_by[0], _by[1], _by[2], _cost);

        public double Add(in JudgedAttempt attempt, RedemptionStatus verdict)
        {
            ref var tally = ref _by[verdict switch { RedemptionStatus.Blocked => 2, RedemptionStatus.Review => 1, _ => 0 }];
            var abuse = attempt.AbuseExpected;
            tally = new(
                tally.Attempts + 1, checked(tally.Discount + attempt.Discount), tally.Abuse + abuse, tally.AbuseLoss + (abuse * costs.LossOf(attempt.Discount, attempt.Goods)),
                tally.KnownAbuse + (attempt.Abuse is true ? 1 : 0), tally.KnownHonest + (attempt.Abuse is false ? 1 : 0));
            var cost = attempt.CostOf(verdict, costs);
            _cost += cost;
            return cost;
        }
    }
}
