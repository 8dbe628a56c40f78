using Promotions.Domain;

namespace Promotions.Streams.State;

/// <summary>The stores of one partition: settled together after each record, checkpointed together with one position, rolled back together.</summary>
/// <remarks>
/// Owned by one thread. A checkpoint goes begin → write, a few states at a time → commit (on any thread) → release, a few at a time; records may be processed in between,
/// and the checkpoint still holds the state of the moment at which it began. After an exception in any of them only <see cref="RollBack"/> is safe.
/// </remarks>
public sealed class StateStores : IDisposable
{
    /// <summary>Stored tiles looked at for expiry per checkpoint and store, and how many per step: bounded, so that sweeping never stalls a record for long.</summary>
    private const int SweptMax = 2_000;
    private const int SweptPerStep = 100;

    /// <summary>Stream time between checkpoints that sweep: what expires has days, and where checkpoints come ten a second the sweep would be most of their work.</summary>
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(1);

    private readonly IStateBackend _backend;
    private readonly List<IStore> _stores = [];
    private readonly Dictionary<string, IStore> _byName = new(StringComparer.Ordinal);
    private readonly HashSet<byte> _ids = [];
    private readonly Action<string> _crashPoint;
    private IStateBatch? _batch;
    private long _batchPosition;
    private EventTime? _sweepAt;
    private EventTime? _sweptAt;
    private int _swept;

    /// <param name="layoutHash">Of everything that gives stored bytes their meaning. State of another layout is cleared: it is rebuilt from the log.</param>
    /// <param name="crashPoint">Passed between steps; <see cref="CrashPoints.Hit"/> unless a test takes its place.</param>
    public StateStores(IStateBackend backend, ulong layoutHash, Action<string>? crashPoint = null)
    {
        _backend = backend;
        _crashPoint = crashPoint ?? CrashPoints.Hit;
        LayoutHash = layoutHash;
        if (backend.Position == 0 || backend.LayoutHash == layoutHash) return;
        ClearedLayout = backend.LayoutHash;
        backend.Clear();
    }

    public ulong LayoutHash { get; }

    internal IStateBackend Backend => _backend;

    /// <summary>What else belongs to every checkpoint.</summary>
    internal Action<IStateBatch>? AlsoCheckpoint { get; set; }

    /// <summary>The layout whose state was cleared on opening; null when none was.</summary>
    public ulong? ClearedLayout { get; }

    /// <summary>Log position of the last checkpoint; 0 for none.</summary>
    public long Position => _backend.Position;

    public bool WantsCheckpoint => _stores.Exists(static store => store.WantsCheckpoint);

    /// <summary>No more may change until the checkpoint in progress is over.</summary>
    internal bool IsCrowded => _stores.Exists(static store => store.IsCrowded);

    /// <summary>True when the record at hand has asked for any state: it may have changed.</summary>
    internal bool Touched => _stores.Exists(static store => store.Touched);

    public KeyedStore<TKey, TState> Open<TKey, TState>(StoreDefinition<TKey, TState> definition)
        where TKey : notnull
        where TState : class => (KeyedStore<TKey, TState>)Open((StoreDefinition)definition);

    internal IStore Open(StoreDefinition definition)
    {
        if (_byName.ContainsKey(definition.Name)) throw new ArgumentException($"Store '{definition.Name}' is open already.", nameof(definition));
        if (!_ids.Add(definition.Id)) throw new ArgumentException($"Store '{definition.Name}' has id {definition.Id}, which another store has.", nameof(definition));
        var store = definition.Open(_backend);
        _stores.Add(store);
        _byName.Add(definition.Name, store);
        return store;
    }

    internal IStore? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>After each record: measures what it touched, evicts what no longer fits. State references end here.</summary>
    public void Settle()
    {
        foreach (var store in _stores) store.Settle();
    }

    /// <summary>A whole checkpoint in one call: everything that changed and its position, atomically.</summary>
    /// <param name="position">The log position that the stores stand at. The caller knows it to be committed: state never runs ahead of the log.</param>
    /// <param name="streamTime">Expired keys are removed by it, once a second of it; null removes none.</param>
    public void Checkpoint(long position, EventTime? streamTime = null)
    {
        BeginCheckpoint(position, streamTime);
        while (!WriteCheckpoint(int.MaxValue))
        {
        }

        CommitCheckpoint();
        while (!ReleaseCheckpoint(int.MaxValue))
        {
        }
    }

    /// <inheritdoc cref="Checkpoint"/>
    /// <summary>Begins a checkpoint of this moment. Costs nothing by itself, whatever has changed.</summary>
    public void BeginCheckpoint(long position, EventTime? streamTime)
    {
        if (_batch is not null) throw new InvalidOperationException("A checkpoint is in progress.");
        Settle();
        var sweeps = streamTime is { } now && (_sweptAt is not { } last || now >= last.Plus(SweepEvery));
        if (sweeps) _sweptAt = streamTime;
        (_batch, _batchPosition, _sweepAt, _swept) = (_backend.Begin(), position, sweeps ? streamTime : null, 0);
        foreach (var store in _stores) store.BeginCheckpoint(_batch);
        AlsoCheckpoint?.Invoke(_batch);
    }

    /// <summary>Writes up to so many changed states of each store into the batch.</summary>
    /// <returns>True when all are in it: it can be committed.</returns>
    public bool WriteCheckpoint(int max)
    {
        if (_sweepAt is { } time && _swept < SweptMax)
        {
            foreach (var store in _stores) store.Expire(time, SweptPerStep, _batch!);
            _swept += SweptPerStep;
            return false;
        }

        var done = true;
        foreach (var store in _stores) done &= store.WriteChanged(max);
        return done;
    }

    /// <summary>Makes the batch durable. The one step that may run on another thread than the owner's.</summary>
    public void CommitCheckpoint()
    {
        _crashPoint("in_checkpoint");
        _batch!.Commit(_batchPosition, LayoutHash);
    }

    /// <summary>Lets up to so many states of each store go that are durable now.</summary>
    /// <returns>True when the checkpoint is over.</returns>
    public bool ReleaseCheckpoint(int max)
    {
        var done = true;
        foreach (var store in _stores) done &= store.Release(max);
        if (done) DropBatch();
        return done;
    }

    /// <summary>Forgets everything since the last checkpoint, one in progress included: the stores stand at <see cref="Position"/> again.</summary>
    public void RollBack()
    {
        DropBatch();
        foreach (var store in _stores) store.RollBack();
    }

    /// <summary>Disposes the backend. What was not checkpointed is in the log.</summary>
    public void Dispose()
    {
        DropBatch();
        _backend.Dispose();
    }

    private void DropBatch()
    {
        _batch?.Dispose();
        _batch = null;
    }
}
