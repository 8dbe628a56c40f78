using Promotions.Analytics.Sink;
using Promotions.Contracts;
using Promotions.Ledger;
using Promotions.Ledger.Postgres;

namespace Promotions.Server.Scaled;

/// <summary>Asks the database once a second how far sequencer and sinks are, so that scrapes and pages wait for nobody.</summary>
internal sealed class LedgerWatch(PostgresLedger ledger, TimeProvider time, ILogger<LedgerWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private volatile Seen? _seen;

    /// <summary>Null until the first answer, and while the database gives none: an old number would look like a good one.</summary>
    public LedgerStateAnswer? State => _seen?.State;

    public IReadOnlyList<FollowerAnswer> Followers => _seen?.Followers ?? [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            do
            {
                await Task.Run(Ask, stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    private void Ask()
    {
        try
        {
            var lag = ledger.Lag();
            var behind = Math.Max(0, ledger.Reader.LastOutboxPosition - OutboxSink.LastSent(ledger));
            _seen = new(new(null, null, null, lag.Unsequenced, lag.Oldest.TotalSeconds), [new("clickhouse", behind)]);
        }
        catch (LedgerFaultException fault)
        {
            if (_seen is not null) SystemLog.LedgerUnseen(logger, fault);
            _seen = null;
        }
    }

    private sealed record Seen(LedgerStateAnswer State, IReadOnlyList<FollowerAnswer> Followers);
}
