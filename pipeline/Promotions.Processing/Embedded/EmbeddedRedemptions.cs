using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Processing.State;
using Promotions.Processing.Topologies;
using Promotions.Streams.Embedded;
using Promotions.Streams.State;

namespace Promotions.Processing.Embedded;

/// <summary>The redemption topology under the embedded driver, with the ledger as its log: all that decides, in one process.</summary>
public sealed class EmbeddedRedemptions : IAsyncDisposable
{
    private EmbeddedRedemptions(EmbeddedDriver driver, EmbeddedGateway gateway) => (Driver, Gateway) = (driver, gateway);

    public EmbeddedDriver Driver { get; }
    public EmbeddedGateway Gateway { get; }

    /// <summary>Brings feature state up to the log's end, then opens intake.</summary>
    /// <param name="backend">Stays the caller's to dispose, afterwards.</param>
    /// <exception cref="ReplayMismatchException">A recomputed part of a vector differs from the recorded one, or the state is another ledger's: intake stays closed.</exception>
    public static EmbeddedRedemptions Start(
        ILedger ledger, IStateBackend backend, Func<DecisionInputs> inputs, EarningRule earning, IRedemptionObserver observer, EmbeddedRedemptionsOptions options, TimeProvider time)
    {
        var catalog = new FeatureCatalog();
        var topology = RedemptionTopology.Build(() => new Decider(catalog, time), inputs, options.CacheBytes);
        var log = new LedgerLog(ledger, new Decider(catalog, time), inputs, earning, observer, time, options.LayoutSince);
        var driver = EmbeddedDriver.Start(
            topology, backend, log, recorded: null, observer, new(RedemptionTopology.LayoutHash, CheckpointEvery: options.CheckpointEvery), time);
        return new(driver, new EmbeddedGateway(driver, ledger, inputs, time));
    }

    /// <summary>Takes no more, finishes what was accepted, writes a checkpoint.</summary>
    public ValueTask DisposeAsync() => Driver.DisposeAsync();
}

/// <param name="CacheBytes">Memory for entities. Unit: bytes; at least 64 KiB.</param>
/// <param name="CheckpointEvery">Time between checkpoints of feature state: what a restart replays.</param>
/// <param name="LayoutSince">Log position up to which vectors were recorded under an earlier feature layout; 0 when there was none.</param>
public sealed record EmbeddedRedemptionsOptions(long CacheBytes, TimeSpan CheckpointEvery, long LayoutSince = 0);
