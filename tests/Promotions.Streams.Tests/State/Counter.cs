using System.Buffers.Binary;
using Promotions.Domain;
using Promotions.Streams.State;

namespace Promotions.Streams.Tests.State;

/// <summary>A state for tests: a count, the time of the last change, and a tile of padding read only on demand.</summary>
internal sealed class Counter(long count, EventTime lastAt)
{
    public long Count { get; private set; } = count;
    public EventTime LastAt { get; private set; } = lastAt;
    public bool Dirty { get; set; }

    public long Add(EventTime at, long value = 1)
    {
        Dirty = true;
        LastAt = at > LastAt ? at : LastAt;
        return Count += value;
    }
}

internal sealed class CounterSerde(long sizeBytes = 100, long idleMs = long.MaxValue) : IStateSerde<int, Counter>
{
    public int KeyLength => sizeof(int);
    public void WriteKey(in int key, Span<byte> destination) => BinaryPrimitives.WriteInt32BigEndian(destination, key);
    public int ReadKey(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadInt32BigEndian(source);

    public Counter Load(in int key, ITileSource<int> tiles)
    {
        var buffer = new byte[IStateBackend.ValueBytesMax];
        return tiles.Read(key, 0, buffer) < 0
            ? new(0, default)
            : new(BinaryPrimitives.ReadInt64LittleEndian(buffer), new(BinaryPrimitives.ReadInt64LittleEndian(buffer.AsSpan(8))));
    }

    public long SizeBytes(Counter state) => sizeBytes;
    public bool IsDirty(Counter state) => state.Dirty;

    public void WriteDirty(in int key, Counter state, ITileSink<int> tiles)
    {
        Span<byte> value = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(value, state.Count);
        BinaryPrimitives.WriteInt64LittleEndian(value[8..], state.LastAt.UnixMilliseconds);
        tiles.Put(key, 0, value);
        state.Dirty = false;
    }

    public void Release(Counter state)
    {
    }

    public EventTime ExpiresAt(Counter state) => Expiry(state.LastAt.UnixMilliseconds);
    public EventTime ExpiresAt(ReadOnlySpan<byte> rootTile) => Expiry(BinaryPrimitives.ReadInt64LittleEndian(rootTile[8..]));

    private EventTime Expiry(long lastAt) => new(idleMs == long.MaxValue ? long.MaxValue : lastAt + idleMs);
}
