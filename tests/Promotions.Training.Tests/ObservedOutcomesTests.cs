using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Training.Tests;

/// <summary>What passed and what was answered stands for all that would have been blocked; what nobody saw says nothing.</summary>
public class ObservedOutcomesTests
{
    private const double Share = 0.05;

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    [InlineData(1)]
    public void Weighed_rows_have_the_share_of_abuse_that_all_attempts_have_whatever_reviewers_answer(double answered)
    {
        // 40,000 ordinary attempts of which a hundredth is abuse, and 10,000 that the model blocks, of which 70 % are: in truth 0.148 of all.
        var random = new Random(7);
        List<LoggedAttempt> rows = [.. Enumerable.Range(0, 40_000).Select(_ => Attempt(RedemptionStatus.Approved, random.NextDouble() < 0.01, null))];
        var abusive = rows.Count(row => row.Abuse is true);
        for (var i = 0; i < 10_000; i++)
        {
            var abuse = random.NextDouble() < 0.7;
            if (abuse) abusive++;
            var drawn = random.NextDouble() < Share;
            var seen = drawn || random.NextDouble() < answered;
            rows.Add(Attempt(drawn ? RedemptionStatus.Approved : RedemptionStatus.Blocked, seen ? abuse : null, new(Share, drawn, 1, 1_000_000)));
        }

        var truth = (double)abusive / rows.Count;
        var weights = ObservedOutcomes.Weigh(rows);
        double Weighed(Func<LoggedAttempt, bool> of) => rows.Zip(weights).Where(pair => of(pair.First)).Sum(pair => (double)pair.Second);
        Assert.InRange(Weighed(row => row.Abuse is true) / Weighed(_ => true), truth - 0.018, truth + 0.018);       // three standard errors where only the 500 that passed are seen
        Assert.InRange(Weighed(row => row.LetThrough is not null), 8_700, 11_300);

        // As it was without: what is blocked and unanswered counted as honest.
        if (answered < 1) Assert.True((double)rows.Count(row => row.Abuse is true) / rows.Count < truth - 0.03);
    }

    [Fact]
    public void Without_a_share_that_passes_an_answer_counts_once_and_silence_about_what_was_given_nothing_does_not()
    {
        var (passed, blocked, rejected, unknown) = (RedemptionStatus.Approved, RedemptionStatus.Blocked, RedemptionStatus.Rejected, (RedemptionStatus?)null);
        Assert.Equal(
            [1, 1, 0, 1, 0, 1, 1],
            ObservedOutcomes.Weigh([Attempt(passed, null, null), Attempt(RedemptionStatus.Review, null, null), Attempt(blocked, null, null), Attempt(blocked, true, null), Attempt(rejected, null, null), Attempt(rejected, false, null), Attempt(unknown, null, null)]));
        Assert.Empty(ObservedOutcomes.Weigh([]));
    }

    private static LoggedAttempt Attempt(RedemptionStatus? status, bool? abuse, LetThroughDraw? draw) => new("r", 1, default, [], [], abuse, null, null, status, draw);
}
