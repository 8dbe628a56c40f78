using System.Buffers.Binary;
using System.Text;
using Promotions.Ledger;

namespace Promotions.Analytics.Sink;

/// <summary>Outbox rows as ClickHouse's RowBinary: the payload goes through untouched, ClickHouse itself takes it apart.</summary>
internal static class OutboxEncoder
{
    public static readonly string[] Columns = ["position", "at", "type", "key", "payload"];

    public static MemoryStream Encode(IReadOnlyList<OutboxEvent> rows)
    {
        var stream = new MemoryStream(rows.Count * 512);
        Span<byte> number = stackalloc byte[8];
        foreach (var row in rows)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, row.Position);
            stream.Write(number);
            BinaryPrimitives.WriteInt64LittleEndian(number, row.At.UnixMilliseconds);
            stream.Write(number);
            WriteText(stream, row.Type);
            WriteText(stream, row.Key);
            WriteLength(stream, row.Payload.Length);
            stream.Write(row.Payload.Span);
        }

        stream.Position = 0;
        return stream;
    }

    private static void WriteText(MemoryStream stream, string text)
    {
        Span<byte> bytes = stackalloc byte[256];
        if (text.Length <= 85)
        {
            var length = Encoding.UTF8.GetBytes(text, bytes);
            WriteLength(stream, length);
            stream.Write(bytes[..length]);
            return;
        }

        var many = Encoding.UTF8.GetBytes(text);
        WriteLength(stream, many.Length);
        stream.Write(many);
    }

    private static void WriteLength(MemoryStream stream, int length)
    {
        var rest = (uint)length;
        for (; rest >= 0x80; rest >>= 7) stream.WriteByte((byte)(rest & 0x7F | 0x80));
        stream.WriteByte((byte)rest);
    }
}
