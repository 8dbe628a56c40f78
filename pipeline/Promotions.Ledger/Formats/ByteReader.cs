using System.Buffers.Binary;
using System.Text;

namespace Promotions.Ledger.Formats;

/// <summary>Reads what <see cref="ByteWriter"/> wrote.</summary>
/// <exception cref="FormatException">The bytes end too early or a length is impossible.</exception>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool AtEnd => _rest.IsEmpty;

    public byte Byte() => Take(1)[0];
    public bool Flag() => Byte() != 0;
    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));
    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));
    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
    public float Single() => BitConverter.Int32BitsToSingle(Int32());
    public double Double() => BitConverter.Int64BitsToDouble(Int64());
    public long? OptionalInt64() => Flag() ? Int64() : null;

    public string? Text()
    {
        var length = Int32();
        return length < 0 ? null : Encoding.UTF8.GetString(Take(length));
    }

    public string RequiredText() => Text() ?? throw new FormatException("A text that must be there is null.");
    public byte[] Bytes() => Take(Int32()).ToArray();

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > _rest.Length) throw new FormatException($"{count} bytes wanted, {_rest.Length} left.");
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
