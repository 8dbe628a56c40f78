using System.Globalization;
using Promotions.Processing.Decisions;
using Promotions.Scoring;
using Promotions.Training.Search;

namespace Promotions.Training.Report;

/// <param name="X">Share of honest rows flagged, or recall.</param>
/// <param name="Y">Share of abuse caught, or precision.</param>
public sealed record CurvePoint(double X, double Y);

/// <summary>Rows of similar score, as many in each bin.</summary>
/// <param name="Predicted">Mean probability.</param>
/// <param name="Seen">Share of abuse.</param>
/// <param name="SeenLow">Wilson's interval, 95 %.</param>
public sealed record ReliabilityBin(int Rows, double Predicted, double Seen, double SeenLow, double SeenHigh);

/// <summary>Whether scores may be called probabilities.</summary>
/// <param name="Predicted">Mean probability.</param>
/// <param name="Seen">Share of abuse.</param>
public sealed record CalibrationCheck(bool Passes, double Error, double ErrorMax, double Predicted, double Seen, string Why);

/// <summary>What blocking from a score on would have cost.</summary>
/// <param name="PerThousand">Minor units per thousand attempts: abuse let through and honest customers wronged.</param>
public sealed record CostPoint(double Threshold, double PerThousand, double HonestBlocked, double AbuseStopped);

/// <param name="AtNothing">Cost with nothing blocked. Unit: minor units per thousand attempts.</param>
public sealed record CostCurve(FraudCosts Costs, double AtNothing, CostPoint Best, IReadOnlyList<CostPoint> Points);

/// <summary>Of a team that looks at the day's k highest attempts.</summary>
public sealed record PrecisionAtK(int K, double Precision, double Recall);

/// <summary>A kind of abuse or a group of honest people, where the data set tells them.</summary>
/// <param name="Flagged">Share at or above the threshold that flags <see cref="EvaluationReport.HonestShare"/> of honest rows.</param>
public sealed record GroupRow(string Group, bool Abuse, int Rows, double MeanScore, double Flagged);

