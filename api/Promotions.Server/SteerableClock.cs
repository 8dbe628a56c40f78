namespace Promotions.Server;

/// <summary>The wall clock, or a record's time while a past is loaded: holds, lots and deadlines then live in the records' days.</summary>
internal sealed class SteerableClock(TimeProvider wall) : TimeProvider
{
    private long _steeredTicks;

    public DateTimeOffset WallNow => wall.GetUtcNow();

    /// <summary>From now on it is this time, until the next call or <see cref="Release"/>.</summary>
    public void Steer(DateTimeOffset at) => Volatile.Write(ref _steeredTicks, at.UtcTicks);

    /// <summary>Back to the wall clock.</summary>
    public void Release() => Volatile.Write(ref _steeredTicks, 0);

    public override DateTimeOffset GetUtcNow() => Volatile.Read(ref _steeredTicks) is > 0 and var ticks ? new(ticks, TimeSpan.Zero) : wall.GetUtcNow();
    public override long GetTimestamp() => wall.GetTimestamp();
    public override long TimestampFrequency => wall.TimestampFrequency;
    public override TimeZoneInfo LocalTimeZone => wall.LocalTimeZone;
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => wall.CreateTimer(callback, state, dueTime, period);
}
