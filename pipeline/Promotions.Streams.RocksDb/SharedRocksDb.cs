using System.Buffers.Binary;
using Promotions.Streams.State;
using RocksDbSharp;

namespace Promotions.Streams.RocksDb;

/// <summary>One database for all partitions of a process: each keeps its values behind a prefix, and a record of where they stand.</summary>
/// <remarks>Thread-safe but for one partition's values, which have one writer. Without a write-ahead log: a crash leaves all of some earlier write of the partition, values and their record alike.</remarks>
public sealed unsafe class SharedRocksDb : IDisposable
{
    private readonly RocksDbSharp.RocksDb _db;
    private readonly ReadOptions _read = new();
    private readonly WriteOptions _write;

    private SharedRocksDb(RocksDbSharp.RocksDb db, bool sync)
    {
        _db = db;
        _write = sync ? new WriteOptions().SetSync(true) : new WriteOptions().DisableWal(1);
    }

    /// <summary>Opens or creates the database in <paramref name="folder"/>.</summary>
    /// <exception cref="RocksDbException">Another process has it open, or its files are damaged: remove the folder, it is restored from the changelogs.</exception>
    public static SharedRocksDb Open(string folder, RocksDbSettings? settings = null)
    {
        settings = (settings ?? RocksDbSettings.Default).Checked();
        Directory.CreateDirectory(folder);
        return new(RocksDbSharp.RocksDb.Open(RocksDbMemory.Options(settings), folder), settings.Sync);
    }

    /// <param name="number">Of the sub-topology. Range: 0 to 65,535.</param>
    /// <param name="partition">Range: 0 to 65,535.</param>
    public RocksDbPartition Partition(int number, int partition)
    {
        var prefix = new byte[RocksDbPartition.PrefixLength];
        BinaryPrimitives.WriteUInt16BigEndian(prefix, checked((ushort)number));
        BinaryPrimitives.WriteUInt16BigEndian(prefix.AsSpan(2), checked((ushort)partition));
        return new(this, prefix);
    }

    /// <summary>Closes in good order: everything is on the disk, so the next start restores nothing.</summary>
    public void Dispose()
    {
        using (var options = new FlushScope()) Native.Instance.rocksdb_flush(_db.Handle, options.Handle);
        _db.Dispose();
    }

    internal int Read(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        IntPtr slice;
        fixed (byte* bytes = key) slice = Native.Instance.rocksdb_get_pinned(_db.Handle, _read.Handle, bytes, (UIntPtr)key.Length);
        if (slice == IntPtr.Zero) return -1;
        try
        {
            var value = Native.Instance.rocksdb_pinnableslice_value(slice, out var length);
            new ReadOnlySpan<byte>((void*)value, checked((int)length)).CopyTo(destination);
            return (int)length;
        }
        finally
        {
            Native.Instance.rocksdb_pinnableslice_destroy(slice);
        }
    }

    internal Iterator Iterate() => _db.NewIterator();

    internal void Write(WriteBatch batch) => _db.Write(batch, _write);

    private readonly struct FlushScope : IDisposable
    {
        public FlushScope() => Handle = Native.Instance.rocksdb_flushoptions_create();
        public IntPtr Handle { get; }
        public void Dispose() => Native.Instance.rocksdb_flushoptions_destroy(Handle);
    }
}

/// <summary>One partition's values: keys of 1 to 255 bytes that start with a store's id, never with 0x00.</summary>
public sealed unsafe class RocksDbPartition
{
    internal const int PrefixLength = 4;
    private const int KeyBytes = PrefixLength + StateKeys.KeyBytesMax;

    private readonly SharedRocksDb _home;
    private readonly byte[] _prefix;

    internal RocksDbPartition(SharedRocksDb home, byte[] prefix) => (_home, _prefix) = (home, prefix);

    public int Read(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        StateKeys.Check(key);
        Span<byte> full = stackalloc byte[KeyBytes];
        return _home.Read(Full(key, full), destination);
    }

    /// <inheritdoc cref="IStateBackend.Scan"/>
    public int Scan(ReadOnlySpan<byte> from, int max, StateVisitor visitor)
    {
        Span<byte> full = stackalloc byte[KeyBytes];
        using var iterator = _home.Iterate();
        var visited = 0;
        for (iterator.Seek(Full(from, full)); visited < max && iterator.Valid(); iterator.Next())
        {
            var key = iterator.GetKeySpan();
            if (!key.StartsWith(_prefix)) break;
            if (key.Length == PrefixLength + 1 && key[PrefixLength] == 0) continue;
            visitor(key[PrefixLength..], iterator.GetValueSpan());
            visited++;
        }

        return visited;
    }

    /// <summary>What the last write said of where the values stand; −1 when there is none.</summary>
    public int ReadStanding(Span<byte> destination)
    {
        Span<byte> full = stackalloc byte[KeyBytes];
        return _home.Read(Full([0], full), destination);
    }

    public Writing Begin() => new(this);

    /// <summary>Forgets all values and their standing.</summary>
    public void Clear()
    {
        using var batch = new WriteBatch();
        var end = StateKeys.TryEnd(_prefix, out var next) ? next : [.. Enumerable.Repeat((byte)0xFF, KeyBytes + 1)];
        fixed (byte* first = _prefix, behind = end) batch.DeleteRange(first, PrefixLength, behind, (ulong)end.Length);
        _home.Write(batch);
    }

    private ReadOnlySpan<byte> Full(ReadOnlySpan<byte> key, Span<byte> buffer)
    {
        _prefix.CopyTo(buffer);
        key.CopyTo(buffer[PrefixLength..]);
        return buffer[..(PrefixLength + key.Length)];
    }

    /// <summary>Changes that become visible, and survive a crash, together with their standing or not at all.</summary>
    public sealed class Writing : IDisposable
    {
        private readonly RocksDbPartition _partition;
        private readonly WriteBatch _batch = new();

        internal Writing(RocksDbPartition partition) => _partition = partition;

        public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
            StateKeys.Check(key, value);
            Span<byte> full = stackalloc byte[KeyBytes];
            _batch.Put(_partition.Full(key, full), value);
        }

        public void Delete(ReadOnlySpan<byte> key)
        {
            StateKeys.Check(key);
            Span<byte> full = stackalloc byte[KeyBytes];
            _batch.Delete(_partition.Full(key, full));
        }

        public void Commit(ReadOnlySpan<byte> standing)
        {
            Span<byte> full = stackalloc byte[KeyBytes];
            _batch.Put(_partition.Full([0], full), standing);
            _partition._home.Write(_batch);
        }

        public void Dispose() => _batch.Dispose();
    }
}
