using Prometheus;
using Promotions.Contracts;
using Promotions.Ledger;

namespace Promotions.Server.Metrics;

/// <summary>The PostgreSQL ledger's numbers at <c>/metrics</c>. Made before the ledger, which tells it what it does.</summary>
internal sealed class LedgerMetrics : ILedgerObserver
{
    /// <summary>1 ms to 10 s: a batch of decisions is a few milliseconds; a lock that is waited for shows in the tail.</summary>
    private static readonly double[] Seconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

    private readonly Histogram _commits;
    private readonly Counter _retries;

    private Func<LedgerStateAnswer?> _state = static () => null;

    public LedgerMetrics(CollectorRegistry registry)
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(registry);
        var unsequenced = factory.CreateGauge("promotions_ledger_unsequenced_entries", "Entries booked and not yet in the audit tree and the outbox.");
        var delay = factory.CreateGauge("promotions_ledger_sequence_delay_seconds", "Age of the oldest entry that is not sequenced yet; 0 when there is none.");
        _commits = factory.CreateHistogram("promotions_ledger_commit_seconds", "Time of one transaction of the ledger, retries included.", new HistogramConfiguration { Buckets = Seconds });
        _retries = factory.CreateCounter("promotions_ledger_retries_total", "Transactions done again, by reason.", "reason");
        registry.AddBeforeCollectCallback(() =>
        {
            if (_state() is not { } now) return;
            unsequenced.Set(now.UnsequencedEntries);
            delay.Set(now.SequenceDelaySeconds);
        });
    }

    /// <param name="state">Cheap; asked at each scrape. Null where this process does not know.</param>
    public void Ask(Func<LedgerStateAnswer?> state) => _state = state;

    public void Committed(TimeSpan took, int commands) => _commits.Observe(took.TotalSeconds);

    public void Retried(string reason) => _retries.WithLabels(reason).Inc();
}
