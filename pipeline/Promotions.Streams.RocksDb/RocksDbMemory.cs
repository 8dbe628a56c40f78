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
}
