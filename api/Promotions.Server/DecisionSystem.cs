using System.Globalization;
using Promotions.Api.Accounts;
using Promotions.Api.Models;
using Promotions.Api.Policies;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Ledger.Sqlite;
using Promotions.Processing.Embedded;
using Promotions.Streams.Embedded;
using Promotions.Streams.RocksDb;

namespace Promotions.Server;

/// <summary>Ledger, feature state, model, pipeline and gateway over one data folder: all that decides. No web server, no follower.</summary>
internal sealed class DecisionSystem : IAsyncDisposable
{
    /// <summary>Entities in memory. Unit: bytes. Source: `up.memory`, 1 GiB for everything.</summary>
    private const long EntityCacheBytes = 96L << 20;
    private static readonly RocksDbSettings Rocks = new(BlockCacheBytes: 32L << 20, WriteBufferBytes: 16L << 20, Sync: false);
    private readonly RocksDbBackend _state;
    private readonly EmbeddedRedemptions _redemptions;

    private DecisionSystem(SqliteLedger ledger, RocksDbBackend state, EmbeddedRedemptions redemptions, ModelRegistry registry, ServedModels models, FraudPolicies policies, AccountBook accounts) =>
        (Ledger, _state, _redemptions, Registry, Models, Policies, Accounts) = (ledger, state, redemptions, registry, models, policies, accounts);

    public SqliteLedger Ledger { get; }
    public EmbeddedDriver Driver => _redemptions.Driver;
    public EmbeddedGateway Gateway => _redemptions.Gateway;
    public ModelRegistry Registry { get; }
    public ServedModels Models { get; }
    public FraudPolicies Policies { get; }
    public AccountBook Accounts { get; }

    /// <param name="holdFor">Instead of the shipped policy's: a simulated shop captures when it packs, hours after the order.</param>
    public static DecisionSystem Open(DataFolder folder, IRedemptionObserver observer, TimeProvider time, ILogger logger, TimeSpan? holdFor = null)
    {
        var ledger = SqliteLedger.Open(new SqliteLedgerOptions { Path = folder.LedgerFile }, time);
        var state = RocksDbBackend.Open(folder.FeatureState, Rocks);
        var registry = LoadedModel.OpenRegistry(ledger, time);
        var models = LoadedModel.Load().Serve(registry, logger);
        var policies = OpenPolicies(ledger, holdFor, time);
        var accounts = OpenOrRefuse(() => new AccountBook(ledger, time));
        var redemptions = EmbeddedRedemptions.Start(
            ledger, state, () => models.Inputs(policies.Current.Policy, ledger.Campaigns, accounts.Standings), EarningRule.Default, observer,
            new(EntityCacheBytes, CheckpointEvery(), LayoutSince(ledger)), time);
        return new(ledger, state, redemptions, registry, models, policies, accounts);
    }

    /// <summary>Intake ends, what was accepted is finished, state is written; then the stores close.</summary>
    public async ValueTask DisposeAsync()
    {
        await _redemptions.DisposeAsync();
        Policies.Dispose();
        Accounts.Dispose();
        Registry.Dispose();
        _state.Dispose();
        await Ledger.DisposeAsync();
    }

    private static FraudPolicies OpenPolicies(SqliteLedger ledger, TimeSpan? holdFor, TimeProvider time) =>
        OpenOrRefuse(() => new FraudPolicies(ledger, ShippedPolicy.Policy with { HoldFor = holdFor ?? ShippedPolicy.Policy.HoldFor }, time));

    private static T OpenOrRefuse<T>(Func<T> open)
    {
        try
        {
            return open();
        }
        catch (InvalidDataException e)
        {
            throw new StartRefusedException(e.Message + " Start the version that wrote it.", e);
        }
    }

    /// <summary>Where the present feature layout begins in the log: written down the first time that a build with it opens the ledger.</summary>
    private static long LayoutSince(SqliteLedger ledger)
    {
        const string scope = "feature-layout";
        var name = FeatureRegistry.LayoutHash.ToString("x16", CultureInfo.InvariantCulture);
        if (ledger.Find(scope, name) is { } known) return long.Parse(known, CultureInfo.InvariantCulture);
        var since = ledger.Reader.LastLogPosition;
        ledger.PutAsync(scope, name, since.ToString(CultureInfo.InvariantCulture), Actor.System, CancellationToken.None).GetAwaiter().GetResult();
        return since;
    }

    private static TimeSpan CheckpointEvery() =>
        int.TryParse(Environment.GetEnvironmentVariable("PROMOTIONS_CHECKPOINT_MS"), out var milliseconds) && milliseconds > 0
            ? TimeSpan.FromMilliseconds(milliseconds)
            : TimeSpan.FromSeconds(5);
}
