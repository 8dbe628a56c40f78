namespace Promotions.Streams.RocksDb;

/// <summary>Memory and durability of the state on disk. Unbounded by default in the engine itself; bounded here.</summary>
/// <param name="BlockCacheBytes">Uncompressed blocks kept for reads, shared by all partitions of the process. Unit: bytes. Range: 1 MiB to
/// 64 GiB. Default 64 MiB: the store's own cache holds hot states, so blocks serve misses only. Beside it, indexes and filters stay in memory: about 2 % of what is stored; in the cache they would push each other out.</param>
/// <param name="WriteBufferBytes">Memtables, all partitions together. Unit: bytes. Range: 1 MiB to 16 GiB. Default 32 MiB: one checkpoint of about 5 s.</param>
/// <param name="Sync">Whether a checkpoint is on the disk when it returns. Default false: it is in memory until <paramref name="WriteBufferBytes"/> are full or the store is closed, and
/// not written twice. A crash then replays what came since: a second or two, whatever the rate, since a full buffer is a bounded number of changes.</param>
/// <remarks>Keys: <c>state.block_cache_bytes</c>, <c>state.write_buffer_bytes</c>, <c>state.sync</c>; the server reads them from its settings.</remarks>
public sealed record RocksDbSettings(long BlockCacheBytes, long WriteBufferBytes, bool Sync)
{
    public static readonly RocksDbSettings Default = new(64L << 20, 32L << 20, false);

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public RocksDbSettings Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(BlockCacheBytes, 1L << 20);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BlockCacheBytes, 64L << 30);
        ArgumentOutOfRangeException.ThrowIfLessThan(WriteBufferBytes, 1L << 20);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(WriteBufferBytes, 16L << 30);
        return this;
    }
}
