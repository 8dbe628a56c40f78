using System.Globalization;
using Promotions.Analytics.Statistics;

namespace Promotions.Analytics.Results;

/// <summary>When a difference may be shown as a number, and what the number is. Pure.</summary>
public static class EffectRule
{
    /// <summary>Fewer customers in an arm, and the mean of skewed sales is not near enough to normal for Welch's interval to hold.</summary>
    public const long CustomersMin = 30;

    /// <summary>Fewer buyers in an arm, and its variance is a guess: nearly all of it hangs on orders not yet seen.</summary>
    public const long BuyersMin = 10;

    public const string TestName = "welch_absolute";

    /// <param name="treatedBuyers">Customers of the arm with at least one order.</param>
    /// <returns>Why there is no number, or null when there is one.</returns>
    public static string? TooLittleData(SampleMoments treated, long treatedBuyers, SampleMoments control, long controlBuyers, bool controlGroup)
    {
        if (!controlGroup && control.Count == 0) return "The campaign has no control group, so there is nothing to compare with.";
        if (treated.Count + control.Count == 0) return "No customer has been triggered yet.";
        if (treated.Count < CustomersMin || control.Count < CustomersMin)
            return string.Create(CultureInfo.InvariantCulture, $"Too few customers yet: {treated.Count} treated and {control.Count} control; each arm needs at least {CustomersMin}.");
        if (treatedBuyers < BuyersMin || controlBuyers < BuyersMin)
            return string.Create(CultureInfo.InvariantCulture, $"Too few buyers yet: {treatedBuyers} treated and {controlBuyers} control; each arm needs at least {BuyersMin}.");
        return treated.Variance > 0 || control.Variance > 0 ? null : "Not enough variation: every customer spent the same.";
    }

    /// <param name="discountCost">Minor units, at least 0.</param>
    public static EffectResult Of(SampleMoments treated, long treatedBuyers, SampleMoments control, long controlBuyers, bool controlGroup, long discountCost)
    {
        var reason = TooLittleData(treated, treatedBuyers, control, controlBuyers, controlGroup);
        if (reason is not null || WelchTest.Compare(treated, control) is not { } welch)
            return new(TestName, null, null, null, null, null, null, null, reason ?? "Not enough variation to judge by.");

        var incremental = new IntervalEstimate(welch.Difference * treated.Count, welch.Low * treated.Count, welch.High * treated.Count);
        return new(
            TestName, new(welch.Difference, welch.Low, welch.High), welch.PValue, welch.StandardError, welch.DegreesOfFreedom, incremental,
            control.Mean > 0 ? welch.Difference / control.Mean : null, discountCost > 0 ? incremental.Value / discountCost : null, null);
    }
}
