using Promotions.Api.Accounts;
using Promotions.Api.Models;
using Promotions.Api.Policies;
using Promotions.Ledger;

namespace Promotions.Server.Scaled;

/// <summary>Another process may write a policy, take a step with a model or block an account: this one decides by it within a second or two.</summary>
internal sealed class PolicyFollower(FraudPolicies policies, ModelRegistry registry, AccountBook accounts, TimeProvider time, ILogger<PolicyFollower> logger) : BackgroundService
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

                try
                {
                    accounts.Refresh();
                }
                catch (Exception fault) when (fault is LedgerFaultException or InvalidDataException or Npgsql.NpgsqlException)
                {
                    ServerLog.AccountsFault(logger, fault);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The system stops.
        }
    }
}
