using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Promotions.Domain;

namespace Promotions.Processing.Records;

/// <summary>Writes the fields of a log record: little-endian fixed integers, varint lengths, UTF-8 text; null is length 0 behind a zero marker.</summary>
/// <remarks>The bytes are what replay reads years later, so the format only grows: a new field goes to the end under a higher record version.</remarks>
internal readonly ref struct RecordWriter(IBufferWriter<byte> output)
{
    public void Byte(byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    public void Bool(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void Int64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(output.GetSpan(8), value);
        output.Advance(8);
    }

    public void UInt64(ulong value) => Int64(unchecked((long)value));

    public void Count(int value)
    {
        var rest = (uint)value;
        while (rest >= 0x80)
        {
            Byte((byte)((rest & 0x7F) | 0x80));
            rest >>= 7;
        }

        Byte((byte)rest);
    }

    public void Text(string? value)
    {
        if (value is null)
        {
            Count(0);
            return;
        }

        var bytes = Encoding.UTF8.GetByteCount(value);
        Count(checked(bytes + 1));
        Encoding.UTF8.GetBytes(value, output.GetSpan(bytes));
        output.Advance(bytes);
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Count(value.Length);
        output.Write(value);
    }

    public void Time(EventTime value) => Int64(value.UnixMilliseconds);

    public void OptionalTime(EventTime? value)
    {
        Bool(value is not null);
        if (value is { } time) Time(time);
    }
}
