using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Processing.Costs;
using Promotions.Processing.Decisions;

namespace Promotions.Processing.Tests;

/// <summary>What passed tells the truth about what was blocked, whatever the share was, and whatever the day had room for.</summary>
public class LetThroughOutcomeTests
{
    private const long Day = 86_400_000;
    private static readonly FraudCosts Costs = FraudCosts.Default;
    private static readonly EventTime Now = new(200 * Day);
    private static readonly TimeSpan Mature = TimeSpan.FromDays(45);

    [Fact]
    public void Estimates_are_right_on_average_and_plain_shares_of_what_passed_are_not()
    {
        // A tenth passes while nearly everything is abuse, then a fiftieth while half is; each day has room for a few, and dear attempts are abuse more often.
        const int Runs = 300;
        var (shares, saved, truths, truthsSaved, plain, covered) = (0.0, 0.0, 0.0, 0.0, 0.0, 0);
        for (var run = 0; run < Runs; run++)
        {
            var (attempts, truth, truthSaved) = Shop(new Random(run));
            var told = LetThroughOutcome.Of(attempts, Costs, Now, Mature, run);
            Assert.True(told.WithoutRoom > 0 && told.AbuseShare is not null);
            shares += told.AbuseShare!.Value.Value;
            saved += told.Saved!.Value.Value;
            truths += truth;
            truthsSaved += truthSaved;
            plain += (double)told.JudgedAbuse / told.Judged;
            if (told.AbuseShare.Value.Low <= truth && truth <= told.AbuseShare.Value.High) covered++;
        }

        Assert.InRange(shares / Runs, (truths / Runs) - 0.01, (truths / Runs) + 0.01);
        Assert.InRange(saved / truthsSaved, 0.97, 1.03);
        Assert.InRange(covered, Runs * 0.90, Runs);
        Assert.True((plain / Runs) - (truths / Runs) > 0.1, "without weights the time of the larger share counts too much");
    }

    [Fact]
    public void What_passed_lately_is_not_judged_and_a_label_that_came_early_makes_no_difference()
    {
        List<WouldBeBlock> attempts = [.. Enumerable.Range(0, 30).Select(i => Passed(i, at: 10 * Day)), .. Enumerable.Range(30, 30).Select(i => Passed(i, at: Now.UnixMilliseconds - Day, abuse: true))];
        var told = LetThroughOutcome.Of(attempts, Costs, Now, Mature, 1);
        Assert.Equal((60, 60, 30, 30, 0, 0.0), (told.WouldBe, told.Passed, told.TooYoung, told.Judged, told.JudgedAbuse, told.AbuseShare!.Value.Value));
    }

    [Fact]
    public void Too_few_are_counted_and_nothing_is_estimated()
    {
        var told = LetThroughOutcome.Of([.. Enumerable.Range(0, LetThroughOutcome.JudgedMin - 1).Select(i => Passed(i, at: Day))], Costs, Now, Mature, 1);
        Assert.Equal((19, null, null), (told.Judged, told.AbuseShare, told.Saved));
        Assert.Equal(new(0, 0, 0, 0, 0, 0, 0, null, null), LetThroughOutcome.Of([], Costs, Now, Mature, 1));
    }

    [Fact]
    public void One_visitor_who_came_a_hundred_times_widens_the_interval()
    {
        List<WouldBeBlock> Of(Func<int, string> cluster) => [.. Enumerable.Range(0, 200).Select(i => Passed(i, at: Day, abuse: i < 100) with { Cluster = cluster(i) })];
        var each = LetThroughOutcome.Of(Of(i => string.Create(CultureInfo.InvariantCulture, $"c{i}")), Costs, Now, Mature, 1).AbuseShare!.Value;
        var one = LetThroughOutcome.Of(Of(i => i < 100 ? "bot" : string.Create(CultureInfo.InvariantCulture, $"c{i}")), Costs, Now, Mature, 1).AbuseShare!.Value;
        Assert.Equal(each.Value, one.Value);
        Assert.True(one.High - one.Low > 3 * (each.High - each.Low));
    }

    /// <summary>What the driver and the ledger would have recorded, and the truth about all that had a chance.</summary>
    private static (List<WouldBeBlock> Attempts, double AbuseShare, double Saved) Shop(Random random)
    {
        const int Days = 80, PerDay = 60;
        const long DayMax = 4_000;
        var attempts = new List<WouldBeBlock>();
        var (abusive, all, blocked, saving) = (0, 0, 0, 0.0);
        for (var day = 0; day < Days; day++)
        {
            var taken = 0L;
            for (var i = 0; i < PerDay; i++)
            {
                var share = day < Days / 2 ? 0.2 : 0.1;
                var value = random.Next(100, 1_000);
                var abuse = random.NextDouble() < (day < Days / 2 ? 0.9 : 0.3) + (value > 800 ? 0.1 : 0);
                var (room, drawn) = (value <= DayMax - taken, random.NextDouble() < share);
                var passes = drawn && room;
                if (passes) taken += value;
                else blocked++;
                if (room)
                {
                    all++;
                    if (abuse) abusive++;
                    saving += abuse ? Costs.LossOf(value, 0) : -Costs.WrongedCustomer;
                }

                attempts.Add(new(
                    attempts.Count, new((day * Day) + (i * 1_000)), string.Create(CultureInfo.InvariantCulture, $"c{attempts.Count}"), passes ? RedemptionStatus.Approved : RedemptionStatus.Blocked, share, drawn, value, DayMax,
                    value, 0, passes && abuse ? true : null));
            }
        }

        return (attempts, (double)abusive / all, saving / all * blocked);
    }

    private static WouldBeBlock Passed(int number, long at, bool abuse = false) =>
        new(number, new(at), string.Create(CultureInfo.InvariantCulture, $"c{number}"), RedemptionStatus.Approved, 0.1, true, 1, 1_000, 500, 5_000, abuse ? true : null);
}
