namespace Promotions.Scoring.Drift;

/// <summary>The two-sample Kolmogorov-Smirnov test.</summary>
public static class KolmogorovSmirnov
{
    /// <summary>The largest gap between two empirical distribution functions.</summary>
    /// <param name="Statistic">0 to 1.</param>
    /// <param name="Location">The first value at which the gap is this large.</param>
    /// <param name="Sign">+1 where the first sample's function lies above there, −1 where below.</param>
    /// <param name="Scaled">The statistic times both counts: a whole number, so that ties of paths are decided exactly.</param>
    public readonly record struct Gap(double Statistic, double Location, int Sign, long Scaled);

    /// <exception cref="ArgumentException">A sample is empty.</exception>
    public static Gap Of(ReadOnlySpan<double> first, ReadOnlySpan<double> second)
    {
        if (first.Length == 0 || second.Length == 0) throw new ArgumentException("A sample is empty.");
        var (a, b) = (first.ToArray(), second.ToArray());
        Array.Sort(a);
        Array.Sort(b);
        var (i, j) = (0, 0);
        var best = new Gap(0, double.NaN, 1, 0);
        while (i < a.Length || j < b.Length)
        {
            var value = j >= b.Length || (i < a.Length && a[i] <= b[j]) ? a[i] : b[j];
            while (i < a.Length && a[i] <= value) i++;
            while (j < b.Length && b[j] <= value) j++;
            var gap = ((long)i * b.Length) - ((long)j * a.Length);
            if (Math.Abs(gap) > best.Scaled) best = new(Math.Abs(gap) / ((double)a.Length * b.Length), value, Math.Sign(gap), Math.Abs(gap));
        }

        return best;
    }

    /// <summary>The gap of two binned samples: no more than that of the samples, and as much where bins are as fine as the values.</summary>
    /// <exception cref="ArgumentException">The sides have another number of bins, or one has nothing in it.</exception>
    public static double OfBins(ReadOnlySpan<long> expected, ReadOnlySpan<long> actual)
    {
        if (expected.Length != actual.Length) throw new ArgumentException($"{expected.Length} bins are expected and {actual.Length} were counted.", nameof(actual));
        var (expectedAll, actualAll) = (0L, 0L);
        foreach (var count in expected) expectedAll += count;
        foreach (var count in actual) actualAll += count;
        if (expectedAll == 0 || actualAll == 0) throw new ArgumentException("Nothing was counted: there is nothing to compare.", nameof(actual));
        var (before, now, gap) = (0L, 0L, 0.0);
        for (var bin = 0; bin < expected.Length; bin++)
        {
            before += expected[bin];
            now += actual[bin];
            gap = Math.Max(gap, Math.Abs(((double)before / expectedAll) - ((double)now / actualAll)));
        }

        return gap;
    }

    /// <summary>The exact probability of a gap at least as large, where both samples are of one continuous population: of all orders of the two samples, the share whose path leaves the band.</summary>
    /// <remarks>Counted from outside, so that small probabilities keep their digits. Time is n · m.</remarks>
    public static double Exact(int n, int m, in Gap gap)
    {
        if (gap.Scaled == 0) return 1;
        var outside = new double[m + 1];
        for (var i = 0; i <= n; i++)
        {
            for (var j = 0; j <= m; j++)
            {
                if (Math.Abs(((long)i * m) - ((long)j * n)) >= gap.Scaled) outside[j] = 1;
                else if (i == 0 && j == 0) outside[j] = 0;
                else if (i == 0) outside[j] = outside[j - 1];
                else if (j > 0) outside[j] = ((outside[j] * i) + (outside[j - 1] * j)) / (i + j);
            }
        }

        return outside[m];
    }

    /// <summary>The limit of that probability for large samples, Kolmogorov 1933.</summary>
    public static double Limit(double n, double m, double statistic)
    {
        var lambda = statistic * Math.Sqrt(n * m / (n + m));
        if (lambda <= 0) return 1;
        var sum = 0.0;
        if (lambda < 1.18)
        {
            // The other form of the same series: where the alternating one needs hundreds of terms this needs four.
            for (var k = 1; k <= 7; k += 2) sum += Math.Exp(-k * k * Math.PI * Math.PI / (8 * lambda * lambda));
            return 1 - (Math.Sqrt(2 * Math.PI) / lambda * sum);
        }

        for (var k = 1; k <= 6; k++) sum += (k % 2 == 1 ? 2 : -2) * Math.Exp(-2.0 * k * k * lambda * lambda);
        return sum;
    }
}
