using System.Buffers.Binary;
using System.Text;

namespace Promotions.Ledger.Formats;

/// <summary>Length-prefixed binary fields, little endian: two different lists of fields never give the same bytes.</summary>
internal sealed class ByteWriter(int capacity = 512)
{
    private byte[] _buffer = new byte[Math.Max(16, capacity)];

    public int Length { get; private set; }
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public void Clear() => Length = 0;
    public byte[] ToArray() => Written.ToArray();

    /// <summary>Writes over four bytes that were written before: a length that is known only now.</summary>
    public void PatchInt32(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(at, 4), value);

    public void Byte(byte value) => Take(1)[0] = value;
    public void Flag(bool value) => Byte(value ? (byte)1 : (byte)0);
    public void Int32(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);
    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);
    public void Int64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), value);
    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);
    public void Single(float value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), BitConverter.SingleToInt32Bits(value));
    public void Double(double value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), BitConverter.DoubleToInt64Bits(value));

    public void OptionalInt64(long? value)
    {
        Flag(value is not null);
        if (value is { } number) Int64(number);
    }

    /// <summary>−1 as length for null, so that null and empty differ.</summary>
    public void Text(string? value)
    {
        if (value is null)
        {
            Int32(-1);
            return;
        }

        var length = Encoding.UTF8.GetByteCount(value);
        Int32(length);
        Encoding.UTF8.GetBytes(value, Take(length));
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Int32(value.Length);
        value.CopyTo(Take(value.Length));
    }

    private Span<byte> Take(int count)
    {
        var end = Length + count;
        if (end > _buffer.Length) Array.Resize(ref _buffer, Math.Max(end, _buffer.Length * 2));
        var span = _buffer.AsSpan(Length, count);
        Length = end;
        return span;
    }
}
