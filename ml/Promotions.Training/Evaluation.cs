using Promotions.Scoring;

namespace Promotions.Training;

/// <summary>How good probabilities are on labelled rows. Weights do not count here: a row is a row.</summary>
public static class Evaluation
{
    /// <summary>False alarm shares that are reported.</summary>
    public static readonly double[] HonestShares = [0.0005, 0.001, 0.002, 0.005, 0.01];
    private const int CalibrationBins = 15;

    /// <exception cref="InvalidDataException">No rows, or only one class among them.</exception>
    public static HeldOutMetrics Measure(IScorer scorer, IReadOnlyList<TrainingRow> rows)
    {
        var probabilities = new double[rows.Count];
        var labels = new bool[rows.Count];
        for (var i = 0; i < rows.Count; i++)
        {
            probabilities[i] = scorer.Probability(scorer.RawScore(rows[i].Vector));
            labels[i] = rows[i].Abuse;
        }
        var abuse = labels.Count(label => label);
        if (abuse == 0 || abuse == rows.Count) throw new InvalidDataException($"Of {rows.Count} rows to measure on {abuse} are abuse; both classes are needed.");
        var order = Order(probabilities);
        return new(rows.Count, (double)abuse / rows.Count, rows.Min(row => row.At).ToDateTimeOffset(), rows.Max(row => row.At).Plus(TimeSpan.FromMilliseconds(1)).ToDateTimeOffset(),
            Auc(probabilities, labels, order), AveragePrecision(probabilities, labels, order), LogLoss(probabilities, labels),
            CalibrationError(probabilities, labels, order), [.. HonestShares.Select(share => FalseAlarms(probabilities, labels, order, share))], Brier(probabilities, labels, order));
    }

    /// <summary>Mean squared difference of probability and label.</summary>
    public static double Brier(double[] probabilities, bool[] labels) => probabilities.Zip(labels, static (p, label) => (p - (label ? 1 : 0)) * (p - (label ? 1 : 0))).Average();

    /// <summary>Chance that an abusive row scores above an honest one; ties count half.</summary>
    public static double Auc(double[] scores, bool[] labels) => Auc(scores, labels, Order(scores));

    /// <summary>Mean over abusive rows of the precision at their score; rows with equal scores are taken together.</summary>
    public static double AveragePrecision(double[] scores, bool[] labels) => AveragePrecision(scores, labels, Order(scores));

    /// <summary>Natural logarithm; probabilities are kept 1e-15 from 0 and 1.</summary>
    public static double LogLoss(double[] probabilities, bool[] labels)
    {
        double sum = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            var p = Math.Clamp(probabilities[i], 1e-15, 1 - 1e-15);
            sum -= Math.Log(labels[i] ? p : 1 - p);
        }
        return sum / labels.Length;
    }

    /// <summary>Highest score first; equal scores by place, so that the answer does not depend on the sort.</summary>
    private static int[] Order(double[] scores)
    {
        var order = new int[scores.Length];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(order, (a, b) => scores[a] != scores[b] ? scores[b].CompareTo(scores[a]) : a.CompareTo(b));
        return order;
    }

    private static double Auc(double[] scores, bool[] labels, int[] order)
    {
        double above = 0, abuse = 0, honest = 0;
        foreach (var (abusive, innocent) in Ties(scores, labels, order))
        {
            above += innocent * (abuse + (abusive / 2.0));
            abuse += abusive;
            honest += innocent;
        }
        return above / (abuse * honest);
    }

    private static double AveragePrecision(double[] scores, bool[] labels, int[] order)
    {
        double sum = 0, abuse = 0, honest = 0;
        foreach (var (abusive, innocent) in Ties(scores, labels, order))
        {
            abuse += abusive;
            honest += innocent;
            sum += abusive * abuse / (abuse + honest);
        }
        return sum / abuse;
    }

    private static IEnumerable<(int Abuse, int Honest)> Ties(double[] scores, bool[] labels, int[] order)
    {
        for (var i = 0; i < order.Length;)
        {
            int abuse = 0, honest = 0;
            var score = scores[order[i]];
            for (; i < order.Length && scores[order[i]] == score; i++)
            {
                if (labels[order[i]]) abuse++;
                else honest++;
            }
            yield return (abuse, honest);
        }
    }

    private static double CalibrationError(double[] probabilities, bool[] labels, int[] order) =>
        Bins(probabilities, labels, order).Sum(bin => Math.Abs(bin.Predicted - bin.Seen)) / order.Length;

    private static BrierScore Brier(double[] probabilities, bool[] labels, int[] order)
    {
        var share = (double)labels.Count(label => label) / labels.Length;
        double reliability = 0, resolution = 0;
        foreach (var (rows, predicted, seen) in Bins(probabilities, labels, order))
        {
            if (rows == 0) continue;
            reliability += rows * Math.Pow((predicted - seen) / rows, 2);
            resolution += rows * Math.Pow((seen / rows) - share, 2);
        }

        return new(Brier(probabilities, labels), reliability / labels.Length, resolution / labels.Length, share * (1 - share));
    }

    /// <summary>Bins of equal count, highest score first: how many were abuse by prediction, and how many were.</summary>
    private static IEnumerable<(int Rows, double Predicted, double Seen)> Bins(double[] probabilities, bool[] labels, int[] order)
    {
        for (var bin = 0; bin < CalibrationBins; bin++)
        {
            var (from, to) = ((int)((long)order.Length * bin / CalibrationBins), (int)((long)order.Length * (bin + 1) / CalibrationBins));
            double predicted = 0, seen = 0;
            for (var i = from; i < to; i++)
            {
                predicted += probabilities[order[i]];
                seen += labels[order[i]] ? 1 : 0;
            }

            yield return (to - from, predicted, seen);
        }
    }

    /// <inheritdoc cref="FalseAlarms(double[], bool[], int[], double)"/>
    public static FalseAlarmPoint FalseAlarms(double[] scores, bool[] labels, double share) => FalseAlarms(scores, labels, Order(scores), share);

    /// <summary>The lowest threshold that flags at most the asked share of honest rows.</summary>
    private static FalseAlarmPoint FalseAlarms(double[] probabilities, bool[] labels, int[] order, double share)
    {
        var honestCount = labels.Count(label => !label);
        var allowed = (int)(share * honestCount);
        int abuse = 0, honest = 0;
        var threshold = Math.BitIncrement(probabilities[order[0]]);
        foreach (var (abusive, innocent) in Ties(probabilities, labels, order))
        {
            if (honest + innocent > allowed) break;
            threshold = probabilities[order[abuse + honest]];
            abuse += abusive;
            honest += innocent;
        }
        return new((double)honest / honestCount, threshold, (double)abuse / (labels.Length - honestCount));
    }
}
