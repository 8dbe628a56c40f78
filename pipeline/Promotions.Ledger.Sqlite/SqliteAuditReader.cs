using NSec.Cryptography;
using Promotions.Ledger.Audit;
using Promotions.Ledger.Sqlite.Storage;

namespace Promotions.Ledger.Sqlite;

/// <summary>In one file an entry's position is its place.</summary>
internal sealed class SqliteAuditReader : IAuditReader
{
    private readonly ReaderPool _readers;
    private readonly CheckpointSigner _signer;

    public SqliteAuditReader(ReaderPool readers, CheckpointSigner signer) => (_readers, _signer) = (readers, signer);

    public PublicKey? PublicKey => _signer.PublicKey;
    public string Origin => _signer.Origin;

    public long Size => _readers.Read(db => db.Scalar("SELECT max(position) FROM entry"));

    public long? PlaceOf(long position) => position >= 1 && position <= Size ? position : null;

    public string? LatestCheckpoint() => _readers.Read(db => db.ScalarText("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1"));

    public byte[] LeafHash(long place) => _readers.Read(db => new MerkleTables(db).Read(0, place - 1, 1)[0]);

    public IReadOnlyList<byte[]> ProveInclusion(long place, long size) => _readers.ReadMoment(db => new MerkleProver(new MerkleTables(db)).Inclusion(place - 1, size));

    public IReadOnlyList<byte[]> ProveConsistency(long size1, long size2) => _readers.ReadMoment(db => new MerkleProver(new MerkleTables(db)).Consistency(size1, size2));

    public byte[] Root(long size) => _readers.ReadMoment(db => new MerkleProver(new MerkleTables(db)).Root(size));
}
