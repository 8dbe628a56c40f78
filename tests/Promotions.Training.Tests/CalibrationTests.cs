using System.Text.Json;
using Promotions.Analytics.Tests;
using Promotions.Scoring;

namespace Promotions.Training.Tests;

/// <summary>Against scikit-learn's answers (the data set <c>vectors/statistics/ranking-metrics.json</c>).</summary>
public class CalibrationTests
{
    [Fact]
    public void Isotonic_fits_predict_what_the_library_predicts()
    {
        var cases = Cases("isotonic");
        foreach (var item in cases)
        {
            var x = Doubles(item.GetProperty("x"));
            float[] weight = item.GetProperty("weight") is { ValueKind: JsonValueKind.Array } given ? [.. Doubles(given).Select(w => (float)w)] : [.. x.Select(_ => 1f)];
            var fitted = IsotonicFit.Fit(x, Doubles(item.GetProperty("y")), weight);
            Assert.Equal(Doubles(item.GetProperty("fitted_at_x")), [.. x.Select(fitted.Probability)], (want, got) => Math.Abs(want - got) <= 1e-6);       // weights are float32 here
            Assert.Equal(Doubles(item.GetProperty("predicted")), [.. Doubles(item.GetProperty("query")).Select(fitted.Probability)], (want, got) => Math.Abs(want - got) <= 1e-6);
        }

        Assert.Equal(10, cases.Count);
    }

    [Fact]
    public void Platt_fits_reach_the_exact_optimum()
    {
        var cases = Cases("logistic_fit");
        foreach (var item in cases)
        {
            var x = Doubles(item.GetProperty("x"));
            var fitted = PlattFit.Fit(x, [.. item.GetProperty("y").EnumerateArray().Select(y => y.GetInt32() == 1)], [.. x.Select(_ => 1f)]);
            var platt = item.GetProperty("platt");
            if (-platt.GetProperty("a").GetDouble() <= 0) continue;        // a falling relation: a probability that falls with the score is refused here
            Assert.Equal(-platt.GetProperty("a").GetDouble(), fitted.Slope, 1e-6);
            Assert.Equal(-platt.GetProperty("b").GetDouble(), fitted.Intercept, 1e-6);
        }

        Assert.Equal(6, cases.Count);
    }

    [Fact]
    public void Ranking_metrics_are_the_librarys()
    {
        var cases = Cases("metrics");
        foreach (var item in cases)
        {
            var score = Doubles(item.GetProperty("score"));
            bool[] labels = [.. item.GetProperty("y").EnumerateArray().Select(y => y.GetInt32() == 1)];
            if (labels.Distinct().Count() < 2) continue;
            Assert.Equal(item.GetProperty("roc_auc").GetDouble(), Evaluation.Auc(score, labels), 1e-9);
            Assert.Equal(item.GetProperty("average_precision").GetDouble(), Evaluation.AveragePrecision(score, labels), 1e-9);
            if (item.TryGetProperty("brier", out var brier) && brier.ValueKind is JsonValueKind.Number) Assert.Equal(brier.GetDouble(), Evaluation.Brier(score, labels), 1e-9);
        }

        Assert.Equal(21, cases.Count);
    }

    [Fact]
    public void Where_scores_are_log_odds_two_parameters_win_and_where_they_are_not_the_steps_do()
    {
        var random = new Random(11);
        double[] raw = [.. Enumerable.Range(0, 12_000).Select(_ => (random.NextDouble() * 8) - 5)];
        float[] weight = [.. raw.Select(_ => 1f)];
        var honest = CalibrationChoice.Fit(raw, [.. raw.Select(r => random.NextDouble() < 1 / (1 + Math.Exp(-r)))], weight);
        Assert.Equal(Calibration.PlattMethod, honest.Method);

        // Two plateaus: no logistic curve is near it.
        double Truth(double r) => r < -3 ? 0.02 : r < 2 ? 0.3 : 0.35;
        var steps = CalibrationChoice.Fit(raw, [.. raw.Select(r => random.NextDouble() < Truth(r))], weight);
        Assert.Equal(Calibration.IsotonicMethod, steps.Method);
        Assert.Equal(0.02, steps.Probability(-4), 0.02);
        Assert.Equal(0.3, steps.Probability(0), 0.04);
        Assert.InRange(steps.Probability(-5), 1e-9, 1);        // never certain
    }

    [Fact]
    public void Too_few_of_a_class_are_no_comparison()
    {
        double[] raw = [.. Enumerable.Range(0, 300).Select(i => i / 100.0)];
        var chosen = CalibrationChoice.Fit(raw, [.. raw.Select((_, i) => i % 50 == 0)], [.. raw.Select(_ => 1f)]);
        Assert.Equal(Calibration.PlattMethod, chosen.Method);
    }

    [Fact]
    public void A_brier_score_is_what_it_is_made_of()
    {
        // Within a bin all predictions are equal here, so that nothing is left between the score and its parts.
        var stump = new DecisionTree([0], [0f], [false], [-1], [-2], [-2, 2], [1, 1]);
        var scorer = TreeScorer.Load(ModelFile.Write(new(1, ["x"], [stump], Calibration.None, null)));
        TrainingRow[] rows = [.. Enumerable.Range(0, 1_500).Select(i => new TrainingRow([i < 500 ? 1f : -1f], i < 500 ? i % 2 == 0 : i % 10 == 0, 1, new(i)))];
        var brier = Evaluation.Measure(scorer, rows).Brier!;
        Assert.Equal(brier.Reliability - brier.Resolution + brier.Uncertainty, brier.Score, 1e-3);
        Assert.True(brier.Resolution > 0.02 && brier.Reliability > 0.01, brier.ToString());
    }

    private static List<JsonElement> Cases(string kind) => [.. Vectors.Cases("ranking-metrics.json").Where(item => item.GetProperty("kind").GetString() == kind)];

    private static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetDouble())];
}
