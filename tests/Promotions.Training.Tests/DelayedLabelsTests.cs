using Promotions.Scoring;

namespace Promotions.Training.Tests;

public class DelayedLabelsTests
{
    [Theory]
    [InlineData(0.7, 10)]
    [InlineData(0.4, 30)]
    public void Probabilities_of_abuse_are_found_where_most_of_it_has_no_label(double share, int youngest)
    {
        var random = new Random(11);
        var arrival = new LabelArrival(share, TimeSpan.FromDays(7), TimeSpan.FromDays(60));
        const int rows = 60_000;
        var (raw, truth, abuse, labelled, arrived) = (new double[rows], new double[rows], new bool[rows], new bool[rows], new double[rows]);
        for (var i = 0; i < rows; i++)
        {
            truth[i] = random.Next(10) == 0 ? 0.2 + (0.7 * random.NextDouble()) : 0.02 * random.NextDouble();
            abuse[i] = random.NextDouble() < truth[i];
            arrived[i] = arrival.By(TimeSpan.FromDays(random.Next(youngest, 70)));
            labelled[i] = abuse[i] && random.NextDouble() < arrived[i];
            raw[i] = (2 * Math.Log(truth[i] / (1 - truth[i]))) + 1;          // in the right order, and otherwise wrong
        }

        var mended = DelayedLabels.Calibrate(raw, labelled, arrived);
        var naive = CalibrationChoice.Fit(raw, labelled, [.. raw.Select(_ => 1f)]);
        Assert.InRange(Mean(mended) / abuse.Count(one => one), 0.93, 1.07);
        Assert.True(Mean(naive) / abuse.Count(one => one) < 0.75, "unlabelled abuse is plenty here, and counts as honest");
        Assert.InRange(Wrong(mended), 0, 0.01);
        Assert.True(Wrong(naive) > 2 * Wrong(mended));

        double Mean(Calibration calibration) => raw.Sum(calibration.Probability);
        double Wrong(Calibration calibration) => raw.Select((score, i) => Math.Abs(calibration.Probability(score) - truth[i])).Average();
    }

    [Fact]
    public void A_label_that_surely_came_leaves_the_plain_calibration()
    {
        var random = new Random(2);
        var raw = Enumerable.Range(0, 5_000).Select(_ => (random.NextDouble() * 8) - 6).ToArray();
        var labelled = raw.Select(score => random.NextDouble() < 1 / (1 + Math.Exp(-score))).ToArray();
        var (plain, same) = (CalibrationChoice.Fit(raw, labelled, [.. raw.Select(_ => 1f)]), DelayedLabels.Calibrate(raw, labelled, [.. raw.Select(_ => 1.0)]));
        Assert.All(raw, score => Assert.Equal(plain.Probability(score), same.Probability(score), 3));
    }

    [Fact]
    public void Labels_come_between_two_ages()
    {
        var arrival = new LabelArrival(0.8, TimeSpan.FromDays(10), TimeSpan.FromDays(50));
        Assert.Equal([0, 0, 0.4, 0.8, 0.8], new[] { 0, 10, 30, 50, 90 }.Select(day => arrival.By(TimeSpan.FromDays(day))));
    }
}
