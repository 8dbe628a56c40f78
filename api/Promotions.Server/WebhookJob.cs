using Promotions.Api.Webhooks;
using Promotions.Ledger;

namespace Promotions.Server;

/// <summary>Sends webhooks; of several processes the one with the sinks' lease.</summary>
internal sealed class WebhookJob(WebhookFollower follower, ISettingsStore settings, WebhookOptions options, TimeProvider time, ILogger<WebhookJob> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => RunAsync(settings, stoppingToken);

    /// <summary>Until cancelled, noting positions in these settings. An event under way when it ends is sent again by whoever comes next.</summary>
    public async Task RunAsync(ISettingsStore notes, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    while (await follower.RoundAsync(notes, stoppingToken)) stoppingToken.ThrowIfCancellationRequested();
                }
                catch (Exception fault) when (fault is LedgerFaultException or InvalidDataException)
                {
                    ServerLog.WebhookFault(logger, fault);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The system stops.
        }
    }
}
