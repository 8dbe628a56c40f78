namespace Promotions.Analytics.Statistics;

/// <summary>Treated − control, unequal variances, two-sided.</summary>
/// <param name="Difference">Of the means.</param>
/// <param name="PValue">Of no difference, from the tail: as small as 1e-300 keeps its digits.</param>
public readonly record struct WelchResult(double Difference, double StandardError, double DegreesOfFreedom, double PValue, double Low, double High);

/// <summary>Welch's t-test on the absolute difference of two means.</summary>
/// <remarks>Source: B. L. Welch 1947; degrees of freedom after Satterthwaite.</remarks>
public static class WelchTest
{
    /// <param name="confidence">Of the interval, above 0 and below 1.</param>
    /// <returns>Null where there is no spread to judge by: fewer than two units in an arm, or no variation in both.</returns>
    public static WelchResult? Compare(SampleMoments treated, SampleMoments control, double confidence = 0.95)
    {
        if (treated.Count < 2 || control.Count < 2) return null;
        var ofTreated = treated.Variance / treated.Count;
        var ofControl = control.Variance / control.Count;
        var squaredError = ofTreated + ofControl;
        if (!(squaredError > 0) || !double.IsFinite(squaredError)) return null;

        // Shares first: the squares of tiny variances would vanish, those of huge ones overflow.
        var (treatedShare, controlShare) = (ofTreated / squaredError, ofControl / squaredError);
        var degreesOfFreedom = 1 / (treatedShare * treatedShare / (treated.Count - 1) + controlShare * controlShare / (control.Count - 1));
        var standardError = Math.Sqrt(squaredError);
        var difference = treated.Mean - control.Mean;
        var p = Math.Min(1, 2 * StudentTail.Upper(Math.Abs(difference) / standardError, degreesOfFreedom));
        var half = StudentTail.UpperQuantile((1 - confidence) / 2, degreesOfFreedom) * standardError;
        return new(difference, standardError, degreesOfFreedom, p, difference - half, difference + half);
    }

    /// <summary>The interval of one mean, by Student's t.</summary>
    /// <returns>Null with fewer than two units.</returns>
    public static (double Low, double High)? MeanInterval(SampleMoments moments, double confidence = 0.95)
    {
        if (moments.Count < 2) return null;
        var half = StudentTail.UpperQuantile((1 - confidence) / 2, moments.Count - 1) * Math.Sqrt(moments.Variance / moments.Count);
        return (moments.Mean - half, moments.Mean + half);
    }
}
