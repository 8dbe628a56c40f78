using Promotions.Scoring;

namespace Promotions.Training.Search;

/// <summary>A candidate that has learned.</summary>
/// <param name="Trees">What a model file can hold; null for a logistic regression, which none can.</param>
/// <param name="Work">What a score costs: leaves, or weights, that may count. Unit: numbers.</param>
internal sealed record Pipeline(Func<float[], double> Raw, Calibration Calibration, DecisionTree[]? Trees, int Work)
{
    /// <summary>Share of the rows, the latest, that say when to stop, how to mix and how to calibrate.</summary>
    private const double LaterShare = 0.15;
    private const int LaterAbuseMin = 5;
    private const float BlendL2 = 1e-3f;

    /// <param name="rows">In order of time.</param>
    public static Pipeline Fit(Candidate candidate, IReadOnlyList<TrainingRow> rows, int featureCount, int seed)
    {
        var end = (int)(rows.Count * (1 - LaterShare));
        var weighted = TreeFamilies.Weighted(rows, candidate[SearchSpace.AbuseWeight]);
        var (early, later) = (weighted[..end], weighted[end..]);
        // Too little abuse of late: learn and calibrate on all, and stop nowhere.
        if (later.Count(row => row.Abuse) < LaterAbuseMin || !early.Any(row => row.Abuse)) (early, later) = (weighted, weighted);

        Pipeline learned;
        if (candidate.Family is Family.Logistic)
        {
            var linear = LogisticFamily.Fit(candidate, early, featureCount, seed);
            learned = new(linear.Raw, Calibration.None, null, linear.Weights.Length);
        }
        else
        {
            var trees = TreesOf(candidate, early, later, featureCount, seed);
            learned = new(vector => TreeFamilies.Raw(trees, vector), Calibration.None, trees, trees.Sum(tree => tree.LeafCount));
        }
        return learned with { Calibration = PlattOf(learned.Raw, later, candidate[SearchSpace.AbuseWeight]) };
    }

    private static DecisionTree[] TreesOf(Candidate candidate, TrainingRow[] early, TrainingRow[] later, int featureCount, int seed)
    {
        if (candidate.Family is Family.Blend) return Blend(candidate, early, later, featureCount, seed);
        var trees = TreeFamilies.Fit(candidate.Family, candidate, early, featureCount, seed);
        if (candidate.Family is not Family.FastForest && !ReferenceEquals(early, later)) trees = TreeFamilies.StoppedEarly(trees, later);
        return candidate.Family is Family.LightGbm ? trees : LogOdds(trees, later);
    }

    /// <summary>Stacking (Wolpert 1992): what later rows say of each member's score decides how much it counts, never less than nothing.</summary>
    private static DecisionTree[] Blend(Candidate candidate, TrainingRow[] early, TrainingRow[] later, int featureCount, int seed)
    {
        DecisionTree[][] members = [.. new[] { Family.LightGbm, Family.FastTree, Family.FastForest }.Select(family =>
        {
            var trees = TreeFamilies.Fit(family, candidate, early, featureCount, seed);
            if (family is not Family.FastForest && !ReferenceEquals(early, later)) trees = TreeFamilies.StoppedEarly(trees, later);
            return LogOdds(trees, later);
        })];
        var (weights, bias) = LogisticFamily.Learn(later.Select(row => (members.Select(trees => (float)TreeFamilies.Raw(trees, row.Vector)).ToArray(), row.Abuse, row.Weight)), members.Length, 0, BlendL2, seed, nonNegative: true);
        return [.. members.SelectMany((trees, m) => weights[m] > 0 ? TreeFamilies.Rescaled(trees, weights[m], m == 0 ? bias : 0) : m == 0 ? TreeFamilies.Rescaled(trees[..1], 0, bias) : [])];
    }

    /// <summary>FastTree's and FastForest's scores have scales of their own; explanations add up to log-odds.</summary>
    private static DecisionTree[] LogOdds(DecisionTree[] trees, TrainingRow[] later)
    {
        var platt = PlattOf(vector => TreeFamilies.Raw(trees, vector), later, 1);
        return TreeFamilies.Rescaled(trees, platt.Slope, platt.Intercept);
    }

    /// <param name="abuseWeight">Taken out of the rows' weights again: probabilities are of attempts as they come.</param>
    private static Calibration PlattOf(Func<float[], double> raw, TrainingRow[] later, double abuseWeight) =>
        PlattFit.Fit([.. later.Select(row => raw(row.Vector))], [.. later.Select(row => row.Abuse)], [.. later.Select(row => row.Abuse ? (float)(row.Weight / abuseWeight) : row.Weight)]);
}