/// <summary>What a model is worth on labelled rows.</summary>
/// <param name="ScoreName">"probability" where the check passes, else "score".</param>
/// <param name="GroupThreshold">Of <see cref="GroupRow.Flagged"/>.</param>
public sealed record EvaluationReport(
    string Model, TrainingCard? Card, string DataSet, HeldOutMetrics Metrics, string ScoreName, CalibrationCheck Calibration, IReadOnlyList<ReliabilityBin> Reliability,
    IReadOnlyList<CurvePoint> Roc, IReadOnlyList<CurvePoint> PrecisionRecall, CostCurve Cost, IReadOnlyList<PrecisionAtK> PrecisionAt, double GroupThreshold, IReadOnlyList<GroupRow> Groups,
    IReadOnlyList<LeakSuspect> Strongest)
{
    /// <summary>Share of honest rows that may be flagged where groups are compared.</summary>
    public const double HonestShare = 0.002;

    private const double CalibrationErrorMax = 0.01;
    private const int Bins = 15;
    private const int TopBins = 8;
    private const int PointsMax = 200;
    private const int StrongestShown = 12;
    private static readonly int[] Ks = [5, 10, 20, 50, 100];

    /// <exception cref="InvalidDataException">No rows, or one class only.</exception>
    public static EvaluationReport Of(IScorer scorer, DataSet data)
    {
        var metrics = Evaluation.Measure(scorer, data.Rows);
        double[] scores = [.. data.Rows.Select(row => scorer.Probability(scorer.RawScore(row.Vector)))];
        bool[] labels = [.. data.Rows.Select(row => row.Abuse)];
        var order = Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).ThenBy(i => i).ToArray();
        var check = Check(metrics, scores.Average());
        var at = Evaluation.FalseAlarms(scores, labels, HonestShare).Threshold;
        var (roc, pr) = Curves(scores, labels, order);
        return new(scorer.ModelHash, scorer.Card, data.TrainedOn, metrics, check.Passes ? "probability" : "score", check, ReliabilityOf(scores, labels, order), roc, pr,
            CostsOf(data, scores, order), PrecisionsOf(data.Rows, scores), at, GroupsOf(data.Rows, scores, at), [.. LeakCheck.Strongest(data.Rows, data.Features).Take(StrongestShown)]);
    }

    private static CalibrationCheck Check(HeldOutMetrics metrics, double predicted)
    {
        // Chance alone moves the share seen by its standard error; three of them, or a tenth of the share, is no fault of the model.
        var allowed = Math.Max(0.1 * metrics.AbuseShare, 3 * Math.Sqrt(metrics.AbuseShare * (1 - metrics.AbuseShare) / metrics.Rows));
        var (even, large) = (metrics.CalibrationError <= CalibrationErrorMax, Math.Abs(predicted - metrics.AbuseShare) <= allowed);
        return new(even && large, metrics.CalibrationError, CalibrationErrorMax, predicted, metrics.AbuseShare, (even, large) switch
        {
            (true, true) => "bins lie where they say, and so does the mean",
            (false, _) => "bins lie too far from what was seen",
            _ => "the mean lies too far from the share that was seen",
        });
    }

    private static (List<CurvePoint> Roc, List<CurvePoint> PrecisionRecall) Curves(double[] scores, bool[] labels, int[] order)
    {
        double abuseAll = labels.Count(label => label), honestAll = labels.Length - abuseAll, abuse = 0, honest = 0;
        List<CurvePoint> roc = [new(0, 0)], pr = [];
        for (var i = 0; i < order.Length; i++)
        {
            if (labels[order[i]]) abuse++;
            else honest++;
            if (i + 1 < order.Length && scores[order[i + 1]] == scores[order[i]]) continue;
            roc.Add(new(honest / honestAll, abuse / abuseAll));
            pr.Add(new(abuse / abuseAll, abuse / (abuse + honest)));
        }
        return (Thinned(roc), Thinned(pr));
    }

    private static List<CurvePoint> Thinned(List<CurvePoint> points)
    {
        if (points.Count <= PointsMax) return points;
        // Even steps along the curve, not along the rows: most rows lie in its flat end.
        double[] length = new double[points.Count];
        for (var i = 1; i < points.Count; i++) length[i] = length[i - 1] + Math.Abs(points[i].X - points[i - 1].X) + Math.Abs(points[i].Y - points[i - 1].Y);
        var kept = new List<CurvePoint> { points[0] };
        for (var i = 1; i < points.Count - 1; i++)
            if (Math.Floor(length[i] / length[^1] * (PointsMax - 2)) > Math.Floor(length[i - 1] / length[^1] * (PointsMax - 2))) kept.Add(points[i]);
        kept.Add(points[^1]);
        return kept;
    }

    private static List<ReliabilityBin> ReliabilityOf(double[] scores, bool[] labels, int[] order)
    {
        var bins = new List<ReliabilityBin>();
        // Abuse is rare: the highest bin holds most of it, and is looked at more closely.
        int[] edges = [.. Enumerable.Range(0, TopBins).Select(top => (int)((long)order.Length * top / Bins / TopBins)), .. Enumerable.Range(1, Bins).Select(bin => (int)((long)order.Length * bin / Bins))];
        for (var bin = edges.Length - 2; bin >= 0; bin--)
        {
            var (from, to) = (edges[bin], edges[bin + 1]);
            if (to == from) continue;
            var rows = order[from..to];
            double seen = rows.Count(i => labels[i]), n = rows.Length;
            const double Z = 1.96;
            var (middle, half) = ((seen + (Z * Z / 2)) / (n + (Z * Z)), Z * Math.Sqrt((seen * (n - seen) / n) + (Z * Z / 4)) / (n + (Z * Z)));
            bins.Add(new(rows.Length, rows.Average(i => scores[i]), seen / n, Math.Max(0, middle - half), Math.Min(1, middle + half)));
        }
        return bins;
    }

    private static CostCurve CostsOf(DataSet data, double[] scores, int[] order)
    {
        var (costs, discount) = (FraudCosts.Default, Array.IndexOf(data.Features, SearchMetric.DiscountFeature));
        double abuseAll = data.Rows.Count(row => row.Abuse), honestAll = data.Rows.Count - abuseAll;
        var nothing = data.Rows.Sum(row => row.Abuse ? SearchMetric.LossOf(row, costs, discount) : 0);
        var (cost, abuse, honest) = (nothing, 0.0, 0.0);
        List<CostPoint> points = [new(1, PerThousand(nothing), 0, 0)];
        for (var i = 0; i < order.Length; i++)
        {
            var row = data.Rows[order[i]];
            if (row.Abuse) (cost, abuse) = (cost - SearchMetric.LossOf(row, costs, discount), abuse + 1);
            else (cost, honest) = (cost + costs.WrongedCustomer, honest + 1);
            if (i + 1 < order.Length && scores[order[i + 1]] == scores[order[i]]) continue;
            points.Add(new(scores[order[i]], PerThousand(cost), honest / honestAll, abuse / abuseAll));
        }
        var best = points.MinBy(point => point.PerThousand)!;
        var step = Math.Max(1, points.Count / PointsMax);
        return new(costs, PerThousand(nothing), best, [.. points.Where((point, i) => i % step == 0 || point == best || i == points.Count - 1 || (point.HonestBlocked < 0.02 && i % Math.Max(1, step / 8) == 0))]);

        double PerThousand(double sum) => sum / data.Rows.Count * 1_000;
    }

    private static List<PrecisionAtK> PrecisionsOf(IReadOnlyList<TrainingRow> rows, double[] scores)
    {
        var days = Enumerable.Range(0, rows.Count).GroupBy(i => rows[i].At.ToDateTimeOffset().Date).Select(day => day.OrderByDescending(i => scores[i]).ThenBy(i => rows[i].Abuse).ToArray()).ToArray();
        double abuse = rows.Count(row => row.Abuse);
        return [.. Ks.Select(k =>
        {
            var (found, looked) = (days.Sum(day => day.Take(k).Count(i => rows[i].Abuse)), days.Sum(day => Math.Min(k, day.Length)));
            return new PrecisionAtK(k, (double)found / looked, found / abuse);
        })];
    }

    private static List<GroupRow> GroupsOf(IReadOnlyList<TrainingRow> rows, double[] scores, double threshold) =>
        [.. Enumerable.Range(0, rows.Count).Where(i => rows[i].Group is not null).GroupBy(i => rows[i].Group!, StringComparer.Ordinal)
            .Select(group => new GroupRow(group.Key, !group.Key.StartsWith("honest", StringComparison.Ordinal), group.Count(), group.Average(i => scores[i]), (double)group.Count(i => scores[i] >= threshold) / group.Count()))
            .OrderBy(group => group.Abuse).ThenByDescending(group => group.Flagged).ThenBy(group => group.Group, StringComparer.Ordinal)];

    /// <summary>Shares of one to four digits, as people read them.</summary>
    internal static string Share(double share) => share.ToString(share is > 0 and < 0.001 ? "0.000 %" : share < 0.1 ? "0.00 %" : "0.0 %", CultureInfo.InvariantCulture);
}
