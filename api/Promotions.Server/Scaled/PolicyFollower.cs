using Promotions.Api.Models;
using Promotions.Api.Policies;
using Promotions.Ledger;

namespace Promotions.Server.Scaled;

/// <summary>Another process may write a policy or take a step with a model: this one decides by it within a second or two.</summary>
internal sealed class PolicyFollower(FraudPolicies policies, ModelRegistry registry, TimeProvider time, ILogger<PolicyFollower> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    policies.Refresh();
                }
                catch (Exception fault) when (fault is LedgerFaultException or InvalidDataException or Npgsql.NpgsqlException)
                {
                    ServerLog.PolicyFault(logger, fault);
                }

                try
                {
                    registry.Refresh();
                }
                catch (Exception fault) when (fault is LedgerFaultException or InvalidDataException or Npgsql.NpgsqlException)
                {
                    ServerLog.RegistryFault(logger, fault);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The system stops.
        }
    }
}
