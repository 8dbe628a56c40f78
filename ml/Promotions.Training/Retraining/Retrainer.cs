using System.Globalization;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Scoring;
using Promotions.Training.Search;

namespace Promotions.Training.Retraining;

/// <summary>What a retraining is about, besides how to learn.</summary>
/// <param name="Days">Length of the period whose attempts are learned from and measured on.</param>
/// <param name="LabelDelay">The period ends so long before the log does: by then complaints had time to come, and an attempt without one counts as honest.</param>
/// <param name="LabelsMin">Attempts labelled abuse that the period needs, a tenth of them in its later part; at least 10.</param>
internal sealed record RetrainingTask(int Days, TimeSpan LabelDelay, int LabelsMin);

/// <summary>Logged attempts → a candidate beside the champion. Pure: the same rows, champion and options give the same bytes.</summary>
internal static class Retrainer
{
    /// <summary>Share of honest rows flagged where <see cref="ModelMeasure.Caught"/> is read.</summary>
    private const double HonestShare = 0.002;

    private const int Resamples = 1_000;

    /// <summary>The period's bounds for a log that ends then.</summary>
    public static (EventTime From, EventTime To) Period(RetrainingTask task, EventTime logEnd)
    {
        var to = logEnd.Plus(-task.LabelDelay);
        return (to.Plus(TimeSpan.FromDays(-task.Days)), to);
    }

    /// <summary>The period's attempts as rows to learn from, in order of time and weighed by <see cref="ObservedOutcomes"/>. One that was let through and that nobody complained about is honest; one that was given nothing
    /// cannot be complained about, so without a label it is left out: else a model would unlearn what it blocks.</summary>
    public static DataSet RowsOf(LogDataSet log) => new(
        FeatureRegistry.LayoutHash, [.. FeatureRegistry.Features.Select(feature => feature.Name)], "replay of the log, labels as they had arrived", 0,
        [.. log.Rows.Zip(ObservedOutcomes.Weigh(log.Rows)).Where(pair => pair.Second > 0).OrderBy(pair => pair.First.At).Select(pair => new TrainingRow(pair.First.Vector, pair.First.Abuse ?? false, pair.Second, pair.First.At, pair.First.Entities))]);

    /// <summary>Why these rows are not learned from; null where they may be.</summary>
    public static string? TooFew(DataSet data, TrainingOptions options, RetrainingTask task)
    {
        var (abuse, later) = (data.Rows.Count(row => row.Abuse), Later(data, options).Count(row => row.Abuse));
        var laterMin = task.LabelsMin / 10;
        return abuse < task.LabelsMin ? Text($"{abuse:#,0} of {data.Rows.Count:#,0} attempts are labelled abuse, and {task.LabelsMin:#,0} are needed: answer flags in review, report chargebacks, or take a longer period. Nothing was learned.")
            : later < laterMin ? Text($"{later:#,0} attempts of the period's later part are labelled abuse, and {laterMin:#,0} are needed to compare models on. Nothing was learned.")
            : data.Rows.Count - abuse < task.LabelsMin ? Text($"{data.Rows.Count - abuse:#,0} attempts are honest, and {task.LabelsMin:#,0} are needed. Nothing was learned.")
            : null;
    }

    /// <summary>Learns, and measures both on the rows that the candidate has not seen.</summary>
    /// <param name="champion">Null where there is none to compare with.</param>
    /// <exception cref="InvalidDataException">The rows cannot be learned from.</exception>
    public static (TrainedModel Model, ModelComparison? Comparison) Run(DataSet data, IScorer? champion, TrainingOptions options)
    {
        var trained = Trainer.Train(data, options);
        return (trained, champion is null ? null : Compare(champion, ScorerFile.Load(trained.File, data.LayoutHash), Later(data, options), data.Features));
    }

    internal static ModelComparison Compare(IScorer champion, IScorer candidate, IReadOnlyList<TrainingRow> rows, string[] features)
    {
        var discount = Array.IndexOf(features, SearchMetric.DiscountFeature);
        var (before, after) = (Costs(champion, rows, discount), Costs(candidate, rows, discount));
        var days = rows.Select((row, i) => (Day: row.At.UnixMilliseconds / (long)TimeSpan.FromDays(1).TotalMilliseconds, Saved: before[i] - after[i]))
            .GroupBy(row => row.Day).Select(day => (Rows: day.Count(), Saved: day.Sum(row => row.Saved))).ToArray();
        var (low, high) = Interval(days);
        var (from, to) = (rows[0].At.ToDateTimeOffset(), rows[^1].At.Plus(TimeSpan.FromMilliseconds(1)).ToDateTimeOffset());
        return new(rows.Count, rows.Count(row => row.Abuse), from, to, champion.Card?.PeriodTo > from, MeasureOf(champion, rows, before), MeasureOf(candidate, rows, after), 1_000 * (before.Sum() - after.Sum()) / rows.Count, low, high);
    }

    /// <summary>The rows that trees and calibration have not seen, as <see cref="Trainer"/> divides them.</summary>
    private static TrainingRow[] Later(DataSet data, TrainingOptions options) => [.. data.Rows.OrderBy(row => row.At).Skip((int)(data.Rows.Count * (options.FitShare + options.CalibrateShare)))];

    private static ModelMeasure MeasureOf(IScorer scorer, IReadOnlyList<TrainingRow> rows, double[] costs)
    {
        var metrics = Evaluation.Measure(scorer, rows);
        double[] raw = [.. rows.Select(row => scorer.RawScore(row.Vector))];
        return new(metrics.Auc, metrics.AveragePrecision, metrics.CalibrationError, Evaluation.FalseAlarms(raw, [.. rows.Select(row => row.Abuse)], HonestShare).AbuseCaught, 1_000 * costs.Sum() / rows.Count);
    }

    private static double[] Costs(IScorer scorer, IReadOnlyList<TrainingRow> rows, int discount) =>
        [.. rows.Select(row => SearchMetric.CostOf(row, scorer.Probability(scorer.RawScore(row.Vector)), FraudCosts.Default, discount))];

    /// <summary>Days are drawn, not attempts: a bot's hundred attempts of a day are one event.</summary>
    private static (double Low, double High) Interval((int Rows, double Saved)[] days)
    {
        var random = new Random(1);
        var found = new double[Resamples];
        for (var i = 0; i < Resamples; i++)
        {
            double rows = 0, saved = 0;
            for (var day = 0; day < days.Length; day++)
            {
                var drawn = days[random.Next(days.Length)];
                (rows, saved) = (rows + drawn.Rows, saved + drawn.Saved);
            }

            found[i] = 1_000 * saved / rows;
        }

        Array.Sort(found);
        return (found[(int)(0.025 * Resamples)], found[(int)(0.975 * Resamples)]);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
