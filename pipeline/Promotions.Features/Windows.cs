namespace Promotions.Features;

/// <summary>The times that features are made of. A window of length w at t is (t − w, t] over event time. Unit: milliseconds.</summary>
public static class Windows
{
    public const long OneMinute = 60_000;
    public const long TenMinutes = 10 * OneMinute;
    public const long OneHour = 60 * OneMinute;
    public const long OneDay = 24 * OneHour;
    public const long SevenDays = 7 * OneDay;
    public const long ThirtyDays = 30 * OneDay;

    /// <summary>How far out of order a record may come and still be measured exactly. Source: design section 3, intake.</summary>
    public const long Grace = TenMinutes;

    /// <summary>An amount above this counts as this, so that 9 million of them add up without overflow. Unit: minor units.</summary>
    public const long AmountMax = 1_000_000_000_000;

    /// <summary><c>1min</c>, <c>10min</c>, <c>1h</c>, <c>24h</c>, <c>7d</c>, <c>30d</c>; empty for no window.</summary>
    public static string NameOf(long window) => window switch
    {
        0 => "",
        OneMinute => "1min",
        TenMinutes => "10min",
        OneHour => "1h",
        OneDay => "24h",
        SevenDays => "7d",
        ThirtyDays => "30d",
        _ => throw new ArgumentOutOfRangeException(nameof(window)),
    };
}
