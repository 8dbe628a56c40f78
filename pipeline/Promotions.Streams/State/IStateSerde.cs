using Promotions.Domain;

namespace Promotions.Streams.State;

/// <summary>How a store's keys and mutable state objects become small absolute values under (key, tile), and back.</summary>
/// <typeparam name="TKey">A small value; equal keys have equal bytes.</typeparam>
/// <typeparam name="TState">A mutable object that knows what it changed; owned by the store's thread.</typeparam>
public interface IStateSerde<TKey, TState>
    where TKey : notnull
    where TState : class
{
    /// <summary>Every key of the store has this many bytes. Range: 1 to 240. Fixed, so that no key is another one's prefix.</summary>
    int KeyLength { get; }

    void WriteKey(in TKey key, Span<byte> destination);
    TKey ReadKey(ReadOnlySpan<byte> source);

    /// <summary>The state of the key, new where nothing is stored. <paramref name="tiles"/> stays valid: other tiles may be read later.</summary>
    TState Load(in TKey key, ITileSource<TKey> tiles);

    /// <summary>Memory held. Unit: bytes; a few per cent off is fine, since it is what the cache's limit is kept by. O(1).</summary>
    long SizeBytes(TState state);

    bool IsDirty(TState state);

    /// <summary>Writes what changed since the last call, and counts as clean from here on.</summary>
    void WriteDirty(in TKey key, TState state, ITileSink<TKey> tiles);

    /// <summary>What was written is durable and readable now: parts nobody touched lately may be let go. Often nothing.</summary>
    void Release(TState state);

    /// <summary>The state leaves the cache and is never used again.</summary>
    void Recycle(TState state)
    {
    }

    /// <summary>From this event time on, the state is as good as none; <c>new EventTime(long.MaxValue)</c> for never.</summary>
    EventTime ExpiresAt(TState state);

    /// <summary>The same, read from the stored root tile (0), without loading the state.</summary>
    EventTime ExpiresAt(ReadOnlySpan<byte> rootTile);
}

/// <summary>Reads tiles as last checkpointed. A state that has changed a tile holds it itself until the next checkpoint.</summary>
public interface ITileSource<TKey>
{
    /// <param name="destination">At least <see cref="IStateBackend.ValueBytesMax"/> long.</param>
    /// <returns>The value's length; −1 when there is none.</returns>
    int Read(in TKey key, uint tile, Span<byte> destination);
}

/// <summary>Takes changed tiles; all of one checkpoint become durable together.</summary>
public interface ITileSink<TKey>
{
    void Put(in TKey key, uint tile, ReadOnlySpan<byte> value);
    void Delete(in TKey key, uint tile);

    /// <summary>Deletes all tiles of the key; comes before its puts.</summary>
    void Clear(in TKey key);
}
