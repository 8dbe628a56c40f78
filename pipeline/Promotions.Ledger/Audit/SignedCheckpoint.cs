using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NSec.Cryptography;

namespace Promotions.Ledger.Audit;

/// <summary>A tree's size and root as text that a stranger can check: C2SP tlog-checkpoint inside a C2SP signed note, Ed25519.</summary>
/// <param name="Origin">Names the log: one line, no plus sign or space.</param>
public sealed record SignedCheckpoint(string Origin, long Size, byte[] Root, string Note)
{
    private const byte Ed25519Type = 1;

    public static SignedCheckpoint Sign(string origin, long size, byte[] root, Key key)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(origin);
        if (origin.Any(c => char.IsWhiteSpace(c) || c == '+')) throw new ArgumentException("An origin has no white space and no plus sign.", nameof(origin));
        var text = string.Create(CultureInfo.InvariantCulture, $"{origin}\n{size}\n{Convert.ToBase64String(root)}\n");
        var publicKey = key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        var signature = SignatureAlgorithm.Ed25519.Sign(key, Encoding.UTF8.GetBytes(text));
        var blob = new byte[4 + signature.Length];
        BinaryPrimitives.WriteUInt32BigEndian(blob, KeyHash(origin, publicKey));
        signature.CopyTo(blob, 4);
        return new(origin, size, root, $"{text}\n— {origin} {Convert.ToBase64String(blob)}\n");
    }

    /// <summary>Reads a note and checks its signature by this key; null when it is no valid checkpoint of this origin.</summary>
    public static SignedCheckpoint? Verify(string note, string origin, PublicKey key)
    {
        var end = note.IndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0) return null;
        var text = note[..(end + 1)];
        var lines = text.Split('\n');
        if (lines.Length < 4 || lines[0] != origin || !TryBase64(lines[2], out var root) || root.Length != MerkleHash.Size) return null;
        if (!long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size) || lines[1] != size.ToString(CultureInfo.InvariantCulture)) return null;
        var hash = KeyHash(origin, key.Export(KeyBlobFormat.RawPublicKey));
        foreach (var line in note[(end + 2)..].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(' ');
            if (parts.Length != 3 || parts[0] != "—" || parts[1] != origin || !TryBase64(parts[2], out var blob) || blob.Length != 68) continue;
            if (BinaryPrimitives.ReadUInt32BigEndian(blob) != hash) continue;
            if (SignatureAlgorithm.Ed25519.Verify(key, Encoding.UTF8.GetBytes(text), blob.AsSpan(4))) return new(origin, size, root, note);
        }

        return null;
    }

    /// <summary>The key as a note's verifier wants it: <c>origin+hash+base64(type ‖ key)</c>.</summary>
    public static string VerifierKey(string origin, PublicKey key)
    {
        var raw = key.Export(KeyBlobFormat.RawPublicKey);
        byte[] typed = [Ed25519Type, .. raw];
        return string.Create(CultureInfo.InvariantCulture, $"{origin}+{KeyHash(origin, raw):x8}+{Convert.ToBase64String(typed)}");
    }

    private static uint KeyHash(string origin, byte[] publicKey)
    {
        byte[] data = [.. Encoding.UTF8.GetBytes(origin), (byte)'\n', Ed25519Type, .. publicKey];
        return BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(data));
    }

    private static bool TryBase64(string text, out byte[] bytes)
    {
        bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, bytes, out var length)) return false;
        bytes = bytes[..length];
        return true;
    }
}
