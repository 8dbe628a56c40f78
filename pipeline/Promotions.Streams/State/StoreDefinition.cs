namespace Promotions.Streams.State;

/// <summary>A keyed store before it is opened.</summary>
/// <param name="name">What processors ask for.</param>
/// <param name="id">First byte of its keys in the backend; unique in a topology and never reused for other contents. Range: 1 to 254.</param>
/// <param name="cacheBytes">Memory its cache may hold. Unit: bytes; at least 64 KiB. Default 256 MiB, the budget of <c>pipeline.rate</c>.</param>
public sealed class StoreDefinition<TKey, TState>(string name, byte id, IStateSerde<TKey, TState> serde, long cacheBytes = StoreDefinition.CacheBytesDefault) : StoreDefinition(name, id, cacheBytes)
    where TKey : notnull
    where TState : class
{
    public IStateSerde<TKey, TState> Serde { get; } = serde;

    internal override IStore Open(IStateBackend backend) => new KeyedStore<TKey, TState>(this, backend);
}

public abstract class StoreDefinition
{
    public const long CacheBytesDefault = 256L << 20;

    /// <summary>First byte of the keys under which drivers keep stream times beside the state.</summary>
    internal const byte IdOfTimes = 255;

    private protected StoreDefinition(string name, byte id, long cacheBytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfZero(id);
        ArgumentOutOfRangeException.ThrowIfEqual(id, IdOfTimes);
        ArgumentOutOfRangeException.ThrowIfLessThan(cacheBytes, 64 << 10);
        (Name, Id, CacheBytes) = (name, id, cacheBytes);
    }

    public string Name { get; }
    public byte Id { get; }
    public long CacheBytes { get; }

    internal abstract IStore Open(IStateBackend backend);
}

/// <summary>What drivers do with a store, whatever its types.</summary>
internal interface IStore
{
    string Name { get; }
    bool Touched { get; }
    bool WantsCheckpoint { get; }
    bool IsCrowded { get; }
    void Settle();
    void BeginCheckpoint(IStateBatch batch);

    /// <returns>True when all that had changed at the beginning is in the batch.</returns>
    bool WriteChanged(int max);

    /// <returns>True when the checkpoint is over for this store.</returns>
    bool Release(int max);

    void RollBack();
    int Expire(Promotions.Domain.EventTime streamTime, int max, IStateBatch batch);
}
