using System.Collections.Concurrent;
using System.Net;

namespace Promotions.Api.Limits;

/// <summary>A bucket per remote address for requests without a valid key. Holds at most <see cref="AddressesMax"/>; beyond that strangers share one.</summary>
public sealed class AnonymousBuckets(int tokensPerSecond, int capacity)
{
    public const int AddressesMax = 10_000;

    private readonly ConcurrentDictionary<IPAddress, TokenBucket> _buckets = new();
    private readonly TokenBucket _shared = new(tokensPerSecond, capacity);

    public TokenBucket Find(IPAddress? address, long nowTicks)
    {
        if (address is null) return _shared;
        if (_buckets.TryGetValue(address, out var bucket)) return bucket;
        if (_buckets.Count >= AddressesMax)
        {
            foreach (var (key, idle) in _buckets)
                if (idle.IsFull(nowTicks)) _buckets.TryRemove(key, out _);
            if (_buckets.Count >= AddressesMax) return _shared;
        }
        return _buckets.GetOrAdd(address, static (_, argument) => new TokenBucket(argument.Rate, argument.Capacity), (Rate: tokensPerSecond, Capacity: capacity));
    }
}
