using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Ledger.Sqlite;
using Promotions.Processing.Costs;
using Promotions.Processing.Decisions;

namespace Promotions.Processing.Tests;

/// <summary>Costs, bands, the queue and trials, against models that count one by one.</summary>
public class PolicyCostTests
{
    private static readonly FraudPolicy Shipped = new(1, FraudCosts.Default, 0.05, [], [], TimeSpan.FromMinutes(30));

    private static readonly Gen<FraudPolicy> Policies = Gen.Select(Gen.Long[0, 5_000], Gen.Long[0, 600], Gen.Double[1, 10], Gen.Long[0, 1_000], Gen.Int[0, 20].Select(twentieth => twentieth / 20.0), Gen.Double[0, 0.5]).Select(
        (wronged, review, multiple, least, catches, goods) => Shipped with { Costs = new(wronged, review, multiple, least, catches, goods), ReviewFloor = goods / 2 });

    private static readonly Gen<JudgedAttempt> Attempts = Gen.Select(Gen.Int[0, 2], Gen.Int[0, 9], Gen.Frequency((9, Gen.Double[0, 1]), (2, Gen.Int[0, 4].Select(tenth => tenth / 4.0)), (1, Gen.Const(double.NaN))), Gen.Long[0, 3_000], Gen.Long[0, 9_000], Gen.Int[0, 11]).Select(
        (day, who, probability, discount, goods, rest) => new JudgedAttempt(new((day * 86_400_000L) + who), "c" + who, probability, discount, goods, rest == 0, rest switch { 1 or 2 => true, 3 or 4 => false, _ => null }));

    [Fact]
    public void Bands_are_where_the_verdict_changes() => Gen.Select(Policies, Gen.Long[0, 5_000], Gen.Long[0, 9_000], Gen.Double[0, 1]).Sample((policy, discount, goods, probability) =>
    {
        var bands = CostThresholds.BandsOf(discount, goods, policy);
        Assert.InRange(bands.ReviewFrom, policy.ReviewFloor, bands.BlockFrom);
        var near = new[] { bands.ReviewFrom, bands.BlockFrom }.Any(edge => Math.Abs(edge - probability) < 1e-9);
        if (near) return;
        var expected = probability < bands.ReviewFrom ? RedemptionStatus.Approved : probability < bands.BlockFrom ? RedemptionStatus.Review : RedemptionStatus.Blocked;
        Assert.Equal(expected, CostThresholds.Verdict(probability, discount, goods, policy));
    }, iter: 20_000);

    [Fact]
    public void A_threshold_says_what_a_wronged_customer_is_worth_and_comes_back_from_it() => Gen.Select(Policies, Gen.Double[0.02, 0.98], Gen.Long[100, 5_000]).Sample((policy, from, discount) =>
    {
        var costs = policy.Costs with { LossMin = 2_000, Review = Math.Min(policy.Costs.Review, 100) };
        var worth = CostThresholds.WrongedCustomerFor(from, discount, 0, costs);
        Assert.InRange(from, From(Math.Max(0, worth - 1)), From(worth + 1));      // money is whole cents

        double From(long wronged) => CostThresholds.BandsOf(discount, 0, policy with { ReviewFloor = 0, Costs = costs with { WrongedCustomer = wronged } }).BlockFrom;
    }, iter: 5_000);

    [Fact]
    public void Goods_are_lost_by_their_share()
    {
        var costs = FraudCosts.Default with { GoodsShare = 0.5 };
        Assert.Equal((1_000 * 5) + (9_000 * 0.5), costs.LossOf(1_000, 9_000));
        Assert.Equal(500, FraudCosts.Default.LossOf(0, 9_000));
        Assert.Equal(RedemptionStatus.Approved, CostThresholds.Verdict(0.3, 100, 9_000, Shipped));
        Assert.Equal(RedemptionStatus.Review, CostThresholds.Verdict(0.3, 100, 9_000, Shipped with { Costs = costs }));
    }

    [Fact]
    public void A_trial_adds_up_as_one_that_takes_each_attempt_by_itself() => Gen.Select(Attempts.Array[0, 60], Policies, Policies).Sample((attempts, current, draft) =>
    {
        var trial = PolicyTrial.Of(attempts, current, draft, seed: 1);
        foreach (var (outcome, policy) in new[] { (trial.Current, current), (trial.Draft, draft) })
        {
            foreach (var verdict in (RedemptionStatus[])[RedemptionStatus.Approved, RedemptionStatus.Review, RedemptionStatus.Blocked])
            {
                var mine = attempts.Where(a => Naive(a, policy) == verdict).ToArray();
                var tally = outcome.Of(verdict);
                Assert.Equal((mine.Length, mine.Sum(a => a.Discount)), (tally.Attempts, tally.Discount));
                Assert.Equal((mine.Count(a => a.Abuse is true), mine.Count(a => a.Abuse is false)), (tally.KnownAbuse, tally.KnownHonest));
                Assert.Equal(mine.Sum(Share), tally.Abuse, 1e-6);
                Assert.Equal(mine.Sum(a => Share(a) * Loss(a, draft.Costs)), tally.AbuseLoss, 1e-4);
            }

            Assert.Equal(attempts.Sum(a => NaiveCost(a, Naive(a, policy), draft.Costs)), outcome.Cost, 1e-4);
        }

        var nothing = attempts.Sum(a => NaiveCost(a, a.HardRule ? RedemptionStatus.Blocked : RedemptionStatus.Approved, draft.Costs));
        Assert.Equal(nothing - trial.Draft.Cost, trial.Saving.Value, 1e-4);
        Assert.Equal(trial.Current.Cost - trial.Draft.Cost, trial.Gain.Value, 1e-4);
        Assert.True(trial.Saving.Low <= trial.Saving.High);
    }, iter: 300);

