using System.Numerics;
using Promotions.Analytics.Statistics;

namespace Promotions.Analytics.Results;

/// <summary>What changed in one arm on one day.</summary>
/// <param name="Squares">Change of the sum over customers of their squared totals.</param>
/// <param name="NewBuyers">Customers whose first order this was.</param>
internal readonly record struct ArmDay(DateOnly Day, long Customers, BigInteger Sales, BigInteger Squares, long Orders, long NewBuyers);

/// <summary>One arm, added up day by day.</summary>
internal sealed class ArmCurve(IEnumerable<ArmDay> days)
{
    private readonly ArmDay[] _days = [.. days.GroupBy(static day => day.Day).OrderBy(static group => group.Key).Select(static group => group.Aggregate(Add))];
    private int _next;
    private ArmDay _total;

    public DateOnly? FirstDay => _days.Length > 0 ? _days[0].Day : null;

    public SampleMoments Moments => SampleMoments.FromExact(_total.Customers, _total.Sales, _total.Squares);
    public ArmDay Total => _total;

    /// <summary>Takes in everything up to and including <paramref name="day"/>; days must rise.</summary>
    public void AdvanceTo(DateOnly day)
    {
        while (_next < _days.Length && _days[_next].Day <= day) _total = Add(_total, _days[_next++]);
    }

    private static ArmDay Add(ArmDay left, ArmDay right) => new(
        right.Day, left.Customers + right.Customers, left.Sales + right.Sales, left.Squares + right.Squares, left.Orders + right.Orders, left.NewBuyers + right.NewBuyers);
}

/// <summary>Treated and control over time. Pure.</summary>
internal static class SalesCurve
{
    /// <summary>More days than this are not drawn one by one: the oldest are left out, their sums are not.</summary>
    public const int DaysMax = 1_000;

    /// <param name="lastDay">Of the curve: both arms end up added up to it.</param>
    public static IReadOnlyList<DailyPoint> Draw(ArmCurve treated, ArmCurve control, DateOnly lastDay, bool controlGroup)
    {
        DateOnly? first = (treated.FirstDay, control.FirstDay) switch
        {
            ({ } one, { } two) => one < two ? one : two,
            var (one, two) => one ?? two,
        };
        var points = new List<DailyPoint>();
        var day = first ?? lastDay.AddDays(1);
        if (day < lastDay.AddDays(1 - DaysMax)) day = lastDay.AddDays(1 - DaysMax);
        for (; day <= lastDay; day = day.AddDays(1))
        {
            treated.AdvanceTo(day);
            control.AdvanceTo(day);
            var reason = EffectRule.TooLittleData(treated.Moments, treated.Total.NewBuyers, control.Moments, control.Total.NewBuyers, controlGroup);
            var welch = reason is null ? WelchTest.Compare(treated.Moments, control.Moments) : null;
            points.Add(new(day, treated.Total.Customers, control.Total.Customers, Mean(treated.Moments), Mean(control.Moments),
                welch is { } test ? new(test.Difference, test.Low, test.High) : null));
        }

        return points;
    }

    public static IntervalEstimate? Mean(SampleMoments moments) =>
        WelchTest.MeanInterval(moments) is var (low, high) ? new(moments.Mean, low, high) : null;
}
