using MathNet.Numerics;
using MathNet.Numerics.Distributions;

namespace Promotions.Analytics.Statistics;

/// <summary>Student's t from its tail: "1 − F" would lose every digit of a small p value.</summary>
public static class StudentTail
{
    /// <summary>P(T &gt; t). Relative error below 1e-10 down to 1e-300.</summary>
    /// <param name="degreesOfFreedom">Above 0; need not be whole.</param>
    public static double Upper(double t, double degreesOfFreedom)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(degreesOfFreedom);
        if (t < 0) return 1 - Upper(-t, degreesOfFreedom);
        if (double.IsPositiveInfinity(t)) return 0;
        // Of the two arguments of the incomplete beta function the small one is computed directly, so that neither end cancels.
        var square = t * t;
        return square < degreesOfFreedom
            ? 0.5 * (1 - SpecialFunctions.BetaRegularized(0.5, degreesOfFreedom / 2, square / (degreesOfFreedom + square)))
            : 0.5 * SpecialFunctions.BetaRegularized(degreesOfFreedom / 2, 0.5, degreesOfFreedom / (degreesOfFreedom + square));
    }

    /// <summary>The t with P(T &gt; t) = <paramref name="tail"/>.</summary>
    /// <param name="tail">0 to 0.5, exclusive of 0.</param>
    public static double UpperQuantile(double tail, double degreesOfFreedom)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tail);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tail, 0.5);
        // t grows without bound as the degrees fall, so bracket first; then Newton's steps, halved back into the bracket.
        var (low, high) = (0.0, 1.0);
        while (Upper(high, degreesOfFreedom) > tail) (low, high) = (high, 2 * high);
        var t = Math.Clamp(-Normal.InvCDF(0, 1, tail), low, high);
        for (var step = 0; step < 200; step++)
        {
            var excess = Upper(t, degreesOfFreedom) - tail;
            if (excess > 0) low = t;
            else high = t;
            var next = t + excess / Density(t, degreesOfFreedom);
            if (!(next > low && next < high)) next = low + (high - low) / 2;
            if (Math.Abs(next - t) <= 1e-14 * Math.Max(1, t)) return next;
            t = next;
        }

        return t;
    }

    private static double Density(double t, double degreesOfFreedom) => Math.Exp(
        SpecialFunctions.GammaLn((degreesOfFreedom + 1) / 2) - SpecialFunctions.GammaLn(degreesOfFreedom / 2)
        - 0.5 * Math.Log(degreesOfFreedom * Math.PI) - (degreesOfFreedom + 1) / 2 * Math.Log(1 + t * t / degreesOfFreedom));
}
