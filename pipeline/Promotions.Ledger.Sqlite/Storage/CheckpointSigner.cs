using NSec.Cryptography;
using Promotions.Domain;
using Promotions.Ledger.Audit;

namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>Signs the tree's root now and then, with a key kept in a file of its own.</summary>
internal sealed class CheckpointSigner : IDisposable
{
    private readonly Key _key;
    private readonly string _origin;
    private readonly long _everyMs;
    private EventTime? _last;
    private long _lastSize;

    private CheckpointSigner(Key key, string origin, TimeSpan every) => (_key, _origin, _everyMs) = (key, origin, (long)every.TotalMilliseconds);

    public PublicKey PublicKey => _key.PublicKey;
    public string Origin => _origin;

    public static CheckpointSigner Open(string path, string origin, TimeSpan every)
    {
        if (File.Exists(path)) return new(Key.Import(SignatureAlgorithm.Ed25519, File.ReadAllBytes(path), KeyBlobFormat.RawPrivateKey), origin, every);
        var key = Key.Create(SignatureAlgorithm.Ed25519, new() { ExportPolicy = KeyExportPolicies.AllowPlaintextExport });
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, options);
        file.Write(key.Export(KeyBlobFormat.RawPrivateKey));
        file.Flush(flushToDisk: true);
        return new(key, origin, every);
    }

    /// <summary>The first commit after the interval signs; a clock set back signs at once.</summary>
    public bool IsDue(EventTime now, long size) =>
        size != _lastSize && (_last is not { } last || now < last || now.UnixMilliseconds - last.UnixMilliseconds >= _everyMs);

    public SignedCheckpoint Sign(EventTime now, MerkleTree tree)
    {
        (_last, _lastSize) = (now, tree.Size);
        return SignedCheckpoint.Sign(_origin, tree.Size, tree.Root(), _key);
    }

    public void Dispose() => _key.Dispose();
}
