namespace Promotions.Scoring.Drift;

/// <summary>How features and score were spread over rows that a model was measured on: what live traffic is compared with.</summary>
/// <param name="PeriodFrom">First event time of the rows; inclusive.</param>
/// <param name="PeriodTo">Their end; exclusive.</param>
/// <param name="Rows">How many.</param>
/// <param name="Score">The raw score, in log-odds.</param>
/// <param name="Features">By feature name; a feature that is not here is not compared.</param>
public sealed record ModelReference(DateTimeOffset PeriodFrom, DateTimeOffset PeriodTo, long Rows, Bins Score, IReadOnlyDictionary<string, Bins> Features)
{
    /// <summary>So that a value meets all edges in one vector of floats.</summary>
    public const int EdgesMax = 15;

    /// <summary>Tenths and the upper tail: what fraud does to counts happens beyond the last tenth.</summary>
    private static readonly double[] Shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];

    /// <summary>Measures the rows, which the model should not have learned from: on those its scores lie further apart than on any others.</summary>
    /// <param name="features">Names in the vector's order.</param>
    /// <exception cref="ArgumentException">No rows.</exception>
    public static ModelReference Measure(IScorer scorer, IReadOnlyList<string> features, IReadOnlyList<(float[] Vector, DateTimeOffset At)> rows)
    {
        if (rows.Count == 0) throw new ArgumentException("There are no rows to measure.", nameof(rows));
        var byName = new Dictionary<string, Bins>(features.Count, StringComparer.Ordinal);
        for (var f = 0; f < features.Count; f++)
        {
            var at = f;
            byName.Add(features[f], BinsOf([.. rows.Select(row => (double)row.Vector[at])]));
        }

        return new(rows.Min(row => row.At), rows.Max(row => row.At).AddMilliseconds(1), rows.Count, BinsOf([.. rows.Select(row => scorer.RawScore(row.Vector))]), byName);
    }

    /// <returns>What is wrong, or null.</returns>
    /// <param name="features">The model's; null where it names none that vectors have.</param>
    internal string? Problem(IReadOnlyCollection<string>? features)
    {
        if (Rows < 1 || PeriodTo <= PeriodFrom) return "nothing was measured";
        if (ProblemOf(Score) is { } score) return $"score: {score}";
        foreach (var (name, bins) in Features)
        {
            if (features?.Contains(name) is false) return $"it names the feature '{name}', which the model does not have";
            if (ProblemOf(bins) is { } problem) return $"{name}: {problem}";
        }

        return null;
    }

    private string? ProblemOf(Bins bins) =>
        bins.Problem() is { } problem ? problem
        : bins.Edges.Length > EdgesMax ? $"it has {bins.Edges.Length} edges, more than {EdgesMax}"
        : bins.Counts.Sum() + bins.Missing != Rows ? $"it counts {bins.Counts.Sum() + bins.Missing} of {Rows} rows"
        : null;

    private static Bins BinsOf(double[] values) => Bins.Of(values, Bins.Percentiles(Array.FindAll(values, double.IsFinite), Shares));
}
