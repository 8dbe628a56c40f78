namespace Promotions.Scoring.Drift;

/// <summary>The population stability index: how far the shares of bins moved, Σ (actual − expected) · ln(actual / expected).</summary>
/// <remarks>By custom below 0.1 is stable, from 0.25 on another population. Siddiqi, <i>Credit risk scorecards</i>, 2006. Of equal populations it is not 0 but about (bins − 1) · (1/n + 1/m).</remarks>
public static class PopulationStability
{
    /// <summary>Shares below it count as this much: an empty bin is far off, not infinitely.</summary>
    public const double FloorDefault = 1e-4;

    /// <param name="expected">Counts per bin; at least one above 0.</param>
    /// <param name="actual">Counts of the same bins; at least one above 0.</param>
    /// <param name="floor">Least share of a bin, above 0; shares are not made to sum to 1 again.</param>
    /// <param name="parts">Each bin's part of the sum, or empty for whom the sum is enough.</param>
    /// <exception cref="ArgumentException">The sides have another number of bins, or one has nothing in it.</exception>
    public static double Of(ReadOnlySpan<long> expected, ReadOnlySpan<long> actual, double floor = FloorDefault, Span<double> parts = default)
    {
        if (expected.Length != actual.Length) throw new ArgumentException($"{expected.Length} bins are expected and {actual.Length} were counted.", nameof(actual));
        var (expectedAll, actualAll) = (Sum(expected), Sum(actual));
        if (expectedAll == 0 || actualAll == 0) throw new ArgumentException("Nothing was counted: there is nothing to compare.", nameof(actual));
        var index = 0.0;
        for (var bin = 0; bin < expected.Length; bin++)
        {
            var before = Math.Max(floor, (double)expected[bin] / expectedAll);
            var now = Math.Max(floor, (double)actual[bin] / actualAll);
            var part = (now - before) * Math.Log(now / before);
            if (parts.Length > 0) parts[bin] = part;
            index += part;
        }

        return index;
    }

    private static long Sum(ReadOnlySpan<long> counts)
    {
        var sum = 0L;
        foreach (var count in counts) sum = checked(sum + count);
        return sum;
    }
}
