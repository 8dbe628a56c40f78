using Promotions.Domain;

namespace Promotions.Streams.State;

/// <summary>The stores of one partition: settled together after each record, checkpointed together with one position, rolled back together.</summary>
/// <remarks>Owned by one thread. After an exception from <see cref="Checkpoint"/> only <see cref="RollBack"/> is safe: states have counted themselves clean.</remarks>
public sealed class StateStores : IDisposable
{
    /// <summary>Stored tiles looked at for expiry per checkpoint and store: bounded, so that sweeping never stalls a record for long.</summary>
    private const int SweptMax = 2_000;

    private readonly IStateBackend _backend;
    private readonly List<IStore> _stores = [];
    private readonly Dictionary<string, IStore> _byName = new(StringComparer.Ordinal);
    private readonly HashSet<byte> _ids = [];
    private readonly Action<string> _crashPoint;

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

    public bool WantsCheckpoint
    {
        get
        {
            foreach (var store in _stores)
                if (store.WantsCheckpoint) return true;
            return false;
        }
    }

    /// <summary>True when the record at hand has asked for any state: it may have changed.</summary>
    internal bool Touched
    {
        get
        {
            foreach (var store in _stores)
                if (store.Touched) return true;
            return false;
        }
    }

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

    /// <summary>Writes everything that changed and its position, atomically. A position at or below the last one with nothing changed is no work.</summary>
    /// <param name="position">The log position that the stores stand at. The caller knows it to be committed: state never runs ahead of the log.</param>
    /// <param name="streamTime">Expired keys are removed by it; null removes none.</param>
    public void Checkpoint(long position, EventTime? streamTime = null)
    {
        Settle();
        using (var batch = _backend.Begin())
        {
            foreach (var store in _stores)
            {
                if (streamTime is { } time) store.Expire(time, SweptMax, batch);
                store.WriteDirty(batch);
            }

            AlsoCheckpoint?.Invoke(batch);
            _crashPoint("in_checkpoint");
            batch.Commit(position, LayoutHash);
        }

        foreach (var store in _stores) store.Checkpointed();
    }

    /// <summary>Forgets everything since the last checkpoint: the stores stand at <see cref="Position"/> again.</summary>
    public void RollBack()
    {
        foreach (var store in _stores) store.RollBack();
    }

    /// <summary>Disposes the backend. What was not checkpointed is in the log.</summary>
    public void Dispose() => _backend.Dispose();
}
