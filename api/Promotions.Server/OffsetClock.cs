using System.Globalization;

namespace Promotions.Server;

/// <summary>A wall clock that is wrong by a fixed time. For fault runs: it shows what a machine does whose clock is off. Time that has passed is measured rightly, as on such a machine.</summary>
internal sealed class OffsetClock(TimeProvider wall, TimeSpan offset) : TimeProvider
{
    /// <summary>Unit: ms. Range: an hour either way. Unset or empty: the clock is the machine's.</summary>
    public const string Variable = "PROMOTIONS_CLOCK_OFFSET_MS";

    private const long OffsetMax = 3_600_000;

    public override TimeZoneInfo LocalTimeZone => wall.LocalTimeZone;
    public override long TimestampFrequency => wall.TimestampFrequency;

    /// <exception cref="StartRefusedException">The variable's value is none.</exception>
    public static TimeProvider FromEnvironment(TimeProvider wall) => From(Environment.GetEnvironmentVariable(Variable), wall);

    /// <exception cref="StartRefusedException">The text is no such number.</exception>
    public static TimeProvider From(string? text, TimeProvider wall)
    {
        if (string.IsNullOrEmpty(text)) return wall;
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var milliseconds) || milliseconds is < -OffsetMax or > OffsetMax)
            throw new StartRefusedException($"{Variable} must be from -{OffsetMax} to {OffsetMax}, not '{text}'. It is for fault runs: leave it out.");
        Console.WriteLine($"warn: this process's clock is off by {milliseconds} ms ({Variable}): for fault runs, never where money is real.");
        return new OffsetClock(wall, TimeSpan.FromMilliseconds(milliseconds));
    }

    public override DateTimeOffset GetUtcNow() => wall.GetUtcNow() + offset;
    public override long GetTimestamp() => wall.GetTimestamp();
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => wall.CreateTimer(callback, state, dueTime, period);
}
