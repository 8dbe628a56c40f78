namespace Promotions.Server.Metrics;

/// <summary>Mean of what was measured in the last 30 to 60 s, however often it is asked for. Safe from several threads.</summary>
internal sealed class RecentMean(TimeProvider time)
{
    public static readonly TimeSpan Span = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private long _since = time.GetTimestamp();
    private (double Sum, int Count) _now;
    private (double Sum, int Count) _before;

    public void Add(double value)
    {
        lock (_lock)
        {
            Turn();
            _now = (_now.Sum + value, _now.Count + 1);
        }
    }

    /// <returns>Null where nothing was measured.</returns>
    public double? Read()
    {
        lock (_lock)
        {
            Turn();
            var count = _now.Count + _before.Count;
            return count == 0 ? null : (_now.Sum + _before.Sum) / count;
        }
    }

    private void Turn()
    {
        var passed = time.GetElapsedTime(_since);
        if (passed < Span) return;
        _before = passed < 2 * Span ? _now : default;
        _now = default;
        _since = time.GetTimestamp();
    }
}
