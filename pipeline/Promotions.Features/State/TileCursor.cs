using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Promotions.Features.State;

/// <summary>Writes a tile, little endian, front to back.</summary>
internal ref struct TileCursor(Span<byte> bytes)
{
    private readonly Span<byte> _bytes = bytes;

    public int Position { get; private set; }

    public readonly ReadOnlySpan<byte> Written => _bytes[..Position];

    public void Byte(byte value) => _bytes[Position++] = value;
    public void UInt32(uint value) { BinaryPrimitives.WriteUInt32LittleEndian(_bytes[Position..], value); Position += 4; }
    public void Int64(long value) { BinaryPrimitives.WriteInt64LittleEndian(_bytes[Position..], value); Position += 8; }
    public void UInt64(ulong value) { BinaryPrimitives.WriteUInt64LittleEndian(_bytes[Position..], value); Position += 8; }

    public void Many<T>(ReadOnlySpan<T> values) where T : unmanaged
    {
        var raw = MemoryMarshal.AsBytes(values);
        raw.CopyTo(_bytes[Position..]);
        Position += raw.Length;
    }

    public byte ReadByte() => _bytes[Position++];
    public uint ReadUInt32() { Position += 4; return BinaryPrimitives.ReadUInt32LittleEndian(_bytes[(Position - 4)..]); }
    public long ReadInt64() { Position += 8; return BinaryPrimitives.ReadInt64LittleEndian(_bytes[(Position - 8)..]); }
    public ulong ReadUInt64() { Position += 8; return BinaryPrimitives.ReadUInt64LittleEndian(_bytes[(Position - 8)..]); }

    public void ReadMany<T>(Span<T> values) where T : unmanaged
    {
        var raw = MemoryMarshal.AsBytes(values);
        _bytes.Slice(Position, raw.Length).CopyTo(raw);
        Position += raw.Length;
    }
}

/// <summary>What the parts of one entity share: its key, its tiles, and what it owes the writer.</summary>
internal sealed class TileSpace(EntityKey key, ITileReader reader)
{
    /// <summary>Tiles 1 to 15 are the sets'; the rest is given out in turn.</summary>
    public const uint FirstFree = 16;

    private List<uint>? _deleted;

    public EntityKey Key { get; } = key;
    public uint Next { get; set; } = FirstFree;

    /// <summary>Tiles read or written-through by queries so far: what bounds the work per record, and what tests count.</summary>
    public long Touches { get; set; }

    public uint Take() => checked(Next++);

    public void Delete(uint tile) => (_deleted ??= []).Add(tile);

    public int Read(uint tile, Span<byte> buffer)
    {
        var key = Key;
        var length = reader.Read(in key, tile, buffer);
        return length >= 0 ? length : throw new InvalidDataException($"Tile {tile} of a {Key.Kind} is missing: its state on disk is torn. Rebuild feature state from the log.");
    }

    public void WriteDeleted(ITileWriter writer)
    {
        if (_deleted is null) return;
        var key = Key;
        foreach (var tile in _deleted) writer.Delete(in key, tile);
        _deleted = null;
    }

    public void Forget()
    {
        _deleted = null;
        Next = FirstFree;
    }
}
