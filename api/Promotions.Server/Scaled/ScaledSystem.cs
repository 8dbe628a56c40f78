using Promotions.Api.Accounts;
using Promotions.Api.Models;
using Promotions.Api.Policies;
using Promotions.Ledger;
using Promotions.Ledger.Postgres;
using Promotions.Processing.Decisions;
using Promotions.Processing.Kafka.Gateway;

namespace Promotions.Server.Scaled;

/// <summary>What every process of the scaled set has: the shared ledger, the model, the policy, and its door to the pipeline where a role needs one.</summary>
internal sealed class ScaledSystem : IAsyncDisposable
{
    private static readonly TimeSpan BrokersAwayMax = TimeSpan.FromSeconds(5);

    private ScaledSystem(PostgresLedger ledger, ModelRegistry registry, ServedModels models, FraudPolicies policies, AccountBook accounts) =>
        (Ledger, Registry, Models, Policies, Accounts) = (ledger, registry, models, policies, accounts);

    public PostgresLedger Ledger { get; }
    public ModelRegistry Registry { get; }
    public ServedModels Models { get; }
    public FraudPolicies Policies { get; }
    public AccountBook Accounts { get; }

    /// <summary>Of the roles <c>api</c> and <c>admin</c>, once opened; else null.</summary>
    public KafkaGateway? Gateway { get; private set; }

    /// <summary>Model, policy, campaigns and accounts' standings of this moment.</summary>
    public DecisionInputs Inputs() => Models.Inputs(Policies.Current.Policy, Ledger.Campaigns, Accounts.Standings);

    /// <exception cref="StartRefusedException">A server cannot be reached or used; the message says which.</exception>
    public static async Task<ScaledSystem> OpenAsync(ScaledOptions options, ILedgerObserver observer, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        options.CheckClient();
        await BrokerSignIn.CheckAsync(options, BrokersAwayMax, cancellationToken);
        var model = LoadedModel.Load();
        PostgresLedger ledger;
        try
        {
            ledger = await PostgresLedger.OpenAsync(new() { ConnectionString = options.Postgres, CheckpointKeyPath = options.CheckpointKeyPath, Observer = observer }, time, cancellationToken);
        }
        catch (Exception fault) when (fault is LedgerFaultException or ArgumentException)
        {
            throw new StartRefusedException(fault.Message, fault);
        }

        FraudPolicies? policies = null;
        try
        {
            policies = new(ledger, ShippedPolicy.Policy, time, ledger);
            var registry = LoadedModel.OpenRegistry(ledger, time, ledger);
            return new(ledger, registry, model.Serve(registry, logger), policies, new(ledger, time, ledger));
        }
        catch (Exception fault)
        {
            policies?.Dispose();
            await ledger.DisposeAsync();
            if (fault is InvalidDataException) throw new StartRefusedException(fault.Message + " Start the version that wrote it.", fault);
            if (fault is LedgerFaultException) throw new StartRefusedException(fault.Message, fault);      // it went away after the first look
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Gateway is not null) await Gateway.DisposeAsync();
        Policies.Dispose();
        Accounts.Dispose();
        Registry.Dispose();
        await Ledger.DisposeAsync();
    }

    /// <summary>The door to the pipeline, whose topics have to be there.</summary>
    /// <exception cref="StartRefusedException">They are not, or the brokers cannot be reached.</exception>
    public async Task OpenGatewayAsync(ScaledOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        // Unique for each run: an answer to an earlier run's question finds nobody.
        var instance = $"{Environment.MachineName}-{Environment.ProcessId}-{time.GetUtcNow().ToUnixTimeMilliseconds()}";
        var gateway = new KafkaGatewayOptions { Bootstrap = options.Bootstrap, Client = options.Client, Topics = new(options.Group, options.Prefix), Instance = Identifier(instance), LingerMs = options.LingerMs };
        try
        {
            Gateway = await KafkaGateway.OpenAsync(Ledger, Ledger, gateway, time, cancellationToken);
        }
        catch (Confluent.Kafka.KafkaException fault)
        {
            throw new StartRefusedException($"Kafka at {options.Bootstrap} cannot be used: {fault.Error.Reason} The pipeline makes the topics: start one first, or look at 'promotions topics --plan'.", fault);
        }
    }

    private static string Identifier(string text)
    {
        var valid = new string([.. text.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or ':' or '-' ? letter : '-')]);
        return valid.Length <= 64 ? valid : valid[^64..];
    }
}
