using Promotions.Ledger.Audit;

namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>The tree's hashes as the tables hold them: leaves in <c>entry</c>, every 8th level in <c>tree</c>.</summary>
internal sealed class MerkleTables(Db db) : IMerkleStore
{
    public IReadOnlyList<byte[]> Read(int level, long first, int count)
    {
        var hashes = new List<byte[]>(count);
        var rows = level == 0
            ? db.Prepare("SELECT leaf FROM entry WHERE position > ? AND position <= ? ORDER BY position").Bind(1, first).Bind(2, first + count)
            : db.Prepare("SELECT hash FROM tree WHERE level = ?3 AND idx >= ?1 AND idx < ?2 ORDER BY idx").Bind(1, first).Bind(2, first + count).Bind(3, level);
        using (rows.Scope())
            while (rows.Step()) hashes.Add(rows.Blob(0));
        return hashes.Count == count ? hashes : throw new LedgerFaultException($"The audit tree lacks hashes at level {level} from {first}: {hashes.Count} of {count}. Run the verifier.");
    }

    /// <summary>The perfect subtrees of a tree of this size, widest first.</summary>
    public IEnumerable<byte[]> Edge(long size)
    {
        var prover = new MerkleProver(this);
        long first = 0;
        for (var level = 62; level >= 0; level--)
        {
            if ((size >> level & 1) == 0) continue;
            yield return prover.Subtree(level, first >> level);
            first += 1L << level;
        }
    }
}
