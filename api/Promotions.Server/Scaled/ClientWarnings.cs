namespace Promotions.Server.Scaled;

/// <summary>Lets some of the Kafka client's warnings through: brokers that are away make it say the same many times a second. Safe from several threads.</summary>
internal sealed class ClientWarnings(TimeProvider time)
{
    /// <summary>Warnings in one <see cref="Span"/>: enough to see what a fault begins with.</summary>
    public const int Max = 5;

    public static readonly TimeSpan Span = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private long? _since;
    private int _taken;
    private long _heldBack;

    /// <param name="heldBack">How many were held back since the last one that was let through.</param>
    /// <returns>False: it is held back.</returns>
    public bool TryTake(out long heldBack)
    {
        lock (_lock)
        {
            if (_since is not { } since || time.GetElapsedTime(since) >= Span) (_since, _taken) = (time.GetTimestamp(), 0);
            if (_taken == Max)
            {
                heldBack = ++_heldBack;
                return false;
            }

            _taken++;
            (heldBack, _heldBack) = (_heldBack, 0);
            return true;
        }
    }
}
