using System.Buffers.Binary;
using System.Text;
using Promotions.Domain;

namespace Promotions.Streams.Kafka.Tasks;

/// <summary>Where a task stands: which input it has taken, what it has seen of each upstream task, its stream time. One value, committed with the state that it is true of.</summary>
/// <param name="Next">The offset of the input that is to be read next.</param>
/// <param name="Writer">The transactional id of who wrote it.</param>
/// <param name="Applied">The highest position taken from each upstream task.</param>
internal sealed record Standing(long Next, EventTime StreamTime, ulong LayoutHash, string Writer, IReadOnlyDictionary<uint, long> Applied)
{
    private const byte Version = 1;

    /// <summary>Its key in the changelog: before every store's.</summary>
    public static readonly byte[] Key = [0];

    public byte[] ToBytes()
    {
        var writer = Encoding.UTF8.GetBytes(Writer);
        var bytes = new byte[1 + 8 + 8 + 8 + 2 + writer.Length + 4 + (Applied.Count * 12)];
        var rest = bytes.AsSpan();
        rest[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(rest[1..], Next);
        BinaryPrimitives.WriteInt64LittleEndian(rest[9..], StreamTime.UnixMilliseconds);
        BinaryPrimitives.WriteUInt64LittleEndian(rest[17..], LayoutHash);
        BinaryPrimitives.WriteUInt16LittleEndian(rest[25..], checked((ushort)writer.Length));
        writer.CopyTo(rest[27..]);
        rest = rest[(27 + writer.Length)..];
        BinaryPrimitives.WriteInt32LittleEndian(rest, Applied.Count);
        rest = rest[4..];
        foreach (var (upstream, position) in Applied)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(rest, upstream);
            BinaryPrimitives.WriteInt64LittleEndian(rest[4..], position);
            rest = rest[12..];
        }

        return bytes;
    }

    /// <exception cref="InvalidDataException">Another version wrote it.</exception>
    public static Standing FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 31 || bytes[0] != Version) throw new InvalidDataException($"A standing of version {(bytes.IsEmpty ? 0 : bytes[0])} is not known here; this build writes {Version}.");
        var writerLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes[25..]);
        var writer = Encoding.UTF8.GetString(bytes.Slice(27, writerLength));
        var rest = bytes[(27 + writerLength)..];
        var applied = new Dictionary<uint, long>();
        var count = BinaryPrimitives.ReadInt32LittleEndian(rest);
        rest = rest[4..];
        for (var i = 0; i < count; i++, rest = rest[12..]) applied.Add(BinaryPrimitives.ReadUInt32LittleEndian(rest), BinaryPrimitives.ReadInt64LittleEndian(rest[4..]));
        return new(BinaryPrimitives.ReadInt64LittleEndian(bytes[1..]), new(BinaryPrimitives.ReadInt64LittleEndian(bytes[9..])), BinaryPrimitives.ReadUInt64LittleEndian(bytes[17..]), writer, applied);
    }
}

/// <summary>What the local copy says of itself: how far it has followed the changelog, and the standing that it has read there.</summary>
/// <param name="ChangelogNext">The changelog's offset that is to be read next.</param>
/// <param name="At">When it was written: a copy that is older than tombstones live could keep what was deleted.</param>
internal sealed record LocalStanding(long ChangelogNext, EventTime At, Standing? Standing)
{
    private const byte Version = 1;
    private const int HeaderLength = 17;

    public byte[] ToBytes()
    {
        var standing = Standing?.ToBytes() ?? [];
        var bytes = new byte[HeaderLength + standing.Length];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(1), ChangelogNext);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(9), At.UnixMilliseconds);
        standing.CopyTo(bytes, HeaderLength);
        return bytes;
    }

    /// <returns>Null where another version wrote it: the copy is made anew.</returns>
    public static LocalStanding? FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderLength || bytes[0] != Version) return null;
        return new(BinaryPrimitives.ReadInt64LittleEndian(bytes[1..]), new(BinaryPrimitives.ReadInt64LittleEndian(bytes[9..])), bytes.Length == HeaderLength ? null : Standing.FromBytes(bytes[HeaderLength..]));
    }
}
