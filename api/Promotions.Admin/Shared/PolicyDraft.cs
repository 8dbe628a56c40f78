using Promotions.Contracts;
using Promotions.Processing.Costs;
using Promotions.Processing.Decisions;

namespace Promotions.Admin.Shared;

/// <summary>A policy under somebody's hands: the one that decides, what was changed, and what both would have done with recorded traffic.</summary>
public sealed class PolicyDraft
{
    /// <summary>Of the interval's draws: the same page shows the same numbers.</summary>
    private const int Seed = 20_261_123;
    public const int HistogramBins = 50;

    private readonly FraudPolicyAnswer _written;

    public PolicyDraft(FraudPolicyAnswer written, TrafficSample traffic)
    {
        (_written, Traffic) = (written, traffic);
        Current = Draft = new(written.Version, CostsOf(written.Costs), written.ReviewFloor, [], [], TimeSpan.FromSeconds(written.HoldSeconds)) { LetThrough = written.LetThrough is { } through ? new(through.Share ?? 0, through.ValuePerDayMax ?? 0, "") : null };
        Currency = traffic.Decisions.GroupBy(decision => decision.Proposal.Request.Cart.Currency, StringComparer.Ordinal).MaxBy(group => group.Count())?.Key ?? "EUR";
        OtherCurrencies = traffic.Decisions.Count(decision => decision.Proposal.Request.Cart.Currency != Currency);
        (TypicalDiscount, TypicalGoods) = (Median([.. traffic.Attempts.Where(one => one.Discount > 0).Select(one => one.Discount)]), Median([.. traffic.Attempts.Select(one => one.Goods)]));
        Trial = PolicyTrial.Of(traffic.Attempts, Current, Draft, Seed);
    }

    public TrafficSample Traffic { get; }
    public FraudPolicy Current { get; }
    public FraudPolicy Draft { get; private set; }
    public PolicyTrial Trial { get; private set; }
    public string Currency { get; }

    /// <summary>Decisions in another currency: their amounts are taken as they stand.</summary>
    public int OtherCurrencies { get; }

    /// <summary>Median of what was taken off, minor units: the order that thresholds are shown for.</summary>
    public long TypicalDiscount { get; }
    public long TypicalGoods { get; }
    public double Days => (Traffic.To.UnixMilliseconds - Traffic.From.UnixMilliseconds) / 86_400_000.0;
    public bool Changed => Draft != Current;
    public VerdictBands CurrentBands => CostThresholds.BandsOf(TypicalDiscount, TypicalGoods, Current);
    public VerdictBands Bands => CostThresholds.BandsOf(TypicalDiscount, TypicalGoods, Draft);

    public void Set(FraudCosts costs) => Become(Draft with { Costs = costs });

    /// <param name="share">0 turns it off.</param>
    /// <param name="valuePerDayMax">Minor units.</param>
    public void SetLetThrough(double share, long valuePerDayMax) =>
        Become(Draft with { LetThrough = share > 0 ? new(Math.Clamp(share, LetThroughBody.LetThroughShareMin, LetThroughBody.LetThroughShareMax), Math.Clamp(valuePerDayMax, 1, Bounds.UnitPriceMax), "") : null });

    public void SetFloor(double floor) => Become(Draft with { ReviewFloor = Math.Clamp(floor, 0, 1) });

    /// <summary>Blocks the typical order from this probability on, by what a wronged customer is held to be worth.</summary>
    public void SetBlockFrom(double probability) =>
        Set(Draft.Costs with { WrongedCustomer = Math.Min(Bounds.UnitPriceMax, CostThresholds.WrongedCustomerFor(Math.Clamp(probability, 0, 0.995), TypicalDiscount, TypicalGoods, Draft.Costs)) });

    /// <summary>Sizes the review band to the people there are.</summary>
    public void FitTo(double perDay) => SetFloor(ReviewQueue.FloorFor(Traffic.Attempts, Draft with { ReviewFloor = Current.ReviewFloor }, perDay, Days, Traffic.Scale));

    public void Reset() => Become(Current);

    /// <summary>Attempts that the draft blocks by their score, in the span.</summary>
    public long Blocked => (long)Math.Round(Traffic.Attempts.Count(attempt => !attempt.HardRule && attempt.VerdictUnder(Draft) is Domain.Events.RedemptionStatus.Blocked) * Traffic.Scale);

    public PrecisionAtK PrecisionAt(int k) => ReviewQueue.PrecisionAt(Traffic.Attempts, k);

    /// <summary>Everything else stays as it was written.</summary>
    public FraudPolicyBody Body() => new()
    {
        Version = _written.Version,
        Costs = new()
        {
            WrongedCustomer = Draft.Costs.WrongedCustomer,
            Review = Draft.Costs.Review,
            AbuseMultiple = Draft.Costs.AbuseMultiple,
            LossMin = Draft.Costs.LossMin,
            ReviewCatches = Draft.Costs.ReviewCatches,
            GoodsShare = Draft.Costs.GoodsShare,
        },
        ReviewFloor = Draft.ReviewFloor,
        HardRules = [.. _written.HardRules],
        Channels = [.. _written.Channels],
        HoldSeconds = _written.HoldSeconds,
        LetThrough = Draft.LetThrough is { } through ? new() { Share = through.Share, ValuePerDayMax = through.ValuePerDayMax } : null,
    };

    /// <summary>Attempts by probability and by what the draft says of them: approved, review, blocked.</summary>
    public long[][] Histogram()
    {
        var bins = Enumerable.Range(0, HistogramBins).Select(_ => new long[3]).ToArray();
        foreach (var attempt in Traffic.Attempts)
        {
            if (double.IsNaN(attempt.Probability)) continue;
            bins[Math.Min(HistogramBins - 1, (int)(attempt.Probability * HistogramBins))][attempt.VerdictUnder(Draft) switch
            {
                Domain.Events.RedemptionStatus.Blocked => 2,
                Domain.Events.RedemptionStatus.Review => 1,
                _ => 0,
            }]++;
        }

        return bins;
    }

    private void Become(FraudPolicy draft)
    {
        Draft = draft;
        Trial = PolicyTrial.Of(Traffic.Attempts, Current, Draft, Seed);
    }

    public static FraudCosts CostsOf(FraudCostsBody body) => new(
        body.WrongedCustomer ?? 0, body.Review ?? 0, body.AbuseMultiple ?? 1, body.LossMin ?? 0, body.ReviewCatches ?? 0, body.GoodsShare ?? 0);

    private static long Median(long[] values)
    {
        if (values.Length == 0) return 0;
        Array.Sort(values);
        return values[values.Length / 2];
    }
}
