using System.Text;
using NSec.Cryptography;
using Promotions.Ledger.Audit;

namespace Promotions.Ledger.Tests;

public sealed class SignedCheckpointTests
{
    private static Key AKey() => Key.Import(SignatureAlgorithm.Ed25519, Enumerable.Range(0, 32).Select(i => (byte)i).ToArray(), KeyBlobFormat.RawPrivateKey);

    [Fact]
    public void A_checkpoint_is_origin_size_root_blank_line_and_signature()
    {
        using var key = AKey();
        var signed = SignedCheckpoint.Sign("shop.example/ledger", 7, MerkleHash.EmptyRoot(), key);
        var lines = signed.Note.Split('\n');
        Assert.Equal(["shop.example/ledger", "7", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", ""], lines[..4]);
        Assert.StartsWith("— shop.example/ledger ", lines[4], StringComparison.Ordinal);
        Assert.Equal((6, ""), (lines.Length, lines[5]));
        Assert.Equal(68, Convert.FromBase64String(lines[4].Split(' ')[2]).Length);
        Assert.Equal((7, "shop.example/ledger"), SignedCheckpoint.Verify(signed.Note, "shop.example/ledger", key.PublicKey) is { } read ? (read.Size, read.Origin) : default);
    }

    [Fact]
    public void A_note_that_was_changed_anywhere_does_not_verify()
    {
        using var key = AKey();
        var note = SignedCheckpoint.Sign("shop.example/ledger", 7, MerkleHash.EmptyRoot(), key).Note;
        Assert.Null(SignedCheckpoint.Verify(note, "other.example/ledger", key.PublicKey));
        Assert.Null(SignedCheckpoint.Verify(note.Replace("\n7\n", "\n8\n", StringComparison.Ordinal), "shop.example/ledger", key.PublicKey));
        Assert.Null(SignedCheckpoint.Verify(note.Replace("\n7\n", "\n07\n", StringComparison.Ordinal), "shop.example/ledger", key.PublicKey));
        Assert.Null(SignedCheckpoint.Verify("", "shop.example/ledger", key.PublicKey));
        using var other = Key.Create(SignatureAlgorithm.Ed25519);
        Assert.Null(SignedCheckpoint.Verify(note, "shop.example/ledger", other.PublicKey));
    }

    [Fact]
    public void The_verifier_key_names_origin_hash_and_type()
    {
        using var key = AKey();
        var parts = SignedCheckpoint.VerifierKey("shop.example/ledger", key.PublicKey).Split('+', 3);
        Assert.Equal(("shop.example/ledger", 8), (parts[0], parts[1].Length));
        Assert.Equal(1, Convert.FromBase64String(parts[2])[0]);
        Assert.Equal(33, Convert.FromBase64String(parts[2]).Length);
    }

    [Fact]
    public void An_origin_with_a_space_is_refused()
    {
        using var key = AKey();
        Assert.Throws<ArgumentException>(() => SignedCheckpoint.Sign("a b", 0, MerkleHash.EmptyRoot(), key));
        Assert.NotEmpty(Encoding.UTF8.GetBytes(SignedCheckpoint.Sign("a", 0, MerkleHash.EmptyRoot(), key).Note));
    }
}