    [Fact]
    public void The_interval_is_seeded_counts_customers_and_not_attempts_and_covers_as_it_says()
    {
        Assert.Equal(PolicyTrial.Bootstrap([1, 5, 9, 2], 7), PolicyTrial.Bootstrap([1, 5, 9, 2], 7));
        Assert.Equal(new Range95(12, 12, 12), PolicyTrial.Bootstrap([4, 4, 4], 7));
        Assert.Equal(default, PolicyTrial.Bootstrap([], 7));

        // One ring with forty attempts or none: the day could have been without it.
        JudgedAttempt[] ring = [.. Enumerable.Range(0, 40).Select(i => new JudgedAttempt(new(i), "ring", 0.9, 1_000, 0, false, true)), .. Enumerable.Range(0, 200).Select(i => new JudgedAttempt(new(i), "c" + i, 0.001, 100, 0, false, null))];
        Assert.Equal(0, PolicyTrial.Of(ring, Shipped, Shipped, 3).Saving.Low, 1e-9);

        var random = new Random(11);
        var hits = 0;
        for (var trial = 0; trial < 200; trial++)
        {
            var range = PolicyTrial.Bootstrap([.. Enumerable.Range(0, 80).Select(_ => random.NextDouble())], trial);
            if (range.Low <= 40 && range.High >= 40) hits++;
        }

        Assert.InRange(hits, 178, 200);
    }

    [Fact]
    public void The_floor_leaves_as_many_reviews_as_there_is_room_for_and_not_one_fewer_than_it_could() => Gen.Select(Attempts.Array[0, 60], Policies, Gen.Int[0, 20], Gen.Int[1, 3]).Sample((attempts, policy, perDay, scale) =>
    {
        var floor = ReviewQueue.FloorFor(attempts, policy, perDay, 3, scale);
        var unscored = Reviews(policy).Count(a => double.IsNaN(a.Probability));
        var room = Math.Max(unscored, perDay * 3.0 / scale);
        Assert.True(floor >= policy.ReviewFloor);
        Assert.True(Reviews(policy with { ReviewFloor = floor }).Length <= room);
        // The next lower probability that is reviewed now would be too many, with all that tie with it.
        var lower = Reviews(policy).Where(a => a.Probability < floor).Select(a => a.Probability).DefaultIfEmpty(double.NaN).Max();
        if (!double.IsNaN(lower)) Assert.True(Reviews(policy with { ReviewFloor = lower }).Length > room);

        JudgedAttempt[] Reviews(FraudPolicy under) => [.. attempts.Where(a => Naive(a, under) is RedemptionStatus.Review)];
    }, iter: 2_000);

    [Fact]
    public void Precision_at_k_is_the_share_of_abuse_among_each_days_highest()
    {
        JudgedAttempt[] attempts =
        [
            At(0, 0.9, true), At(0, 0.8, false), At(0, 0.7, null), At(0, 0.1, true),
            At(1, 0.4, true), At(1, double.NaN, true),
        ];
        Assert.Equal(new(2, 3, 3, 2 / 3.0, 2 / 3.0), ReviewQueue.PrecisionAt(attempts, 2));
        var three = ReviewQueue.PrecisionAt(attempts, 3);
        Assert.Equal((4, 3, 2 / 3.0, 2.7 / 4), (three.Looked, three.Known, three.Precision, three.Expected));
        Assert.True(double.IsNaN(ReviewQueue.PrecisionAt([], 5).Precision));

        static JudgedAttempt At(int day, double probability, bool? abuse) => new(new(day * 86_400_000L), "c", probability, 0, 0, false, abuse);
    }

