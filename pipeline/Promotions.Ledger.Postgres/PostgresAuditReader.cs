using NSec.Cryptography;
using Npgsql;
using Promotions.Ledger.Audit;
using Promotions.Ledger.Postgres.Storage;

namespace Promotions.Ledger.Postgres;

/// <summary>The tree as the sequencer left it. Its rows are only ever added, so a proof of several statements needs no one moment.</summary>
internal sealed class PostgresAuditReader(NpgsqlDataSource source, Sequencer sequencer, CheckpointKey? key, string origin) : IAuditReader
{
    private readonly MerkleProver _prover = new(new Hashes(source));

    public PublicKey? PublicKey => key?.PublicKey;
    public string Origin => origin;

    public long Size
    {
        get
        {
            sequencer.CatchUp();
            return Query.First(source, "SELECT size FROM head", row => row.GetInt64(0));
        }
    }

    public long? PlaceOf(long position)
    {
        sequencer.CatchUp();
        return Query.First(source, "SELECT position FROM leaf WHERE entry = $1", row => (long?)row.GetInt64(0), position);
    }

    public string? LatestCheckpoint() => Query.First(source, "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1", row => row.GetString(0));
    public byte[] LeafHash(long place) => new Hashes(source).Read(0, place - 1, 1)[0];
    public IReadOnlyList<byte[]> ProveInclusion(long place, long size) => _prover.Inclusion(place - 1, size);
    public IReadOnlyList<byte[]> ProveConsistency(long size1, long size2) => _prover.Consistency(size1, size2);
    public byte[] Root(long size) => _prover.Root(size);

    /// <summary>Leaves in <c>entry</c>, every 8th level in <c>tree</c>.</summary>
    private sealed class Hashes(NpgsqlDataSource source) : IMerkleStore
    {
        public IReadOnlyList<byte[]> Read(int level, long first, int count)
        {
            var hashes = level == 0
                ? Query.Many(source, "SELECT e.leaf FROM leaf l JOIN entry e ON e.id = l.entry WHERE l.position > $1 AND l.position <= $2 ORDER BY l.position", row => row.GetFieldValue<byte[]>(0), first, first + count)
                : Query.Many(source, "SELECT hash FROM tree WHERE level = $3 AND idx >= $1 AND idx < $2 ORDER BY idx", row => row.GetFieldValue<byte[]>(0), first, first + count, level);
            return hashes.Count == count ? hashes : throw new LedgerFaultException($"The audit tree lacks hashes at level {level} from {first}: {hashes.Count} of {count}. Run the verifier.");
        }
    }
}
