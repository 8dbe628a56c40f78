using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Promotions.Analytics.Results;
using Promotions.Analytics.Sink;
using Promotions.Analytics.Statistics;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using static Promotions.Analytics.Tests.OutboxLedger;

namespace Promotions.Analytics.Tests;

public sealed class CampaignResultsTests(EngineFixture engine)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private async Task<CampaignResult> ResultAsync(OutboxLedger ledger, string campaign = "spring", int rowsMax = 20_000)
    {
        using var database = engine.NewDatabase();
        return await ResultAsync(ledger, database, campaign, rowsMax);
    }

    private static async Task<CampaignResult> ResultAsync(OutboxLedger ledger, AnalyticsDatabase database, string campaign = "spring", int rowsMax = 20_000)
    {
        using var sink = new OutboxSink(ledger, new MemorySettings(), database, new() { RowsMax = rowsMax }, TimeProvider.System, NullLogger<OutboxSink>.Instance);
        await sink.CatchUpAsync(null, Stop);
        return (await new CampaignResults(database, () => ledger.LastOutboxPosition).ComputeAsync(campaign, Stop))!;
    }

    /// <summary>Each customer of <paramref name="treated"/> and <paramref name="control"/> orders for this much; 0 for no order.</summary>
    private static OutboxLedger Shop(long[] treated, long[] control)
    {
        var ledger = new OutboxLedger().Campaign("spring", 5_000);
        for (var i = 0; i < Math.Max(treated.Length, control.Length); i++)
        {
            if (i < treated.Length) Customer($"t-{i}", Arm.Treated, treated[i], i);
            if (i < control.Length) Customer($"k-{i}", Arm.Control, control[i], i);
        }

        return ledger;

        void Customer(string id, Arm arm, long spent, int number)
        {
            ledger.Triggered("spring", id, arm, At(number % 5), ghost: arm is Arm.Control);
            if (spent > 0) ledger.Order("order-" + id, id, spent, At(number % 5 + number % 3));
        }
    }

    private static long[] Spends(int count, int seed, long shift)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(3) == 0 ? 0 : shift + random.Next(5_000))];
    }

    [Fact]
    public async Task Treated_and_control_are_compared_over_every_triggered_customer()
    {
        var (treated, control) = (Spends(120, 1, 900), Spends(100, 2, 500));
        var result = await ResultAsync(Shop(treated, control));

        var expected = WelchTest.Compare(
            SampleMoments.FromValues([.. treated.Select(static spent => (double)spent)]), SampleMoments.FromValues([.. control.Select(static spent => (double)spent)]))!.Value;
        Assert.Equal((120, treated.Count(static spent => spent > 0), treated.Sum()), (result.Treated.Customers, result.Treated.Buyers, result.Treated.Sales));
        Assert.Equal((100, control.Count(static spent => spent > 0), control.Sum()), (result.Control.Customers, result.Control.Buyers, result.Control.Sales));
        Assert.Equal((0, 100), (result.Treated.GhostOffers, result.Control.GhostOffers));
        Assert.Null(result.Effect.TooLittleData);
        Assert.Equal("welch_absolute", result.Effect.Test);
        Assert.Equal(expected.Difference, result.Effect.Difference!.Value, 1e-9);
        Assert.Equal(expected.Low, result.Effect.Difference.Low, 1e-9);
        Assert.Equal(expected.High, result.Effect.Difference.High, 1e-9);
        Assert.Equal(expected.PValue, result.Effect.PValue!.Value, 1e-12);
        Assert.Equal(expected.Difference * 120, result.Effect.IncrementalSales!.Value, 1e-6);
        Assert.Equal(result.Effect.Difference, result.Daily[^1].Difference);
        Assert.Equal(result.Treated.SalesPerCustomer, result.Daily[^1].Treated);
        Assert.Equal(("EUR", 0L), (result.Currency, result.Freshness.OutboxBehind));
    }

    [Fact]
    public async Task P_value_and_interval_equal_those_of_the_engines_own_welch_test()
    {
        using var database = engine.NewDatabase();
        var result = await ResultAsync(Shop(Spends(80, 3, 700), Spends(90, 4, 600)), database);
        var own = await database.QueryAsync(
            """
            SELECT welchTTest(0.95)(spent, index) FROM
            (
                SELECT assigned.customer_id, toFloat64(sum(rollup.sales)) AS spent, any(assigned.arm) = 'control' AS index
                FROM (SELECT customer_id, arm FROM $database.arms WHERE first) AS assigned
                LEFT JOIN $database.campaign_customer_sales AS rollup ON rollup.customer_id = assigned.customer_id
                GROUP BY assigned.customer_id
            )
            """, null, static row => row.GetValue(0), Stop);
        var numbers = ((System.Runtime.CompilerServices.ITuple)own[0]);
        double At(int index) => Convert.ToDouble(numbers[index], CultureInfo.InvariantCulture);

        Assert.Equal(At(1), result.Effect.PValue!.Value, 1e-9);
        Assert.Equal(At(2), result.Effect.Difference!.Low, 1e-6);
        Assert.Equal(At(3), result.Effect.Difference.High, 1e-6);
    }

    [Fact]
    public async Task Orders_before_the_trigger_and_orders_in_another_currency_do_not_count()
    {
        var ledger = new OutboxLedger().Campaign("spring", 5_000)
            .Order("before", "c", 5_000, At(0.9)).Triggered("spring", "c", Arm.Treated, At(1)).Order("same-moment", "c", 70, At(1)).Order("dollars", "c", 900, At(2), "USD").Order("after", "c", 30, At(3));
        var result = await ResultAsync(ledger);
        Assert.Equal((100, 2, 1), (result.Treated.Sales, result.Treated.Orders, result.Treated.Buyers));
    }

    [Fact]
    public async Task Late_facts_count_whatever_order_they_come_in()
    {
        // The assignment, the order and the return of each customer in every order of arrival, one row a batch.
        var ledger = new OutboxLedger().Campaign("spring", 5_000);
        int[][] orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        foreach (var (order, number) in orders.Select(static (order, number) => (order, number)))
        {
            var customer = Ids.Customer(number);
            foreach (var step in order)
            {
                if (step == 0) ledger.Triggered("spring", customer, Arm.Treated, At(1));
                else if (step == 1) ledger.Order("o-" + customer, customer, 1_000, At(2));
                else ledger.Return("r-" + customer, "o-" + customer, customer, 400, At(3));
            }
        }

        var result = await ResultAsync(ledger, rowsMax: 1);
        Assert.Equal((6 * 600, 6, 6), (result.Treated.Sales, result.Treated.Orders, result.Treated.Buyers));
    }

    [Fact]
    public async Task A_return_restates_the_day_of_its_order()
    {
        var ledger = new OutboxLedger().Campaign("spring", 5_000);
        for (var i = 0; i < 2; i++) ledger.Triggered("spring", Ids.Customer(i), Arm.Treated, At(0)).Order($"o{i}", Ids.Customer(i), 1_000, At(1));
        var before = await ResultAsync(ledger);
        var after = await ResultAsync(ledger.Return("r", "o1", Ids.Customer(1), 1_000, At(6)));

        Assert.Equal([0, 1_000], before.Daily.Select(static day => day.Treated!.Value));
        Assert.Equal([0, 500, 500, 500, 500, 500, 500], after.Daily.Select(static day => day.Treated!.Value));
        Assert.Equal(2, after.Treated.Buyers);
    }

    [Fact]
    public async Task Sales_count_until_the_end_of_the_campaigns_last_day()
    {
        var ledger = new OutboxLedger().Campaign("spring", 5_000, endsAt: At(2.1)).Triggered("spring", "c", Arm.Treated, At(0))
            .Order("last-day", "c", 10, At(2.5)).Order("day-after", "c", 100, At(2.7));   // the day starts at 08:00 − 8 h
        var result = await ResultAsync(ledger);
        Assert.Equal(10, result.Treated.Sales);
        Assert.Equal("2026-03-04T00:00:00.000Z", result.Window.EndsAt!.Value.ToString());
        Assert.Equal(new DateOnly(2026, 3, 3), result.Daily[^1].Day);
    }

    [Theory]
    [InlineData(0, 0, "No customer")]
    [InlineData(29, 40, "Too few customers")]
    [InlineData(40, 29, "Too few customers")]
    public async Task Too_little_data_says_so_instead_of_a_number(int treated, int control, string words)
    {
        var result = await ResultAsync(Shop(Spends(treated, 5, 100), Spends(control, 6, 100)));
        Assert.StartsWith(words, result.Effect.TooLittleData, StringComparison.Ordinal);
        Assert.Equal((null, null, null), (result.Effect.Difference, result.Effect.PValue, result.Effect.IncrementalSales));
    }

    [Fact]
    public void Rule_of_enough_data_names_what_is_missing()
    {
        SampleMoments some = new(30, 100, 50), none = new(0, 0, 0), still = new(30, 100, 0);
        Assert.Null(EffectRule.TooLittleData(some, 10, some, 10, true));
        Assert.StartsWith("Too few buyers", EffectRule.TooLittleData(some, 9, some, 10, true), StringComparison.Ordinal);
        Assert.StartsWith("The campaign has no control group", EffectRule.TooLittleData(some, 10, none, 0, false), StringComparison.Ordinal);
        Assert.StartsWith("Not enough variation", EffectRule.TooLittleData(still, 10, still, 10, true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_split_is_flagged_and_a_right_one_is_not()
    {
        var right = await ResultAsync(Shop(Spends(105, 7, 100), Spends(95, 8, 100)));
        var broken = await ResultAsync(Shop(Spends(140, 7, 100), Spends(60, 8, 100)));
        Assert.False(right.SampleRatio.Mismatch);
        Assert.True(broken.SampleRatio.Mismatch);
        Assert.Equal(SampleRatio.PValue([60, 140], [0.5, 0.5]), broken.SampleRatio.PValue!.Value, 1e-12);
        Assert.Equal(0.5, broken.SampleRatio.ExpectedControlShare);
    }

    [Fact]
    public async Task A_changed_control_share_is_expected_of_those_assigned_under_it_only()
    {
        var ledger = new OutboxLedger().Campaign("spring", 5_000);
        for (var i = 0; i < 100; i++) ledger.Triggered("spring", $"a-{i}", i % 2 == 0 ? Arm.Control : Arm.Treated, At(0));
        ledger.Campaign("spring", 1_000, version: 2);
        for (var i = 0; i < 100; i++) ledger.Triggered("spring", $"b-{i}", i % 10 == 0 ? Arm.Control : Arm.Treated, At(1), version: 2);
        var result = await ResultAsync(ledger);
        Assert.Equal(0.3, result.SampleRatio.ExpectedControlShare, 1e-12);
        Assert.Equal(1, result.SampleRatio.PValue!.Value, 1e-12);
    }

    [Fact]
    public async Task A_later_ghost_offer_does_not_assign_again()
    {
        var ledger = new OutboxLedger().Campaign("spring", 5_000)
            .Triggered("spring", "c", Arm.Control, At(0), ghost: true).Triggered("spring", "c", Arm.Control, At(1), ghost: true, first: false);
        var result = await ResultAsync(ledger);
        Assert.Equal((1, 2), (result.Control.Customers, result.Control.GhostOffers));
    }

    [Fact]
    public async Task Redemption_rate_states_its_denominator_and_interval()
    {
        var ledger = new OutboxLedger().Campaign("welcome", 0, Distribution.Private);
        for (var i = 0; i < 50; i++) ledger.Coupon("welcome", $"W{i}", Ids.Customer(i), 1, At(0));
        for (var i = 0; i < 10; i++) ledger.Revoked("welcome", $"W{40 + i}", At(0.1));
        for (var i = 0; i < 20; i++)
            ledger.Redemption($"r{i}", "welcome", Ids.Customer(i), $"W{i}", i < 16 ? RedemptionStatus.Approved : i < 18 ? RedemptionStatus.Blocked : RedemptionStatus.Review, 150, At(1), captured: i < 12);
        var result = await ResultAsync(ledger, "welcome");

        Assert.Equal((40, 20, 16, 2, 2, 0, 12), (result.Redemptions.Issued, result.Redemptions.Attempted, result.Redemptions.Approved, result.Redemptions.Review,
            result.Redemptions.Blocked, result.Redemptions.Rejected, result.Redemptions.Redeemed));
        var rate = result.Redemptions.RedemptionRate;
        var (low, high) = WilsonInterval.Of(12, 40);
        Assert.Equal((12, 40, "coupons_issued"), (rate.Count, rate.Of, rate.Denominator));
        Assert.Equal(new IntervalEstimate(0.3, low, high), rate.Interval);
        Assert.Equal((12 * 150, 6 * 150), (result.DiscountCost, result.DiscountHeld));
        Assert.StartsWith("The campaign has no control group", result.Effect.TooLittleData, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_campaign_has_no_result_and_a_missing_ClickHouse_says_so()
    {
        using var database = engine.NewDatabase();
        var results = new CampaignResults(database);
        await Assert.ThrowsAsync<AnalyticsUnavailableException>(() => results.ComputeAsync("spring", Stop));
        await ResultAsync(new OutboxLedger().Campaign("spring", 100), database);
        Assert.Null(await results.ComputeAsync("autumn", Stop));
        using var nowhere = new AnalyticsDatabase(new("127.0.0.1", 9));
        await Assert.ThrowsAsync<AnalyticsUnavailableException>(() => new CampaignResults(nowhere).ComputeAsync("spring", Stop));
    }
}
