using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Processing.Decisions;
using Promotions.Scoring.Drift;

namespace Promotions.Processing.Costs;

/// <summary>One challenger beside the champion on the same attempts.</summary>
/// <param name="Verdicts">Attempts by what fraud alone said: champion's row, challenger's column; approved, review, blocked.</param>
/// <param name="Faults">Attempts for which one of them gave no score; they are not among the others.</param>
/// <param name="ChampionBlockedValue">Coupon value that the champion blocked, minor units.</param>
/// <param name="Labelled">Attempts of the last 28 days with a label.</param>
/// <param name="ChampionCost">What its verdicts on those cost, minor units.</param>
public sealed record ComparisonReading(
    long[][] Verdicts, long Faults, long ChampionBlockedValue, long ChallengerBlockedValue, long Labelled, long ChampionCost, long ChallengerCost)
{
    public long Attempts => Verdicts.Sum(row => row.Sum());
    /// <summary>Share of equal verdicts; NaN without attempts.</summary>
    public double Agreement => Attempts == 0 ? double.NaN : (double)(Verdicts[0][0] + Verdicts[1][1] + Verdicts[2][2]) / Attempts;
    public long ChampionBlocked => Verdicts[2].Sum();
    public long ChallengerBlocked => Verdicts.Sum(row => row[2]);
}

/// <summary>Counts one challenger's verdicts beside the champion's: 24 hours of them, and 28 days of what labels made of them. Fixed memory; safe from several threads.</summary>
public sealed class ShadowComparison
{
    private const long HourMs = 3_600_000;
    private const int Verdicts = 3;
    private const int Faults = 9, ChampionValue = 10, ChallengerValue = 11;

    private readonly Lock _lock = new();
    private readonly SlidingCounts _window = new(24, HourMs, 12);
    private readonly SlidingCounts _labelled = new(28, 24 * HourMs, 3);

    public void Observe(Decision decision, ShadowScore challenger)
    {
        var risk = decision.Proposal.Risk;
        lock (_lock)
        {
            var counts = _window.At(decision.DecidedAt.UnixMilliseconds);
            if (counts.IsEmpty) return;
            if (risk.ScorerFault is not null || challenger.Fault is not null)
            {
                counts[Faults]++;
                return;
            }

            counts[(Verdicts * PlaceOf(risk.Verdict)) + PlaceOf(challenger.Verdict)]++;
            if (risk.Verdict is RedemptionStatus.Blocked) counts[ChampionValue] += decision.Proposal.Priced.Discount;
            if (challenger.Verdict is RedemptionStatus.Blocked) counts[ChallengerValue] += decision.Proposal.Priced.Discount;
        }
    }

    /// <summary>A label has come: what would each verdict have cost?</summary>
    /// <param name="at">When it came. Unix time, ms.</param>
    public void Labelled(Decision decision, ShadowScore challenger, bool abuse, FraudCosts costs, long at)
    {
        var (risk, priced) = (decision.Proposal.Risk, decision.Proposal.Priced);
        if (risk.ScorerFault is not null || challenger.Fault is not null) return;
        var loss = costs.LossOf(priced.Discount, priced.Total);
        lock (_lock)
        {
            var counts = _labelled.At(at);
            if (counts.IsEmpty) return;
            counts[0]++;
            counts[1] += (long)costs.CostOf(risk.Verdict, abuse, loss);
            counts[2] += (long)costs.CostOf(challenger.Verdict, abuse, loss);
        }
    }

    /// <param name="now">Unix time, ms.</param>
    public ComparisonReading Read(long now)
    {
        long[] sums = new long[12], labelled = new long[3];
        lock (_lock)
        {
            _window.Sum(now, sums);
            _labelled.Sum(now, labelled);
        }

        return new([sums[..3], sums[3..6], sums[6..9]], sums[Faults], sums[ChampionValue], sums[ChallengerValue], labelled[0], labelled[1], labelled[2]);
    }

    private static int PlaceOf(RedemptionStatus verdict) => verdict switch { RedemptionStatus.Blocked => 2, RedemptionStatus.Review => 1, _ => 0 };
}
