using NSec.Cryptography;
using Promotions.Ledger.Audit;
using Promotions.Ledger.Sqlite.Storage;

namespace Promotions.Ledger.Sqlite;

/// <summary>The audit tree for outsiders: signed checkpoints and proofs.</summary>
public sealed class SqliteAuditReader
{
    private readonly ReaderPool _readers;
    private readonly CheckpointSigner _signer;

    internal SqliteAuditReader(ReaderPool readers, CheckpointSigner signer) => (_readers, _signer) = (readers, signer);

    public PublicKey PublicKey => _signer.PublicKey;
    public string Origin => _signer.Origin;

    /// <summary>Leaves so far.</summary>
    public long Size => _readers.Read(db => db.Scalar("SELECT max(position) FROM entry"));

    /// <summary>The latest signed checkpoint as a note, or null before the first.</summary>
    public string? LatestCheckpoint() => _readers.Read(db => db.ScalarText("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1"));

    public byte[] LeafHash(long position) => _readers.Read(db => new MerkleTables(db).Read(0, position - 1, 1)[0]);

    /// <summary>That the entry at <paramref name="position"/> is in the tree of <paramref name="size"/> leaves. Its leaf's index is position − 1.</summary>
    public IReadOnlyList<byte[]> ProveInclusion(long position, long size) => _readers.ReadMoment(db => new MerkleProver(new MerkleTables(db)).Inclusion(position - 1, size));

    public IReadOnlyList<byte[]> ProveConsistency(long size1, long size2) => _readers.ReadMoment(db => new MerkleProver(new MerkleTables(db)).Consistency(size1, size2));

    public byte[] Root(long size) => _readers.ReadMoment(db => new MerkleProver(new MerkleTables(db)).Root(size));
}
