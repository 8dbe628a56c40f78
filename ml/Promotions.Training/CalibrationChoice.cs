using Promotions.Scoring;

namespace Promotions.Training;

/// <summary>Platt's or isotonic calibration, whichever loses less on later rows that neither was fitted on.</summary>
public static class CalibrationChoice
{
    /// <summary>Share of the rows, earliest first, that both are fitted on before they are compared on the rest.</summary>
    private const double FitShare = 2.0 / 3;

    /// <summary>Fewer rows of either class in the comparison say nothing: then it is Platt's, which has two parameters.</summary>
    private const int ClassMin = 50;

    /// <summary>Chooses by log loss, then fits the winner on all rows.</summary>
    /// <param name="raw">Raw scores, in order of time.</param>
    public static Calibration Fit(double[] raw, bool[] abuse, float[] weight)
    {
        var end = (int)(raw.Length * FitShare);
        var platt = PlattFit.Fit(raw, abuse, weight);
        var compared = abuse.Skip(end).Count(label => label);
        if (compared < ClassMin || abuse.Length - end - compared < ClassMin) return platt;
        var isotonicLoss = LogLoss(Isotonic(raw[..end], abuse[..end], weight[..end]), raw.AsSpan(end), abuse.AsSpan(end), weight.AsSpan(end));
        var plattLoss = LogLoss(PlattFit.Fit(raw.AsSpan(0, end), abuse.AsSpan(0, end), weight.AsSpan(0, end)), raw.AsSpan(end), abuse.AsSpan(end), weight.AsSpan(end));
        return isotonicLoss < plattLoss ? Isotonic(raw, abuse, weight) : platt;
    }

    /// <summary>On Platt's targets, pulled in by one row per class: a block of one class only is not certainty.</summary>
    private static Calibration Isotonic(double[] raw, bool[] abuse, float[] weight)
    {
        double positive = 0, negative = 0;
        for (var i = 0; i < raw.Length; i++) (abuse[i] ? ref positive : ref negative) += weight[i];
        var (high, low) = ((positive + 1) / (positive + 2), 1 / (negative + 2));
        return IsotonicFit.Fit(raw, [.. abuse.Select(label => label ? high : low)], weight);
    }

    private static double LogLoss(Calibration calibration, ReadOnlySpan<double> raw, ReadOnlySpan<bool> abuse, ReadOnlySpan<float> weight)
    {
        double loss = 0, rows = 0;
        for (var i = 0; i < raw.Length; i++)
        {
            var p = Math.Clamp(calibration.Probability(raw[i]), 1e-15, 1 - 1e-15);
            loss -= weight[i] * Math.Log(abuse[i] ? p : 1 - p);
            rows += weight[i];
        }

        return loss / rows;
    }
}
