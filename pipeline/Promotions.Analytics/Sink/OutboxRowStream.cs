using System.Buffers.Binary;
using System.Text;
using Promotions.Ledger;

namespace Promotions.Analytics.Sink;

/// <summary>Outbox rows as ClickHouse's RowBinary, made while they are sent: the payload goes through untouched, ClickHouse itself takes it apart.</summary>
/// <remarks>Forward only. Nothing of a batch's size is allocated: a buffer of tens of megabytes a second would have the server's collector
/// clean its oldest generation for the sink's sake, beside decisions.</remarks>
internal sealed class OutboxRowStream(IReadOnlyList<OutboxEvent> rows) : Stream
{
    public static readonly string[] Columns = ["position", "at", "type", "key", "payload"];

    private byte[] _head = new byte[256];
    private ReadOnlyMemory<byte> _rest;      // of the part that is being copied
    private ReadOnlyMemory<byte> _payload;   // follows it
    private int _next;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        var written = 0;
        while (written < buffer.Length)
        {
            if (_rest.IsEmpty && !Advance()) break;
            var part = Math.Min(_rest.Length, buffer.Length - written);
            _rest.Span[..part].CopyTo(buffer[written..]);
            _rest = _rest[part..];
            written += part;
        }

        return written;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<int>(cancellationToken) : new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <returns>False at the end.</returns>
    private bool Advance()
    {
        if (!_payload.IsEmpty)
        {
            (_rest, _payload) = (_payload, default);
            return true;
        }

        if (_next == rows.Count) return false;
        var row = rows[_next++];
        _rest = Head(row);
        _payload = row.Payload;
        return true;
    }

    private ReadOnlyMemory<byte> Head(OutboxEvent row)
    {
        // Two numbers, then three lengths of at most five bytes each.
        var most = 16 + 15 + Encoding.UTF8.GetMaxByteCount(row.Type.Length) + Encoding.UTF8.GetMaxByteCount(row.Key.Length);
        if (_head.Length < most) _head = new byte[most];
        var head = _head.AsSpan();
        BinaryPrimitives.WriteInt64LittleEndian(head, row.Position);
        BinaryPrimitives.WriteInt64LittleEndian(head[8..], row.At.UnixMilliseconds);
        var end = WriteText(head, 16, row.Type);
        end = WriteText(head, end, row.Key);
        return _head.AsMemory(0, WriteLength(head, end, row.Payload.Length));
    }

    private static int WriteText(Span<byte> target, int at, string text)
    {
        var start = WriteLength(target, at, Encoding.UTF8.GetByteCount(text));
        return start + Encoding.UTF8.GetBytes(text, target[start..]);
    }

    private static int WriteLength(Span<byte> target, int at, int length)
    {
        var rest = (uint)length;
        for (; rest >= 0x80; rest >>= 7) target[at++] = (byte)(rest & 0x7F | 0x80);
        target[at++] = (byte)rest;
        return at;
    }
}
