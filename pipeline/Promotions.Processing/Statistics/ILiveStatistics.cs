using Promotions.Domain;

namespace Promotions.Processing.Statistics;

/// <summary>What the pipeline did over the last minutes, for people who watch it. Kept in memory: a restart starts anew.</summary>
public interface ILiveStatistics
{
    LiveSnapshot Read();
}

/// <param name="PerSecond">Decisions of each whole second, oldest first, as many as <see cref="LiveStatistics.SecondsKept"/>; the second under way is not in it.</param>
/// <param name="RatePerSecond">Mean over the last ten whole seconds.</param>
/// <param name="Outcomes">Over all seconds kept and the one under way.</param>
/// <param name="Latency">Null while nothing was decided.</param>
public sealed record LiveSnapshot(EventTime At, IReadOnlyList<int> PerSecond, double RatePerSecond, OutcomeCounts Outcomes, LatencyQuantiles? Latency);

public sealed record OutcomeCounts(long Approved, long Review, long Blocked, long Rejected)
{
    public long Total => Approved + Review + Blocked + Rejected;
}

/// <summary>Upper bounds, at most 15 % above the exact quantile. Unit: milliseconds.</summary>
public sealed record LatencyQuantiles(double P50, double P95, double P99);
