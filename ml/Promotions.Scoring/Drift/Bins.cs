namespace Promotions.Scoring.Drift;

/// <summary>How a number was spread among the rows that a model was measured on.</summary>
/// <param name="Edges">Ascending and finite. Bin i holds edges[i-1] &lt; value ≤ edges[i]; the first and the last are open.</param>
/// <param name="Counts">Rows per bin: one more than edges.</param>
/// <param name="Missing">Rows without a value: a bin of its own.</param>
public sealed record Bins(double[] Edges, long[] Counts, long Missing)
{
    private static readonly double[] Tenths = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

    /// <summary>Tenths, by linear percentiles of the values; equal edges are one.</summary>
    public static double[] Deciles(ReadOnlySpan<double> values) => Percentiles(values, Tenths);

    /// <summary>Linear percentiles of the values; equal edges are one.</summary>
    /// <param name="shares">Ascending, between 0 and 1.</param>
    public static double[] Percentiles(ReadOnlySpan<double> values, ReadOnlySpan<double> shares)
    {
        var sorted = values.ToArray();
        Array.Sort(sorted);
        if (sorted.Length == 0) return [];
        var edges = new List<double>(shares.Length);
        foreach (var share in shares)
        {
            var position = (sorted.Length - 1) * share;
            var below = (int)position;
            var edge = below + 1 < sorted.Length ? sorted[below] + ((position - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
            if (edges.Count == 0 || edge > edges[^1]) edges.Add(edge);
        }

        return [.. edges];
    }

    /// <summary>NaN is missing; an infinity is an ordinary value of an open bin.</summary>
    public static Bins Of(IEnumerable<double> values)
    {
        var all = values as IReadOnlyList<double> ?? [.. values];
        return Of(all, Deciles([.. all.Where(double.IsFinite)]));
    }

    /// <summary>The same with edges that are known.</summary>
    public static Bins Of(IReadOnlyList<double> all, double[] edges)
    {
        var bins = new Bins(edges, new long[edges.Length + 1], 0);
        var missing = 0L;
        foreach (var value in all)
        {
            if (double.IsNaN(value)) missing++;
            else bins.Counts[BinOf(edges, value)]++;
        }

        return bins with { Missing = missing };
    }

    public static int BinOf(double[] edges, double value)
    {
        var at = Array.BinarySearch(edges, value);
        return at >= 0 ? at : ~at;
    }

    /// <returns>What is wrong with it, or null.</returns>
    internal string? Problem()
    {
        if (Counts.Length != Edges.Length + 1) return $"it has {Edges.Length} edges and {Counts.Length} counts";
        if (Missing < 0 || Array.Exists(Counts, static count => count < 0)) return "a count is negative";
        for (var i = 0; i < Edges.Length; i++)
            if (!double.IsFinite(Edges[i]) || (i > 0 && Edges[i] <= Edges[i - 1])) return "its edges do not ascend";
        return null;
    }

    /// <summary>Missing, then the bins.</summary>
    public long[] WithMissing() => [Missing, .. Counts];
}
