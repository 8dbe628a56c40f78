using System.Numerics;

namespace Promotions.Analytics.Statistics;

/// <summary>What a test of means needs to know of one arm.</summary>
/// <param name="Count">Units, at least 0.</param>
/// <param name="Mean">0 when there are none.</param>
/// <param name="Variance">Of one unit, with n − 1; 0 for fewer than two units, never negative.</param>
public readonly record struct SampleMoments(long Count, double Mean, double Variance)
{
    /// <summary>From sums that add, so that any split of the data agrees.</summary>
    public static SampleMoments FromSums(long count, double sum, double sumOfSquares) => count <= 1
        ? new(count, count == 0 ? 0 : sum, 0)
        : new(count, sum / count, Math.Max(0, (sumOfSquares - sum / count * sum) / (count - 1)));

    /// <summary>From exact integers: nothing cancels, however large the mean is beside the spread.</summary>
    public static SampleMoments FromExact(long count, BigInteger sum, BigInteger sumOfSquares) => count <= 1
        ? new(count, count == 0 ? 0 : (double)sum, 0)
        : new(count, (double)sum / count, (double)(count * sumOfSquares - sum * sum) / ((double)count * (count - 1)));

    /// <summary>From the values themselves, in two passes.</summary>
    public static SampleMoments FromValues(IReadOnlyCollection<double> values)
    {
        if (values.Count <= 1) return new(values.Count, values.Sum(), 0);
        var mean = values.Average();
        return new(values.Count, mean, values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
    }
}
