using System.Diagnostics.Metrics;
using Promotions.Analytics.Sink;

namespace Promotions.Analytics;

/// <summary>What this project measures; prometheus-net shows every meter at <c>/metrics</c>.</summary>
internal static class AnalyticsMetrics
{
    private static readonly Meter Meter = new("Promotions.Analytics");

    public static readonly Counter<long> SinkRows = Meter.CreateCounter<long>("promotions.clickhouse.sink.rows", "{row}", "Outbox rows that ClickHouse holds, by this process.");
    public static readonly Counter<long> SinkFailures = Meter.CreateCounter<long>("promotions.clickhouse.sink.failures", "{try}", "Batches that have to be sent again.");
    public static readonly Histogram<double> SinkBatchSeconds = Meter.CreateHistogram<double>("promotions.clickhouse.sink.batch", "s", "From the first statement of a batch to its confirmation.");
    public static readonly Counter<long> EngineStarts = Meter.CreateCounter<long>("promotions.clickhouse.engine.starts", "{start}", "Starts of the embedded engine.");

    private static readonly List<OutboxSink> Sinks = [];
    private static readonly ObservableGauge<long> SinkLag = Meter.CreateObservableGauge("promotions.clickhouse.sink.lag", Lag, "{row}", "Committed outbox rows that ClickHouse does not hold yet.");

    /// <returns>Dispose it when the sink stops.</returns>
    public static IDisposable ObserveSink(OutboxSink sink)
    {
        _ = SinkLag;
        lock (Sinks) Sinks.Add(sink);
        return new Observation(sink);
    }

    private static long Lag()
    {
        lock (Sinks) return Sinks.Sum(static sink => sink.Behind);
    }

    private sealed class Observation(OutboxSink sink) : IDisposable
    {
        public void Dispose()
        {
            lock (Sinks) Sinks.Remove(sink);
        }
    }
}
