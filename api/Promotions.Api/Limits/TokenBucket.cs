using System.Globalization;

namespace Promotions.Api.Limits;

/// <summary>A token bucket without a lock: it keeps one number, the moment at which it would be full again (the generic cell rate algorithm).</summary>
/// <remarks>Time is a <see cref="TimeProvider"/> timestamp in ticks of 100 ns, given by the caller. A bucket that was never used is full.</remarks>
public sealed class TokenBucket
{
    private readonly long _ticksPerToken;
    private readonly long _capacityTicks;
    private long _fullAt = long.MinValue;

    /// <param name="tokensPerSecond">1 to 1,000,000.</param>
    /// <param name="capacity">Tokens in a full bucket, at least 1.</param>
    public TokenBucket(int tokensPerSecond, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokensPerSecond);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        Capacity = capacity;
        TokensPerSecond = tokensPerSecond;
        Policy = string.Create(CultureInfo.InvariantCulture, $"{capacity};w={Math.Max(1, (capacity + tokensPerSecond - 1) / tokensPerSecond)}");
        _ticksPerToken = Math.Max(1, TimeSpan.TicksPerSecond / tokensPerSecond);
        _capacityTicks = checked(_ticksPerToken * capacity);
    }

    public int Capacity { get; }
    public int TokensPerSecond { get; }

    /// <summary>For the header: so many in so many seconds.</summary>
    public string Policy { get; }

    /// <summary>Take one token if there is one.</summary>
    public Taken Take(long nowTicks)
    {
        while (true)
        {
            var before = Volatile.Read(ref _fullAt);
            var from = Math.Max(before, nowTicks);
            var after = from + _ticksPerToken;
            if (after - nowTicks > _capacityTicks)
                return new(false, 0, SecondsUp(after - nowTicks - _capacityTicks), SecondsUp(from - nowTicks));
            if (Interlocked.CompareExchange(ref _fullAt, after, before) == before)
                return new(true, (int)((_capacityTicks - (after - nowTicks)) / _ticksPerToken), 0, SecondsUp(after - nowTicks));
        }
    }

    /// <summary>Nothing was taken lately: forgetting the bucket changes nothing.</summary>
    public bool IsFull(long nowTicks) => Volatile.Read(ref _fullAt) <= nowTicks;

    private static int SecondsUp(long ticks) => (int)((ticks + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond);
}

/// <param name="Remaining">Tokens left.</param>
/// <param name="RetryAfterSeconds">Until the next token; 0 when one was taken.</param>
/// <param name="ResetSeconds">Until the bucket is full.</param>
public readonly record struct Taken(bool Allowed, int Remaining, int RetryAfterSeconds, int ResetSeconds);