    [Fact]
    public async Task Recorded_traffic_is_read_whole_where_it_fits_and_by_even_runs_where_not()
    {
        var folder = Directory.CreateTempSubdirectory("promotions-traffic-");
        try
        {
            // Three hours, 600 decisions every quarter of one; then a label each way.
            const int Count = 7_200;
            var start = new EventTime(1_780_000_000_000);
            var time = new FakeTimeProvider(start.ToDateTimeOffset());
            await using var ledger = SqliteLedger.Open(new() { Path = Path.Combine(folder.FullName, "ledger.db") }, time);
            var token = TestContext.Current.CancellationToken;
            for (var chunk = 0; chunk < Count; chunk += 600)
            {
                await Task.WhenAll(Enumerable.Range(chunk, 600).Select(i => ledger.ExecuteAsync(Decide(i, start), Lane.Decision, token)));
                time.Advance(TimeSpan.FromMinutes(15));
            }

            await LabelAsync("l-1", "r-10", true);
            await LabelAsync("l-2", "r-10", false);

            var (all, none) = (Read(10_000), RecordedTraffic.Read(ledger.Reader, start.Plus(TimeSpan.FromDays(1)), start.Plus(TimeSpan.FromDays(2)), 1_000));
            Assert.Equal((Count, 1.0), (all.Decisions.Count, all.Scale));
            Assert.Equal(Count, all.Decisions.Select(d => d.Position).Distinct().Count());
            Assert.False(all.Labels["r-10"].Abuse);
            Assert.Single(all.Attempts, attempt => attempt.Abuse is false);
            Assert.Empty(none.Decisions);

            var some = Read(1_000);
            Assert.InRange(some.Decisions.Count, 800, 1_200);
            Assert.InRange(some.Scale * some.Decisions.Count, Count * 0.9, Count * 1.1);
            var hours = some.Decisions.GroupBy(d => (d.DecidedAt.UnixMilliseconds - start.UnixMilliseconds) / 3_600_000).Select(hour => hour.Count()).ToArray();
            Assert.Equal(3, hours.Length);
            Assert.All(hours, hour => Assert.InRange(hour, 250, 420));

            var hour = RecordedTraffic.Read(ledger.Reader, start.Plus(TimeSpan.FromHours(1)), start.Plus(TimeSpan.FromHours(2)), 10_000);
            Assert.Equal(2_400, hour.Decisions.Count);

            TrafficSample Read(int max) => RecordedTraffic.Read(ledger.Reader, start, start.Plus(TimeSpan.FromHours(3)), max);
            async Task LabelAsync(string id, string redemption, bool abuse) =>
                Assert.True((await ledger.ExecuteAsync(new RecordLabel(new("admin", "tests"), new(id, redemption, abuse, "review", null, "ada", start, new("c", null, null, null, [], null, null))), Lane.Decision, token)).Accepted);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static DecideRedemption Decide(int number, EventTime at)
    {
        var cart = new Cart("o-" + number, "EUR", [new("1", "tea", "drinks", 1, 2_000)], 0);
        var request = new RedemptionRequest(AttemptKind.Redemption, "r-" + number, "web", "key", new("c-" + (number % 50), null), cart, [], new(null, null, null, null, null, null), at, null, null, new byte[32]);
        var risk = new RiskAssessment(0.01, -4.6, RedemptionStatus.Approved, [], new float[] { 1 }, 0, "m", 7, 1, null, null);
        return new(new("api_key", "key"), at, new(request, Promotions.Features.Entities.From(request), new(RefusalCode.None, [], [], 2_000, 0, 2_000, 2_000), RedemptionStatus.Approved, RefusalCode.None, risk, [], TimeSpan.FromMinutes(30)));
    }

    private static RedemptionStatus Naive(JudgedAttempt attempt, FraudPolicy policy)
    {
        if (attempt.HardRule) return RedemptionStatus.Blocked;
        if (double.IsNaN(attempt.Probability)) return RedemptionStatus.Review;
        if (attempt.Probability < policy.ReviewFloor) return RedemptionStatus.Approved;
        var costs = policy.Costs;
        var loss = Loss(attempt, costs);
        (double Cost, RedemptionStatus Verdict)[] ways =
        [
            (attempt.Probability * loss, RedemptionStatus.Approved), (costs.Review + (attempt.Probability * loss * (1 - costs.ReviewCatches)), RedemptionStatus.Review),
            ((1 - attempt.Probability) * costs.WrongedCustomer, RedemptionStatus.Blocked),
        ];
        return ways.OrderBy(way => way.Cost).First().Verdict;       // stable: the lighter first
    }

    private static double Loss(JudgedAttempt attempt, FraudCosts costs) => Math.Max(costs.LossMin, (costs.AbuseMultiple * attempt.Discount) + (costs.GoodsShare * attempt.Goods));

    private static double Share(JudgedAttempt attempt) => attempt.Abuse switch { true => 1, false => 0, null => double.IsNaN(attempt.Probability) ? 0 : attempt.Probability };

    private static double NaiveCost(JudgedAttempt attempt, RedemptionStatus verdict, FraudCosts costs)
    {
        var (abuse, loss) = (Share(attempt), Loss(attempt, costs));
        return verdict switch
        {
            RedemptionStatus.Approved => abuse * loss,
            RedemptionStatus.Review => costs.Review + (abuse * loss * (1 - costs.ReviewCatches)),
            _ => (1 - abuse) * costs.WrongedCustomer,
        };
    }
}
