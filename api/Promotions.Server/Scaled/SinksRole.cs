using System.Globalization;
using Npgsql;
using Promotions.Ledger;

namespace Promotions.Server.Scaled;

/// <summary>What follows the ledger, one process at a time: ClickHouse's sink, webhooks, the expiry of holds and lots, and freezes for flags, for as long as this process holds the lease.</summary>
/// <remarks>A process that was stopped and wakes finds the lease gone; its cursor's write is refused, and ClickHouse drops a batch that it has. So nothing is followed twice.</remarks>
internal sealed class SinksRole(ILeases leases, ExpiryJob expiry, FlagFreezeJob freezes, WebhookJob webhooks, AnalyticsFollower? analytics, TimeProvider time, ILogger<SinksRole> logger) : BackgroundService
{
    private const string LeaseName = "sinks";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private static string Holder => string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName} process {Environment.ProcessId}");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var lease = await leases.LeaseAsync(LeaseName, Holder, stoppingToken);
                ServerLog.SinksTaken(logger);
                using var held = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lease.Lost);
                await Task.WhenAll(expiry.RunAsync(held.Token), freezes.RunAsync(held.Token), webhooks.RunAsync(lease.Settings, held.Token), analytics?.RunAsync(lease.Settings, held.Token) ?? Task.CompletedTask);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is LedgerFaultException or TaskTakenException or NpgsqlException or TimeoutException)
            {
                ServerLog.SinksFault(logger, fault);
                await Task.WhenAny(Task.Delay(RetryAfter, time, stoppingToken));
            }
        }
    }
}
