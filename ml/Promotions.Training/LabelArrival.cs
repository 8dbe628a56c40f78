using Promotions.Scoring;

namespace Promotions.Training;

/// <summary>What is known beforehand of how complaints come: the share of abuse that is ever labelled, and when.</summary>
/// <param name="Share">Of abusive attempts, above 0 and at most 1. Labels alone cannot tell it: that which nobody ever finds leaves no trace. It is a shop's own knowledge, of an audit or its bank.</param>
/// <param name="From">After the attempt; none comes before.</param>
/// <param name="Until">After the attempt; none comes later, and between the two each day brings as many.</param>
public readonly record struct LabelArrival(double Share, TimeSpan From, TimeSpan Until)
{
    /// <summary>The probability that abuse of this age has its label, 0 to <see cref="Share"/>.</summary>
    public double By(TimeSpan age) => Share * Math.Clamp((age - From) / (Until - From), 0, 1);
}

/// <summary>Calibration where abuse without a label hides among the honest rows.</summary>
/// <remarks>Elkan and Noto, <em>Learning classifiers from only positive and unlabeled data</em>, KDD 2008, with a probability of the label for each row: an unlabelled row of probability p is abuse with p (1 − a) / (1 − p a),
/// where a is the probability that its label would have come. That and the calibration are found in turns (expectation maximisation, Dempster, Laird and Rubin 1977). It mends probabilities, not the order of the scores.</remarks>
public static class DelayedLabels
{
    private const int TurnsMax = 60;
    private const double Settled = 1e-5;

    /// <param name="raw">Raw scores, in order of time.</param>
    /// <param name="labelled">A label had come, and said abuse.</param>
    /// <param name="arrived">For each row, the probability that abuse would have its label by now, 0 to 1 (exclusive, or every unlabelled row is honest).</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static Calibration Calibrate(double[] raw, bool[] labelled, double[] arrived)
    {
        if (raw.Length != labelled.Length || raw.Length != arrived.Length) throw new ArgumentException("Each row has a score, a label or none, and a probability of it.", nameof(arrived));
        var calibration = CalibrationChoice.Fit(raw, labelled, [.. raw.Select(static _ => 1f)]);
        // Each row twice, as abuse and as honest, weighted by what it probably is.
        var scores = new double[raw.Length * 2];
        var (abuse, weight) = (new bool[scores.Length], new float[scores.Length]);
        for (var i = 0; i < raw.Length; i++)
        {
            (scores[2 * i], scores[(2 * i) + 1]) = (raw[i], raw[i]);
            abuse[2 * i] = true;
        }

        var before = double.NaN;
        for (var turn = 0; turn < TurnsMax; turn++)
        {
            double sum = 0;
            for (var i = 0; i < raw.Length; i++)
            {
                var p = calibration.Probability(raw[i]);
                var hidden = labelled[i] ? 1 : p * (1 - arrived[i]) / (1 - (p * arrived[i]));
                (weight[2 * i], weight[(2 * i) + 1]) = ((float)hidden, (float)(1 - hidden));
                sum += hidden;
            }

            calibration = CalibrationChoice.Fit(scores, abuse, weight);
            if (Math.Abs(sum - before) < Settled * sum) break;
            before = sum;
        }

        return calibration;
    }
}
