using RocksDbSharp;

namespace Promotions.Streams.RocksDb;

/// <summary>One block cache and one bound on write buffers for the whole process, however many partitions it opens.</summary>
/// <remarks>The first opening decides the sizes; they live as long as the process.</remarks>
internal sealed class RocksDbMemory
{
    private static readonly Lock Gate = new();
    private static RocksDbMemory? s_shared;

    private RocksDbMemory(RocksDbSettings settings)
    {
        BlockCache = Cache.CreateLru((ulong)settings.BlockCacheBytes);
        WriteBufferManager = Native.Instance.rocksdb_write_buffer_manager_create((UIntPtr)settings.WriteBufferBytes, 0);
    }

    public Cache BlockCache { get; }
    public IntPtr WriteBufferManager { get; }

    public static RocksDbMemory For(RocksDbSettings settings)
    {
        lock (Gate) return s_shared ??= new(settings);
    }

    /// <summary>Of a database that shares them.</summary>
    public static DbOptions Options(RocksDbSettings settings)
    {
        var memory = For(settings);
        var tables = new BlockBasedTableOptions()
            .SetBlockCache(memory.BlockCache)
            .SetFilterPolicy(BloomFilterPolicy.Create(10));
        var options = new DbOptions()
            .SetCreateIfMissing(true)
            .SetBlockBasedTableFactory(tables)
            .SetWriteBufferSize((ulong)settings.WriteBufferBytes / 2)
            .SetCompression(Compression.Lz4)
            .SetMaxTotalWalSize((ulong)settings.WriteBufferBytes * 2)
            .SetMaxOpenFiles(512);
        Native.Instance.rocksdb_options_set_write_buffer_manager(options.Handle, memory.WriteBufferManager);
        return options;
    }
}
