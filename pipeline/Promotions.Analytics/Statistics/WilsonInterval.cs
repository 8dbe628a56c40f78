using MathNet.Numerics.Distributions;

namespace Promotions.Analytics.Statistics;

/// <summary>The interval of a share that behaves at 0, at 1 and with few units.</summary>
/// <remarks>Source: E. B. Wilson 1927, without continuity correction.</remarks>
public static class WilsonInterval
{
    /// <param name="count">0 to <paramref name="of"/>.</param>
    /// <param name="of">At least 1.</param>
    public static (double Low, double High) Of(long count, long of, double confidence = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(of, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, of);
        var z = -Normal.InvCDF(0, 1, (1 - confidence) / 2);
        var share = (double)count / of;
        var denominator = 1 + z * z / of;
        var centre = (share + z * z / (2.0 * of)) / denominator;
        var half = z / denominator * Math.Sqrt(share * (1 - share) / of + z * z / (4.0 * of * of));
        // At the ends the two terms are equal and only rounding is left.
        return (count == 0 ? 0 : Math.Max(0, centre - half), count == of ? 1 : Math.Min(1, centre + half));
    }
}
