namespace Promotions.Scoring.Drift;

/// <summary>How a number was spread among the rows that a model was measured on.</summary>
/// <param name="Edges">Ascending and finite. Bin i holds edges[i-1] &lt; value ≤ edges[i]; the first and the last are open.</param>
/// <param name="Counts">Rows per bin: one more than edges.</param>
/// <param name="Missing">Rows without a value: a bin of its own.</param>
public sealed record Bins(double[] Edges, long[] Counts, long Missing)
{
    /// <summary>Tenths, by linear percentiles of the values; equal edges are one.</summary>
    public static double[] Deciles(ReadOnlySpan<double> values)
    {
        var sorted = values.ToArray();
        Array.Sort(sorted);
        if (sorted.Length == 0) return [];
        var edges = new List<double>(9);
        for (var tenth = 1; tenth <= 9; tenth++)
        {
            var position = (sorted.Length - 1) * (tenth / 10.0);
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
        var edges = Deciles([.. all.Where(double.IsFinite)]);
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

    /// <summary>Missing, then the bins.</summary>
    public long[] WithMissing() => [Missing, .. Counts];
}
