using NSec.Cryptography;

namespace Promotions.Ledger.Audit;

/// <summary>The audit tree for outsiders: signed checkpoints and RFC 6962 proofs. Bounded reads, safe from any thread.</summary>
public interface IAuditReader
{
    /// <summary>What checkpoints are checked with; null where this process has no key.</summary>
    PublicKey? PublicKey { get; }

    /// <summary>Names the ledger in its checkpoints.</summary>
    string Origin { get; }

    /// <summary>Leaves so far.</summary>
    long Size { get; }

    /// <summary>Place in the tree, from 1, of the entry that an answer's position names; null while it has none.</summary>
    long? PlaceOf(long position);

    /// <summary>The latest signed checkpoint as a note, or null before the first.</summary>
    string? LatestCheckpoint();

    /// <exception cref="LedgerFaultException">There is no such leaf.</exception>
    byte[] LeafHash(long place);

    /// <summary>That the leaf at <paramref name="place"/> is in the tree of <paramref name="size"/> leaves. Its index is place − 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The leaf is not in a tree of that size.</exception>
    IReadOnlyList<byte[]> ProveInclusion(long place, long size);

    /// <exception cref="ArgumentOutOfRangeException">The sizes are not in order.</exception>
    IReadOnlyList<byte[]> ProveConsistency(long size1, long size2);

    byte[] Root(long size);
}
