using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Promotions.Features;

/// <summary>What fraud features are kept by. Stored numbers stay; bit k of a late mask stands for kind k.</summary>
public enum EntityKind : byte { None = 0, Customer = 1, Device = 2, Ip = 3, Network = 4, Coupon = 5, PaymentToken = 6, Address = 7 }

/// <summary>Names one entity: its kind and the XxHash128 of its text.</summary>
/// <remarks>128 bits, so that two names never meet by accident. The text itself is not kept in feature state.</remarks>
public readonly record struct EntityKey(EntityKind Kind, UInt128 Hash)
{
    /// <summary>Bytes of the written form.</summary>
    public const int Length = 17;

    public static EntityKey Of(EntityKind kind, string text) => kind is EntityKind.None
        ? throw new ArgumentOutOfRangeException(nameof(kind), "Name the kind.")
        : new(kind, HashOf(text));

    /// <summary>The hash of a name. Over UTF-16 little endian: no copy, and the same on every machine that we run on.</summary>
    public static UInt128 HashOf(string text) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(text.AsSpan()));

    /// <summary>64 bits that stand for a name inside another entity's set of distinct others. Never 0, which means absent.</summary>
    public static ulong OtherOf(string? text) => text is null ? 0 : LowOf(HashOf(text));

    /// <summary>What <see cref="OtherOf(string?)"/> gives for the name of this key, without hashing it again.</summary>
    public ulong Other => LowOf(Hash);

    /// <summary>Kind, then the hash big-endian, so that keys of a kind lie together.</summary>
    /// <param name="destination">At least <see cref="Length"/> bytes.</param>
    public void WriteTo(Span<byte> destination)
    {
        destination[0] = (byte)Kind;
        BinaryPrimitives.WriteUInt128BigEndian(destination[1..], Hash);
    }

    public static EntityKey ReadFrom(ReadOnlySpan<byte> source) => new((EntityKind)source[0], BinaryPrimitives.ReadUInt128BigEndian(source[1..]));

    private static ulong LowOf(UInt128 hash)
    {
        var low = (ulong)(hash & ulong.MaxValue);
        return low == 0 ? 1 : low;
    }

    public override int GetHashCode() => unchecked((int)(ulong)(Hash & ulong.MaxValue) * 31 + (int)Kind);
}
