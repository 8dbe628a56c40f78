namespace Promotions.Domain;

/// <summary>When a record happened: its arrival over HTTP, or the broker's <c>CreateTime</c>.</summary>
/// <remarks>Unit: milliseconds since 1970-01-01T00:00:00Z. <c>default</c> is the epoch. Differences are plain milliseconds.</remarks>
public readonly record struct EventTime(long UnixMilliseconds) : IComparable<EventTime>
{
    public static EventTime From(DateTimeOffset at) => new(at.ToUnixTimeMilliseconds());
    public static EventTime Now(TimeProvider time) => From(time.GetUtcNow());
    public DateTimeOffset ToDateTimeOffset() => DateTimeOffset.FromUnixTimeMilliseconds(UnixMilliseconds);
    public EventTime Plus(TimeSpan span) => new(checked(UnixMilliseconds + (long)span.TotalMilliseconds));
    public int CompareTo(EventTime other) => UnixMilliseconds.CompareTo(other.UnixMilliseconds);
    public static bool operator <(EventTime left, EventTime right) => left.UnixMilliseconds < right.UnixMilliseconds;
    public static bool operator >(EventTime left, EventTime right) => left.UnixMilliseconds > right.UnixMilliseconds;
    public static bool operator <=(EventTime left, EventTime right) => left.UnixMilliseconds <= right.UnixMilliseconds;
    public static bool operator >=(EventTime left, EventTime right) => left.UnixMilliseconds >= right.UnixMilliseconds;

    /// <summary>UTC ISO-8601 with milliseconds, as everywhere in JSON.</summary>
    public override string ToString() => ToDateTimeOffset().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
