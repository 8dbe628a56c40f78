using MathNet.Numerics.Distributions;

namespace Promotions.Analytics.Statistics;

/// <summary>Student's t from its tail: "1 − F" would lose every digit of a small p value.</summary>
/// <remarks>Written here because the general incomplete beta function of MathNet.Numerics is right to 4 digits only at p = 1e-13 with 120 degrees:
/// its prefactor is a difference of large logarithms. With one parameter fixed at ½ that difference has a series of its own.</remarks>
public static class StudentTail
{
    /// <summary>P(T &gt; t). Relative error below 1e-10 down to 1e-290.</summary>
    /// <param name="degreesOfFreedom">Above 0; need not be whole.</param>
    public static double Upper(double t, double degreesOfFreedom)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(degreesOfFreedom);
        if (t < 0) return 1 - Upper(-t, degreesOfFreedom);
        if (t == 0) return 0.5;
        if (double.IsPositiveInfinity(t)) return 0;

        // P = ½ I_x(ν/2, ½) with x = ν / (ν + t²); the fraction converges on one side only, and the other side is its complement.
        var half = degreesOfFreedom / 2;
        var ratio = t * t / degreesOfFreedom;
        var (x, rest) = (1 / (1 + ratio), ratio / (1 + ratio));
        var front = Math.Exp(-half * LogOnePlus(ratio)) * Math.Sqrt(rest) * GammaRatio(half) / Math.Sqrt(Math.PI);
        return x < (half + 1) / (half + 2.5)
            ? 0.5 * front / half * Fraction(x, half, 0.5)
            : 0.5 - 0.5 * front / 0.5 * Fraction(rest, 0.5, half);
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

    private static double Density(double t, double degreesOfFreedom) =>
        GammaRatio(degreesOfFreedom / 2) / Math.Sqrt(Math.PI * degreesOfFreedom) * Math.Exp(-(degreesOfFreedom + 1) / 2 * LogOnePlus(t * t / degreesOfFreedom));

    /// <summary>Γ(a + ½) / Γ(a), a above 0.</summary>
    /// <remarks>The asymptotic series in 1/a (Abramowitz and Stegun 6.1.47 for b = ½), reached from below by the recursion r(a) = r(a + 1) a / (a + ½).</remarks>
    private static double GammaRatio(double a)
    {
        var product = 1.0;
        for (; a < 32; a++) product *= a / (a + 0.5);
        var i = 1 / a;
        return product * Math.Sqrt(a) * (1 + i * (-1 / 8.0 + i * (1 / 128.0 + i * (5 / 1_024.0 + i * (-21 / 32_768.0 + i * (-399 / 262_144.0 + i * (869 / 4_194_304.0)))))));
    }

    /// <summary>The continued fraction of the incomplete beta function, by Lentz's method: I_x(a, b) = x^a (1 − x)^b / (a B(a, b)) times this.</summary>
    private static double Fraction(double x, double a, double b)
    {
        const double Tiny = 1e-300;
        const int StepsMax = 1_000_000;   // grows with the root of the degrees: some 3,000 at 10^7
        double c = 1, d = 1 - (a + b) * x / (a + 1);
        d = 1 / (Math.Abs(d) < Tiny ? Tiny : d);
        var value = d;
        for (var m = 1; m <= StepsMax; m++)
        {
            var even = m * (b - m) * x / ((a + 2.0 * m - 1) * (a + 2.0 * m));
            d = 1 / Away(1 + even * d);
            c = Away(1 + even / c);
            value *= d * c;
            var odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1));
            d = 1 / Away(1 + odd * d);
            c = Away(1 + odd / c);
            value *= d * c;
            if (Math.Abs(d * c - 1) < 1e-15) return value;
        }

        throw new ArithmeticException("The incomplete beta function did not converge.");

        static double Away(double value) => Math.Abs(value) < Tiny ? Tiny : value;
    }

    /// <summary>ln(1 + x) without losing a small x.</summary>
    private static double LogOnePlus(double x)
    {
        var sum = 1 + x;
        return sum == 1 ? x : double.IsPositiveInfinity(sum) ? double.PositiveInfinity : Math.Log(sum) * (x / (sum - 1));
    }
}
