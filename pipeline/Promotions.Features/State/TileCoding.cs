using System.Buffers.Binary;

namespace Promotions.Features.State;

/// <summary>Writes a tile front to back: small numbers in few bytes, seven bits each, low first.</summary>
/// <remarks>What does not fit throws <see cref="IndexOutOfRangeException"/>: the bounds of what is kept are such that everything fits.</remarks>
internal ref struct TileEncoder(Span<byte> bytes)
{
    private readonly Span<byte> _bytes = bytes;
    private int _length;

    public readonly ReadOnlySpan<byte> Written => _bytes[.._length];

    public void Byte(byte value) => _bytes[_length++] = value;

    /// <summary>At most ten bytes.</summary>
    public void Unsigned(ulong value)
    {
        for (; value > 0x7F; value >>= 7) _bytes[_length++] = unchecked((byte)(value | 0x80));
        _bytes[_length++] = (byte)value;
    }

    /// <summary>Numbers near zero, of either sign, in few bytes.</summary>
    public void Signed(long value) => Unsigned(unchecked((ulong)((value << 1) ^ (value >> 63))));

    /// <summary>Eight bytes: for hashes, which have no small values.</summary>
    public void Fixed(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_bytes[_length..], value);
        _length += sizeof(long);
    }

    public void Fixed32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes[_length..], value);
        _length += sizeof(uint);
    }

    /// <summary>Ascending times: the last, near to what the reader knows, then the steps back.</summary>
    public void Times(scoped ReadOnlySpan<long> times, long near)
    {
        if (times.IsEmpty) return;
        Signed(unchecked(times[^1] - near));
        for (var i = times.Length - 1; i > 0; i--) Unsigned(unchecked((ulong)(times[i] - times[i - 1])));
    }
}

/// <summary>Reads what <see cref="TileEncoder"/> wrote. Anything else is an <see cref="InvalidDataException"/>.</summary>
internal ref struct TileDecoder(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;

    public static InvalidDataException Torn(string what) => new($"Feature state is torn or foreign: {what}. Rebuild it from the log.");

    public byte Byte() => _position < _bytes.Length ? _bytes[_position++] : throw Torn("a tile ends early");

    public ulong Unsigned()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            if (shift == 63 && next > 1) break;
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
        throw Torn("a number has no end");
    }

    public long Signed()
    {
        var value = Unsigned();
        return unchecked((long)(value >> 1) ^ -(long)(value & 1));
    }

    /// <param name="max">Largest that may be.</param>
    public int Count(int max)
    {
        var value = Unsigned();
        return value <= (ulong)max ? (int)value : throw Torn($"{value} where at most {max} may be");
    }

    public uint UInt32()
    {
        var value = Unsigned();
        return value <= uint.MaxValue ? (uint)value : throw Torn("a tile's number is too large");
    }

    public long Fixed()
    {
        if (_bytes.Length - _position < sizeof(long)) throw Torn("a tile ends early");
        _position += sizeof(long);
        return BinaryPrimitives.ReadInt64LittleEndian(_bytes[(_position - sizeof(long))..]);
    }

    public uint Fixed32()
    {
        if (_bytes.Length - _position < sizeof(uint)) throw Torn("a tile ends early");
        _position += sizeof(uint);
        return BinaryPrimitives.ReadUInt32LittleEndian(_bytes[(_position - sizeof(uint))..]);
    }

    public void Times(scoped Span<long> times, long near)
    {
        if (times.IsEmpty) return;
        var time = unchecked(near + Signed());
        times[^1] = time;
        for (var i = times.Length - 2; i >= 0; i--)
        {
            var earlier = unchecked(time - (long)Unsigned());
            if (earlier > time) throw Torn("times do not ascend");
            times[i] = time = earlier;
        }
    }

    public readonly void End()
    {
        if (_position != _bytes.Length) throw Torn("a tile is longer than what it says");
    }
}
