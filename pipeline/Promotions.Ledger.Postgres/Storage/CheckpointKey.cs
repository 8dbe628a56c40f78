using NSec.Cryptography;
using Promotions.Ledger.Audit;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>The Ed25519 key of a ledger's checkpoints, from a file that every signing process is given.</summary>
internal sealed class CheckpointKey : IDisposable
{
    private readonly Key _key;

    private CheckpointKey(Key key) => _key = key;

    public PublicKey PublicKey => _key.PublicKey;

    /// <exception cref="LedgerFaultException">The file is not there or holds no key: a process never makes one, or each would have its own.</exception>
    public static CheckpointKey Open(string path)
    {
        try
        {
            return new(Key.Import(SignatureAlgorithm.Ed25519, File.ReadAllBytes(path), KeyBlobFormat.RawPrivateKey));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new LedgerFaultException($"The key that signs checkpoints cannot be read from {path}: {fault.Message} Make one with: head -c 32 /dev/urandom > FILE; chmod 600 FILE", fault);
        }
    }

    public SignedCheckpoint Sign(string origin, MerkleTree tree) => SignedCheckpoint.Sign(origin, tree.Size, tree.Root(), _key);

    public void Dispose() => _key.Dispose();
}
