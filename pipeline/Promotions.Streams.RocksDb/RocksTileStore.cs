using System.Buffers.Binary;
using Promotions.Features;
using Promotions.Processing.State;
using RocksDbSharp;

namespace Promotions.Streams.RocksDb;

/// <summary>Entities' tiles in one RocksDB, with the log position that they stand at in the same write batch.</summary>
/// <remarks>
/// Not synced: after a power loss RocksDB recovers an older whole batch, whose position is older too, and the log is replayed from there. What may never
/// happen is a position without its tiles, and a batch is atomic. The folder can be lost: that is a longer replay.
/// </remarks>
public sealed class RocksTileStore : ITileStore
{
    private const int KeyLength = EntityKey.Length + 4;
    private static readonly byte[] PositionKey = [0];          // entity kinds start at 1, so no tile has this key
    private readonly RocksDbSharp.RocksDb _db;
    private readonly Cache _blocks;
    private readonly byte[] _key = new byte[KeyLength];
    private readonly byte[] _value = new byte[Tile.BytesMax];

    private RocksTileStore(RocksDbSharp.RocksDb db, Cache blocks)
    {
        _db = db;
        _blocks = blocks;
        ReadPosition();
    }

    public long Position { get; private set; }
    public ulong LayoutHash { get; private set; }

    /// <param name="cacheBytes">RocksDB's block cache and write buffers together. Unit: bytes, at least 8 MiB. A quarter is write buffers.</param>
    public static RocksTileStore Open(string folder, long cacheBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cacheBytes, 8L << 20);
        Directory.CreateDirectory(folder);
        var blocks = Cache.CreateLru((ulong)(cacheBytes * 3 / 4));
        var options = new DbOptions();
        options.SetCreateIfMissing(true);
        options.SetDbWriteBufferSize((ulong)(cacheBytes / 4));
        options.SetWriteBufferSize((ulong)(cacheBytes / 8));
        options.SetKeepLogFileNum(2);
        options.SetMaxBackgroundCompactions(1);
        options.SetBlockBasedTableFactory(new BlockBasedTableOptions().SetBlockCache(blocks).SetFilterPolicy(BloomFilterPolicy.Create(10, false)));
        return new(RocksDbSharp.RocksDb.Open(options, folder), blocks);
    }

    public int Read(in EntityKey entity, uint tile, Span<byte> destination)
    {
        WriteKey(_key, entity, tile);
        var length = (int)_db.Get(_key, KeyLength, _value, 0, _value.Length);
        if (length < 0) return -1;
        if (length > _value.Length) throw new InvalidDataException($"A tile of {length} bytes is larger than the {Tile.BytesMax} that one may be.");
        _value.AsSpan(0, length).CopyTo(destination);
        return length;
    }

    public ITileBatch Begin() => new Batch(this);

    public void Clear()
    {
        using var batch = new WriteBatch();
        byte[] end = [.. Enumerable.Repeat((byte)0xFF, KeyLength)];
        batch.DeleteRange(PositionKey, (ulong)PositionKey.Length, end, (ulong)end.Length, null);
        _db.Write(batch);
        ReadPosition();
    }

    public void Dispose()
    {
        _db.Dispose();
        GC.KeepAlive(_blocks);
    }

    private void ReadPosition()
    {
        var stored = _db.Get(PositionKey);
        Position = stored is null ? 0 : BinaryPrimitives.ReadInt64LittleEndian(stored);
        LayoutHash = stored is null ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(stored.AsSpan(8));
    }

    private static void WriteKey(Span<byte> key, in EntityKey entity, uint tile)
    {
        entity.WriteTo(key);
        BinaryPrimitives.WriteUInt32BigEndian(key[EntityKey.Length..], tile);
    }

    private sealed class Batch(RocksTileStore store) : ITileBatch
    {
        private readonly WriteBatch _batch = new();
        private readonly byte[] _key = new byte[KeyLength];

        public void Put(in EntityKey entity, uint tile, ReadOnlySpan<byte> value)
        {
            WriteKey(_key, entity, tile);
            _batch.Put(_key.AsSpan(), value, null);
        }

        public void Delete(in EntityKey entity, uint tile)
        {
            WriteKey(_key, entity, tile);
            _batch.Delete(_key.AsSpan(), null);
        }

        public void Clear(in EntityKey entity)
        {
            var from = new byte[KeyLength];
            var to = new byte[KeyLength + 1];
            WriteKey(from, entity, 0);
            WriteKey(to, entity, uint.MaxValue);       // one byte longer: the end is exclusive
            _batch.DeleteRange(from, (ulong)from.Length, to, (ulong)to.Length, null);
        }

        public void Commit(long position, ulong layoutHash)
        {
            Span<byte> stamp = stackalloc byte[16];
            BinaryPrimitives.WriteInt64LittleEndian(stamp, position);
            BinaryPrimitives.WriteUInt64LittleEndian(stamp[8..], layoutHash);
            _batch.Put(PositionKey.AsSpan(), stamp, null);
            store._db.Write(_batch);
            store.ReadPosition();
        }

        public void Dispose() => _batch.Dispose();
    }
}
