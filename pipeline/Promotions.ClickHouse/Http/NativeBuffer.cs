using System.Buffers;
using System.Runtime.InteropServices;

namespace Promotions.ClickHouse.Http;

/// <summary>A statement as it arrives: tens of megabytes for an insert, outside of the managed heap, which would keep the room for ever.</summary>
internal sealed class NativeBuffer(long bytesMax) : MemoryManager<byte>
{
    private nint _start;
    private nuint _capacity;

    public int Length { get; private set; }

    /// <summary>Appends all of the stream.</summary>
    /// <exception cref="StatementTooLargeException">Over the bound given at construction.</exception>
    public async Task AppendAsync(Stream source, CancellationToken cancellationToken)
    {
        while (true)
        {
            Reserve(64 * 1024);
            var read = await source.ReadAsync(Memory[Length..], cancellationToken);
            if (read == 0) return;
            Length += read;
            if (Length > bytesMax) throw new StatementTooLargeException(bytesMax);
        }
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(GetSpan()[Length..]);
        Length += bytes.Length;
    }

    public ReadOnlyMemory<byte> Written => Memory[..Length];

    public override unsafe Span<byte> GetSpan() => new((void*)_start, (int)_capacity);
    public override unsafe MemoryHandle Pin(int elementIndex = 0) => new((byte*)_start + elementIndex);
    public override void Unpin() { }

    private unsafe void Reserve(int extra)
    {
        var wanted = (nuint)(Length + extra);
        if (wanted <= _capacity) return;
        _capacity = Math.Max(wanted, Math.Min(2 * _capacity, (nuint)int.MaxValue));
        _start = (nint)NativeMemory.Realloc((void*)_start, _capacity);
    }

    protected override unsafe void Dispose(bool disposing)
    {
        NativeMemory.Free((void*)_start);
        (_start, _capacity, Length) = (0, 0, 0);
    }
}

internal sealed class StatementTooLargeException : Exception
{
    public StatementTooLargeException() { }
    public StatementTooLargeException(string message) : base(message) { }
    public StatementTooLargeException(string message, Exception innerException) : base(message, innerException) { }
    public StatementTooLargeException(long bytesMax) : base($"A statement with its data may be {bytesMax} bytes, uncompressed.") { }
}
