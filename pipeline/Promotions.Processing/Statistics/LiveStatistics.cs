using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Processing.Statistics;

/// <summary>One slot per second in a ring of five minutes; memory is fixed, whatever the rate.</summary>
public sealed class LiveStatistics(TimeProvider time) : ILiveStatistics
{
    /// <summary>Whole seconds that a snapshot looks back.</summary>
    public const int SecondsKept = 300;

    private const int StatusCount = 5;
    private const int BucketCount = 96;                 // 0.05 ms × 1.15^95 = 29 s
    private const double FirstBoundMs = 0.05;
    private const double BoundGrowth = 1.15;
    private const int SecondsForRate = 10;

    private readonly Slot[] _slots = [.. Enumerable.Range(0, SecondsKept + 1).Select(_ => new Slot())];
    private readonly Lock _lock = new();

    /// <summary>Call once per decision given, after it was answered. Cheap: one short lock and three additions.</summary>
    public void DecisionObserved(Decision decision, TimeSpan latency) => Observe(decision.Status, latency);

    public void Observe(RedemptionStatus status, TimeSpan latency)
    {
        var second = time.GetUtcNow().ToUnixTimeSeconds();
        var bucket = BucketOf(latency.TotalMilliseconds);
        lock (_lock)
        {
            var slot = _slots[second % _slots.Length];
            if (slot.Second > second) return;           // the clock went back over the whole ring: that second is gone
            if (slot.Second < second) slot.Start(second);
            slot.ByStatus[(int)status]++;
            slot.ByLatency[bucket]++;
        }
    }

    public LiveSnapshot Read()
    {
        var now = time.GetUtcNow();
        var current = now.ToUnixTimeSeconds();
        var perSecond = new int[SecondsKept];
        var byStatus = new long[StatusCount];
        var byLatency = new long[BucketCount];
        lock (_lock)
        {
            foreach (var slot in _slots)
            {
                var age = current - slot.Second;
                if (age is < 0 or > SecondsKept) continue;
                for (var i = 0; i < StatusCount; i++) byStatus[i] += slot.ByStatus[i];
                for (var i = 0; i < BucketCount; i++) byLatency[i] += slot.ByLatency[i];
                if (age > 0) perSecond[SecondsKept - age] = slot.ByStatus.Sum();
            }
        }

        var outcomes = new OutcomeCounts(
            byStatus[(int)RedemptionStatus.Approved], byStatus[(int)RedemptionStatus.Review], byStatus[(int)RedemptionStatus.Blocked], byStatus[(int)RedemptionStatus.Rejected]);
        var latency = byLatency.Sum() == 0 ? null : new LatencyQuantiles(Quantile(byLatency, 0.5), Quantile(byLatency, 0.95), Quantile(byLatency, 0.99));
        return new(EventTime.From(now), perSecond, perSecond[^SecondsForRate..].Sum() / (double)SecondsForRate, outcomes, latency);
    }

    private static int BucketOf(double milliseconds) => milliseconds <= FirstBoundMs
        ? 0
        : (int)Math.Min(BucketCount - 1, Math.Ceiling(Math.Log(milliseconds / FirstBoundMs, BoundGrowth) - 1e-9));   // a bound itself is inside

    private static double Quantile(long[] counts, double share)
    {
        var rank = (long)Math.Ceiling(share * counts.Sum());
        var bucket = 0;
        for (var seen = counts[0]; seen < rank; seen += counts[bucket]) bucket++;
        return FirstBoundMs * Math.Pow(BoundGrowth, bucket);
    }

    private sealed class Slot
    {
        public long Second { get; private set; } = -1_000_000;   // before any clock
        public int[] ByStatus { get; } = new int[StatusCount];
        public int[] ByLatency { get; } = new int[BucketCount];

        public void Start(long second)
        {
            Second = second;
            Array.Clear(ByStatus);
            Array.Clear(ByLatency);
        }
    }
}
