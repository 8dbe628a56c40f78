using Promotions.Scoring;

namespace Promotions.Training.Tests;

public class EvaluationTests
{
    [Fact]
    public void Rank_metrics_equal_their_definitions_with_ties()
    {
        var random = new Random(6);
        for (var round = 0; round < 50; round++)
        {
            var scores = Enumerable.Range(0, 60).Select(_ => random.Next(15) / 15.0).ToArray();
            var labels = scores.Select(s => random.NextDouble() < s).ToArray();
            labels[0] = true;
            labels[1] = false;

            double pairs = 0, above = 0, precision = 0;
            for (var i = 0; i < 60; i++)
            {
                if (!labels[i]) continue;
                for (var j = 0; j < 60; j++)
                {
                    if (labels[j]) continue;
                    pairs++;
                    above += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
                }
                precision += (double)Enumerable.Range(0, 60).Count(j => labels[j] && scores[j] >= scores[i]) / Enumerable.Range(0, 60).Count(j => scores[j] >= scores[i]);
            }
            Assert.Equal(above / pairs, Evaluation.Auc(scores, labels), 1e-12);
            Assert.Equal(precision / labels.Count(l => l), Evaluation.AveragePrecision(scores, labels), 1e-12);
        }
    }

    [Fact]
    public void False_alarm_points_keep_to_the_asked_share_of_honest_rows()
    {
        // A stump model: value ≤ 0 scores low, above 0 high. 3 of 1000 honest rows and 8 of 10 abusive ones are high.
        var stump = new DecisionTree([0], [0f], [false], [-1], [-2], [-2, 2], [1, 1]);
        var scorer = TreeScorer.Load(ModelFile.Write(new(1, ["x"], [stump], Calibration.None, null)));
        var rows = Enumerable.Range(0, 1010).Select(i => new TrainingRow([i < 3 || i >= 1002 ? 1f : -1f], i >= 1000, 1, new(i))).ToArray();
        var metrics = Evaluation.Measure(scorer, rows);
        var strict = metrics.FalseAlarms.Single(p => p.HonestFlagged == 0 && p.AbuseCaught == 0 && ReferenceEquals(p, metrics.FalseAlarms[2]));
        Assert.True(strict.Threshold > scorer.Probability(2));
        Assert.Equal(new(0.003, scorer.Probability(2), 0.8), metrics.FalseAlarms[3]);
    }

    [Fact]
    public void Platt_finds_the_curve_that_made_the_labels()
    {
        var random = new Random(8);
        var raw = Enumerable.Range(0, 40_000).Select(_ => (random.NextDouble() * 8) - 4).ToArray();
        var labels = raw.Select(r => random.NextDouble() < 1 / (1 + Math.Exp(-((0.6 * r) - 1)))).ToArray();
        var weights = raw.Select(_ => 1f).ToArray();
        var fitted = PlattFit.Fit(raw, labels, weights);
        Assert.Equal(0.6, fitted.Slope, 0.03);
        Assert.Equal(-1, fitted.Intercept, 0.05);
    }

    [Fact]
    public void Platt_stays_finite_and_rising_where_rows_say_little()
    {
        var separable = PlattFit.Fit([-1, -2, 1, 2], [false, false, true, true], [1, 1, 1, 1]);
        Assert.True(separable.Slope is > 0 and < 100, $"slope {separable.Slope}");
        var falling = PlattFit.Fit([2, 1, -1, -2], [false, false, true, true], [1, 1, 1, 1]);
        Assert.Equal(1, falling.Slope);
        var oneClass = PlattFit.Fit([0.1, 0.2], [false, false], [1, 1]);
        Assert.Equal(1, oneClass.Slope);
        Assert.True(double.IsFinite(oneClass.Intercept));
        Assert.Equal(Calibration.None, PlattFit.Fit([], [], []));
    }
}
