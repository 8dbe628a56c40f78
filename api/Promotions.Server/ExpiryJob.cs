using System.Globalization;
using Promotions.Domain;
using Promotions.Ledger;

namespace Promotions.Server;

/// <summary>Releases holds whose time is over and moves expired lots to breakage, in the bulk lane.</summary>
internal sealed class ExpiryJob(ILedger ledger, TimeProvider time, ILogger<ExpiryJob> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private const int SliceMax = 50;       // one command is one slice of the bulk lane: 2 ms
    private long _made;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => RunAsync(stoppingToken);

    /// <summary>Until cancelled.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await ExpireAllAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The system stops.
        }
    }

    private async Task ExpireAllAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await ExpireAsync(cancellationToken) == SliceMax) { }
        }
        catch (LedgerFaultException fault)
        {
            ServerLog.ExpiryFault(logger, fault);
        }
    }

    private async Task<int> ExpireAsync(CancellationToken cancellationToken)
    {
        var now = EventTime.Now(time);
        var outcome = await ledger.ExecuteAsync(new ExpireDue($"expire:{now.UnixMilliseconds}:{_made++}", Actor.System, now, SliceMax), Lane.Bulk, cancellationToken);
        return int.TryParse(outcome.Detail, NumberStyles.None, CultureInfo.InvariantCulture, out var expired) ? expired : 0;
    }
}
