using System.Buffers;
using System.Buffers.Binary;
using Promotions.Domain;

namespace Promotions.Streams.Kafka.Transport;

/// <summary>The records that one poll batch of a task makes for one partition of a repartition topic: one record of that topic. It grows by whole source records.</summary>
/// <remarks>Version, the upstream task, then for each record: position of its source, event time, length of key and value, both. Positions never go down within a frame.</remarks>
internal sealed class FrameWriter : IBufferWriter<byte>
{
    public const byte Version = 1;
    public const int HeaderLength = 1 + sizeof(ushort) + sizeof(ushort);
    public const int RecordHeaderLength = sizeof(long) + sizeof(long) + sizeof(ushort) + sizeof(int);

    private readonly TaskId _from;
    private byte[] _bytes = new byte[512];
    private int _recordAt;
    private int _valueAt;

    public FrameWriter(TaskId from)
    {
        _from = from;
        Clear();
    }

    public int Length { get; private set; }
    public bool IsEmpty => Length == HeaderLength;

    /// <summary>The source record that wrote last, and where it began: to take it back.</summary>
    public long TouchedBy { get; set; } = -1;
    public int TouchedAt { get; set; }

    public void Begin(long position, EventTime at, ReadOnlySpan<byte> key)
    {
        _recordAt = Length;
        var header = GetSpan(RecordHeaderLength + key.Length);
        BinaryPrimitives.WriteInt64LittleEndian(header, position);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], at.UnixMilliseconds);
        BinaryPrimitives.WriteUInt16LittleEndian(header[16..], checked((ushort)key.Length));
        key.CopyTo(header[RecordHeaderLength..]);
        Length += RecordHeaderLength + key.Length;
        _valueAt = Length;
    }

    public void End() => BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(_recordAt + 18), Length - _valueAt);

    public void TruncateTo(int length) => Length = length;

    public byte[] Take()
    {
        var frame = _bytes.AsSpan(0, Length).ToArray();
        Clear();
        return frame;
    }

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(sizeHint);
        return _bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Grow(sizeHint);
        return _bytes.AsSpan(Length);
    }

    private void Clear()
    {
        _bytes[0] = Version;
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(1), checked((ushort)_from.SubTopology));
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(3), checked((ushort)_from.Partition));
        (Length, TouchedBy) = (HeaderLength, -1);
    }

    private void Grow(int sizeHint)
    {
        var needed = Length + Math.Max(sizeHint, 64);
        if (needed > _bytes.Length) Array.Resize(ref _bytes, Math.Max(needed, _bytes.Length * 2));
    }
}

/// <summary>Reads a frame, record by record.</summary>
internal ref struct FrameReader
{
    private ReadOnlySpan<byte> _rest;

    /// <exception cref="InvalidDataException">The bytes are no frame.</exception>
    public FrameReader(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < FrameWriter.HeaderLength || frame[0] != FrameWriter.Version) throw new InvalidDataException("The record is no frame of this version.");
        Upstream = (uint)(BinaryPrimitives.ReadUInt16LittleEndian(frame[1..]) << 16) | BinaryPrimitives.ReadUInt16LittleEndian(frame[3..]);
        _rest = frame[FrameWriter.HeaderLength..];
    }

    /// <summary>The task that made it: number and partition.</summary>
    public uint Upstream { get; }

    public long Position { get; private set; }
    public EventTime At { get; private set; }
    public ReadOnlySpan<byte> Key { get; private set; }
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <exception cref="InvalidDataException">The frame ends within a record.</exception>
    public bool Next()
    {
        if (_rest.IsEmpty) return false;
        if (_rest.Length < FrameWriter.RecordHeaderLength) throw new InvalidDataException("The frame ends within a record.");
        Position = BinaryPrimitives.ReadInt64LittleEndian(_rest);
        At = new(BinaryPrimitives.ReadInt64LittleEndian(_rest[8..]));
        var keyLength = BinaryPrimitives.ReadUInt16LittleEndian(_rest[16..]);
        var valueLength = BinaryPrimitives.ReadInt32LittleEndian(_rest[18..]);
        _rest = _rest[FrameWriter.RecordHeaderLength..];
        if (valueLength < 0 || keyLength + (long)valueLength > _rest.Length) throw new InvalidDataException("The frame ends within a record.");
        Key = _rest[..keyLength];
        Value = _rest.Slice(keyLength, valueLength);
        _rest = _rest[(keyLength + valueLength)..];
        return true;
    }
}

/// <summary>Where a record of a task's input lies, in one number: the record's offset, and its place where it lies in a frame.</summary>
internal static class SourcePosition
{
    private const int PlaceBits = 20;

    /// <summary>What a wall-clock timer makes has no place in the input: it is never held to be a repeat.</summary>
    public const long None = -1;

    public static long Of(long offset, int place) => (offset << PlaceBits) | (uint)place;
    public static long OffsetOf(long position) => position >> PlaceBits;
}
