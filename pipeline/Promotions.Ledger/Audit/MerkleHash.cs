using System.Security.Cryptography;

namespace Promotions.Ledger.Audit;

/// <summary>RFC 6962's hashes: SHA-256 with a byte that keeps leaves and nodes apart.</summary>
public static class MerkleHash
{
    public const int Size = 32;

    /// <summary>Stands before a leaf's data.</summary>
    public const byte LeafPrefix = 0;

    /// <summary>The root of the tree without leaves: SHA-256 of nothing.</summary>
    public static byte[] EmptyRoot() => SHA256.HashData([]);

    /// <summary>SHA-256(0x00 ‖ data).</summary>
    public static byte[] Leaf(ReadOnlySpan<byte> data)
    {
        if (data.Length < 4096)
        {
            Span<byte> prefixed = stackalloc byte[data.Length + 1];
            prefixed[0] = LeafPrefix;
            data.CopyTo(prefixed[1..]);
            return SHA256.HashData(prefixed);
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([LeafPrefix]);
        hash.AppendData(data);
        return hash.GetHashAndReset();
    }

    /// <summary>SHA-256(0x01 ‖ left ‖ right).</summary>
    public static byte[] Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        Span<byte> both = stackalloc byte[1 + (2 * Size)];
        if (left.Length + right.Length > 2 * Size) both = new byte[1 + left.Length + right.Length];
        both[0] = 1;
        left.CopyTo(both[1..]);
        right.CopyTo(both[(1 + left.Length)..]);
        return SHA256.HashData(both[..(1 + left.Length + right.Length)]);
    }
}
