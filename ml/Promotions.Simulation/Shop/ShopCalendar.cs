namespace Promotions.Simulation.Shop;

/// <summary>How the year, the week, pay day and the hour of day move a shop's traffic.</summary>
internal static class ShopCalendar
{
    public const long DayMs = 86_400_000;
    public const long HourMs = 3_600_000;

    private static readonly double[] s_months = [0.92, 0.86, 0.95, 0.98, 1.00, 0.96, 0.90, 0.88, 0.97, 1.03, 1.28, 1.35];
    private static readonly double[] s_weekdays = [1.12, 0.96, 0.90, 0.92, 0.97, 1.08, 1.15];   // Sunday first
    private static readonly double[] s_hours = [6, 3, 2, 1, 1, 2, 6, 14, 24, 34, 42, 46, 52, 46, 42, 42, 46, 54, 66, 78, 82, 70, 44, 19];
    private static readonly double s_hoursSum = s_hours.Sum();

    /// <summary>1 on an average day.</summary>
    public static double Factor(long dayMs)
    {
        var day = DateTimeOffset.FromUnixTimeMilliseconds(dayMs);
        var untilMonthEnd = DateTime.DaysInMonth(day.Year, day.Month) - day.Day;
        var payDay = untilMonthEnd <= 1 || day.Day <= 3 ? 1.22 : day.Day is >= 21 and <= 26 ? 0.92 : 1;   // salaries come with the month's end; money is short before
        return s_months[day.Month - 1] * s_weekdays[(int)day.DayOfWeek] * payDay;
    }

    public static bool IsWorkday(long dayMs) => DateTimeOffset.FromUnixTimeMilliseconds(dayMs).DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday);

    /// <summary>What share of a day's visits falls into an hour: as many as are awake.</summary>
    public static double ShareOfHour(int hour) => s_hours[hour] / s_hoursSum;
}
