using System.Buffers.Binary;
using Promotions.Streams.State;
using RocksDbSharp;

namespace Promotions.Streams.RocksDb;

/// <summary>State in RocksDB: one write batch carries values, position and layout, so a crash leaves the old ones or the new ones.</summary>
/// <remarks>A batch lies in one memtable and a memtable is flushed whole, so even without a write-ahead log what a crash leaves is all of some earlier checkpoint. Keys start with a store id of 1 to 255; 0x00 is the backend's own record of position and layout.</remarks>
public sealed unsafe class RocksDbBackend : IStateBackend
{
    private static readonly byte[] MetaKey = [0x00];
    private const byte MetaVersion = 1;
    private const int MetaLength = 1 + sizeof(long) + sizeof(ulong);

    private readonly RocksDbSharp.RocksDb _db;
    private readonly ReadOptions _read = new();
    private readonly WriteOptions _write;

    private RocksDbBackend(RocksDbSharp.RocksDb db, bool sync)
    {
        _db = db;
        _write = sync ? new WriteOptions().SetSync(true) : new WriteOptions().DisableWal(1);
        Span<byte> meta = stackalloc byte[IStateBackend.ValueBytesMax];
        var length = ReadValue(MetaKey, meta);
        if (length < 0) return;
        if (length != MetaLength || meta[0] != MetaVersion)
        {
            Clear();        // written by another build: state is rebuilt from the log, as it is for another layout
            return;
        }

        (Position, LayoutHash) = (BinaryPrimitives.ReadInt64LittleEndian(meta[1..]), BinaryPrimitives.ReadUInt64LittleEndian(meta[9..]));
    }

    public long Position { get; private set; }
    public ulong LayoutHash { get; private set; }

    /// <summary>Opens or creates the state in <paramref name="folder"/>.</summary>
    /// <exception cref="RocksDbException">Another process has it open, or its files are damaged: remove the folder, it is rebuilt from the log.</exception>
    public static RocksDbBackend Open(string folder, RocksDbSettings? settings = null)
    {
        settings = (settings ?? RocksDbSettings.Default).Checked();
        Directory.CreateDirectory(folder);
        return new(RocksDbSharp.RocksDb.Open(RocksDbMemory.Options(settings), folder), settings.Sync);
    }

    public int Read(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        StateKeys.Check(key);
        return ReadValue(key, destination);
    }

    public int Scan(ReadOnlySpan<byte> from, int max, StateVisitor visitor)
    {
        using var iterator = _db.NewIterator();
        var visited = 0;
        for (iterator.Seek(from); visited < max && iterator.Valid(); iterator.Next())
        {
            var key = iterator.GetKeySpan();
            if (key.SequenceEqual(MetaKey)) continue;
            visitor(key, iterator.GetValueSpan());
            visited++;
        }

        return visited;
    }

    public IStateBatch Begin() => new Batch(this);

    public void Clear()
    {
        using var batch = new WriteBatch();
        batch.Delete(MetaKey);
        fixed (byte* start = (ReadOnlySpan<byte>)[0x00], end = (ReadOnlySpan<byte>)KeyEnd)
            batch.DeleteRange(start, 1, end, (ulong)KeyEnd.Length);
        _db.Write(batch, new WriteOptions().SetSync(true));
        (Position, LayoutHash) = (0, 0);
    }

    public void Dispose() => _db.Dispose();

    /// <summary>Behind every key that <see cref="StateKeys.Check"/> lets in.</summary>
    private static byte[] KeyEnd { get; } = [.. Enumerable.Repeat((byte)0xFF, StateKeys.KeyBytesMax + 1)];

    private int ReadValue(ReadOnlySpan<byte> key, Span<byte> destination)
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

    private sealed class Batch(RocksDbBackend backend) : IStateBatch
    {
        private readonly WriteBatch _batch = new();

        public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
            CheckKey(key, value);
            _batch.Put(key, value);
        }

        public void Delete(ReadOnlySpan<byte> key)
        {
            CheckKey(key, default);
            _batch.Delete(key);
        }

        public void DeletePrefix(ReadOnlySpan<byte> prefix)
        {
            CheckKey(prefix, default);
            var end = StateKeys.TryEnd(prefix, out var next) ? next : KeyEnd;
            fixed (byte* first = prefix, behind = end) _batch.DeleteRange(first, (ulong)prefix.Length, behind, (ulong)end.Length);
        }

        public void Commit(long position, ulong layoutHash)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(position, backend.Position);
            Span<byte> meta = stackalloc byte[MetaLength];
            meta[0] = MetaVersion;
            BinaryPrimitives.WriteInt64LittleEndian(meta[1..], position);
            BinaryPrimitives.WriteUInt64LittleEndian(meta[9..], layoutHash);
            _batch.Put(MetaKey, meta);
            backend._db.Write(_batch, backend._write);
            (backend.Position, backend.LayoutHash) = (position, layoutHash);
        }

        public void Dispose() => _batch.Dispose();

        private static void CheckKey(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
            StateKeys.Check(key, value);
            if (key[0] == 0) throw new ArgumentException("Keys that start with 0x00 are the backend's own.", nameof(key));
        }
    }
}
