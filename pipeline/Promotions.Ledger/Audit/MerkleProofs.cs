using System.Numerics;

namespace Promotions.Ledger.Audit;

/// <summary>Where a tree's hashes are kept: leaves at level 0, roots of perfect subtrees at levels 8, 16, ...</summary>
public interface IMerkleStore
{
    /// <summary><paramref name="count"/> hashes from <paramref name="first"/> on.</summary>
    IReadOnlyList<byte[]> Read(int level, long first, int count);
}

/// <summary>Makes RFC 6962 proofs from stored hashes.</summary>
public sealed class MerkleProver(IMerkleStore store)
{
    /// <summary>Siblings from the leaf upwards.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The leaf is not in a tree of that size.</exception>
    public IReadOnlyList<byte[]> Inclusion(long index, long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var proof = new List<byte[]>();
        Path(index, 0, size, proof);
        return proof;
    }

    /// <summary>That the tree of <paramref name="size1"/> leaves is the beginning of the tree of <paramref name="size2"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The sizes are not in order.</exception>
    public IReadOnlyList<byte[]> Consistency(long size1, long size2)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size1, size2);
        var proof = new List<byte[]>();
        if (size1 > 0 && size1 < size2) Subproof(size1, 0, size2, true, proof);
        return proof;
    }

    public byte[] Root(long size) => size == 0 ? MerkleHash.EmptyRoot() : Range(0, size);

    private void Path(long index, long first, long count, List<byte[]> proof)
    {
        if (count == 1) return;
        var left = LargestPowerBelow(count);
        if (index < left)
        {
            Path(index, first, left, proof);
            proof.Add(Range(first + left, count - left));
        }
        else
        {
            Path(index - left, first + left, count - left, proof);
            proof.Add(Range(first, left));
        }
    }

    private void Subproof(long size, long first, long count, bool whole, List<byte[]> proof)
    {
        if (size == count)
        {
            if (!whole) proof.Add(Range(first, count));
            return;
        }

        var left = LargestPowerBelow(count);
        if (size <= left)
        {
            Subproof(size, first, left, whole, proof);
            proof.Add(Range(first + left, count - left));
        }
        else
        {
            Subproof(size - left, first + left, count - left, false, proof);
            proof.Add(Range(first, left));
        }
    }

    private byte[] Range(long first, long count)
    {
        if (!BitOperations.IsPow2(count))
        {
            var left = LargestPowerBelow(count);
            return MerkleHash.Node(Range(first, left), Range(first + left, count - left));
        }

        var level = BitOperations.Log2((ulong)count);
        return Subtree(level, first >> level);
    }

    /// <summary>Root of the perfect subtree of 2^level leaves at this index.</summary>
    public byte[] Subtree(int level, long index)
    {
        var stored = level - (level % MerkleTree.StoredLevels);
        var hashes = store.Read(stored, index << (level - stored), 1 << (level - stored)).ToArray();
        for (var width = hashes.Length; width > 1; width /= 2)
            for (var i = 0; i < width / 2; i++) hashes[i] = MerkleHash.Node(hashes[2 * i], hashes[(2 * i) + 1]);
        return hashes[0];
    }

    private static long LargestPowerBelow(long count) => 1L << (63 - BitOperations.LeadingZeroCount((ulong)(count - 1)));
}

/// <summary>Checks RFC 6962 proofs. Size and root must come together from one signed checkpoint; a leaf's hash from its data.</summary>
public static class MerkleVerifier
{
    public static bool VerifyInclusion(ulong index, ulong size, ReadOnlySpan<byte> leafHash, IReadOnlyList<byte[]> proof, ReadOnlySpan<byte> root)
    {
        if (index >= size || leafHash.Length != MerkleHash.Size) return false;
        var node = index;
        var last = size - 1;
        var hash = leafHash.ToArray();
        foreach (var sibling in proof)
        {
            if (last == 0) return false;
            if ((node & 1) == 1 || node == last)
            {
                hash = MerkleHash.Node(sibling, hash);
                while ((node & 1) == 0 && node != 0)
                {
                    node >>= 1;
                    last >>= 1;
                }
            }
            else
            {
                hash = MerkleHash.Node(hash, sibling);
            }

            node >>= 1;
            last >>= 1;
        }

        return last == 0 && root.SequenceEqual(hash);
    }

    public static bool VerifyConsistency(ulong size1, ulong size2, ReadOnlySpan<byte> root1, ReadOnlySpan<byte> root2, IReadOnlyList<byte[]> proof)
    {
        if (size1 > size2) return false;
        if (size1 == size2) return proof.Count == 0 && root1.SequenceEqual(root2);
        if (size1 == 0) return proof.Count == 0;
        if (proof.Count == 0) return false;

        var node = size1 - 1;
        var last = size2 - 1;
        while ((node & 1) == 1)
        {
            node >>= 1;
            last >>= 1;
        }

        var next = 0;
        var first = node == 0 ? root1.ToArray() : proof[next++];
        var second = first;
        for (; next < proof.Count; next++)
        {
            if (last == 0) return false;
            if ((node & 1) == 1 || node == last)
            {
                first = MerkleHash.Node(proof[next], first);
                second = MerkleHash.Node(proof[next], second);
                while ((node & 1) == 0 && node != 0)
                {
                    node >>= 1;
                    last >>= 1;
                }
            }
            else
            {
                second = MerkleHash.Node(second, proof[next]);
            }

            node >>= 1;
            last >>= 1;
        }

        return last == 0 && root1.SequenceEqual(first) && root2.SequenceEqual(second);
    }
}
