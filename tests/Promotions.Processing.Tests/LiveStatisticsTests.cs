using Microsoft.Extensions.Time.Testing;
using Promotions.Domain.Events;
using Promotions.Processing.Statistics;

namespace Promotions.Processing.Tests;

public class LiveStatisticsTests
{
    private readonly FakeTimeProvider _time = new(new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Nothing_decided_is_zero_and_has_no_latency()
    {
        var snapshot = new LiveStatistics(_time).Read();
        Assert.Equal((0d, 0L, null), (snapshot.RatePerSecond, snapshot.Outcomes.Total, snapshot.Latency));
        Assert.Equal(LiveStatistics.SecondsKept, snapshot.PerSecond.Count);
    }

    [Fact]
    public void Rate_is_of_whole_seconds_and_outcomes_are_counted_at_once()
    {
        var statistics = new LiveStatistics(_time);
        for (var i = 0; i < 20; i++) statistics.Observe(RedemptionStatus.Approved, TimeSpan.FromMilliseconds(1));
        statistics.Observe(RedemptionStatus.Blocked, TimeSpan.FromMilliseconds(1));
        Assert.Equal((0d, new OutcomeCounts(20, 0, 1, 0)), (statistics.Read().RatePerSecond, statistics.Read().Outcomes));

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2.1, statistics.Read().RatePerSecond, 9);
        Assert.Equal(21, statistics.Read().PerSecond[^1]);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(0, statistics.Read().RatePerSecond);
        Assert.Equal(21, statistics.Read().PerSecond[^11]);
    }

    [Fact]
    public void What_is_older_than_five_minutes_is_forgotten_slot_by_slot()
    {
        var statistics = new LiveStatistics(_time);
        statistics.Observe(RedemptionStatus.Review, TimeSpan.FromMilliseconds(1));
        _time.Advance(TimeSpan.FromSeconds(LiveStatistics.SecondsKept));
        statistics.Observe(RedemptionStatus.Rejected, TimeSpan.FromMilliseconds(1));
        Assert.Equal(new OutcomeCounts(0, 1, 0, 1), statistics.Read().Outcomes);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new OutcomeCounts(0, 0, 0, 1), statistics.Read().Outcomes);
    }

    [Fact]
    public void Quantiles_are_at_most_fifteen_percent_above_the_exact_ones()
    {
        var statistics = new LiveStatistics(_time);
        for (var i = 1; i <= 1_000; i++) statistics.Observe(RedemptionStatus.Approved, TimeSpan.FromMilliseconds(i * 0.1));
        var latency = statistics.Read().Latency!;
        Assert.InRange(latency.P50, 50, 57.5);
        Assert.InRange(latency.P95, 95, 109.25);
        Assert.InRange(latency.P99, 99, 113.85);
    }

    [Fact]
    public void A_latency_beyond_the_last_bound_is_counted_in_it()
    {
        var statistics = new LiveStatistics(_time);
        statistics.Observe(RedemptionStatus.Approved, TimeSpan.FromHours(1));
        statistics.Observe(RedemptionStatus.Approved, TimeSpan.Zero);
        Assert.InRange(statistics.Read().Latency!.P99, 28_000, 30_000);
        Assert.Equal(0.05, statistics.Read().Latency!.P50, 9);
    }
}
