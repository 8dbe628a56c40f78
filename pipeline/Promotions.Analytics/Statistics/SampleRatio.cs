using MathNet.Numerics;

namespace Promotions.Analytics.Statistics;

/// <summary>Are arms as large as they were meant to be?</summary>
public static class SampleRatio
{
    /// <summary>Below this the comparison is not to be trusted. Source: the threshold that experiment platforms agree on, 0.001.</summary>
    public const double MismatchBelow = 0.001;

    /// <summary>Chi squared against the expected shares.</summary>
    /// <param name="units">Of each arm, exact counts: an estimate that is off by 0.4 % would be a false alarm.</param>
    /// <param name="weights">Above 0, any scale. An arm that should get nobody has no place here.</param>
    /// <returns>The upper tail with arms − 1 degrees; 1 without units.</returns>
    public static double PValue(IReadOnlyList<long> units, IReadOnlyList<double> weights)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(units.Count, weights.Count);
        double total = units.Sum(), weight = weights.Sum();
        if (total == 0 || units.Count < 2) return 1;
        var statistic = 0.0;
        for (var arm = 0; arm < units.Count; arm++)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(weights[arm]);
            var expected = weights[arm] / weight * total;
            statistic += (units[arm] - expected) * (units[arm] - expected) / expected;
        }

        return UpperTail(statistic, units.Count - 1);
    }

    /// <summary>Two arms whose share changed with the campaign's versions: each stratum brings its own expectation and variance.</summary>
    /// <param name="strata">Units assigned under one share, and that share of control, 0 to 1 exclusive.</param>
    /// <returns>With one stratum, exactly <see cref="PValue"/>. 1 without units.</returns>
    public static double PValueOfControl(long control, IReadOnlyList<(long Units, double ControlShare)> strata)
    {
        double expected = 0, variance = 0;
        foreach (var (units, share) in strata)
        {
            expected += units * share;
            variance += units * share * (1 - share);
        }

        return variance > 0 ? UpperTail((control - expected) * (control - expected) / variance, 1) : control == (long)Math.Round(expected) ? 1 : 0;
    }

    private static double UpperTail(double statistic, int degreesOfFreedom) =>
        statistic <= 0 ? 1 : SpecialFunctions.GammaUpperRegularized(degreesOfFreedom / 2.0, statistic / 2);
}
