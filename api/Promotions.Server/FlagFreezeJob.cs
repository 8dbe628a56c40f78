using Promotions.Api.Accounts;
using Promotions.Ledger;

namespace Promotions.Server;

/// <summary>Looks once a second for flags that freeze their account; of several processes the one with the sinks' lease.</summary>
internal sealed class FlagFreezeJob(FlagFreezer freezer, TimeProvider time, ILogger<FlagFreezeJob> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => RunAsync(stoppingToken);

    /// <summary>Until cancelled.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await freezer.FreezeAsync(stoppingToken);
                }
                catch (Exception fault) when (fault is LedgerFaultException or InvalidDataException)
                {
                    ServerLog.FreezeFault(logger, fault);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The system stops.
        }
    }
}
