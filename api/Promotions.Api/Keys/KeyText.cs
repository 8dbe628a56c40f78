using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;

namespace Promotions.Api.Keys;

/// <summary>The text of a key: <c>pk_ID_SECRETCHECKSUM</c>.</summary>
/// <remarks>The id (50 bits) finds the record, the secret (130 bits) proves the right to it, and the checksum (CRC-32 of all before it) lets a scanner of leaked
/// secrets and a mistyped key be told apart from a guess without a look-up.</remarks>
public static class KeyText
{
    public const string Mark = "pk_";
    public const int IdLength = 10;
    public const int SecretLength = 26;
    public const int ChecksumLength = 7;
    public const int Length = 3 + IdLength + 1 + SecretLength + ChecksumLength;

    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    /// <summary>A new key's id and whole text.</summary>
    public static (string Id, string Text) Make(RandomNumberGenerator random)
    {
        Span<byte> bytes = stackalloc byte[IdLength + SecretLength];
        random.GetBytes(bytes);
        Span<char> chars = stackalloc char[IdLength + SecretLength];
        for (var i = 0; i < bytes.Length; i++) chars[i] = Alphabet[bytes[i] & 31];
        var id = new string(chars[..IdLength]);
        var head = $"{Mark}{id}_{new string(chars[IdLength..])}";
        return (id, head + Checksum(head));
    }

    /// <summary>False for anything that this program never made.</summary>
    public static bool TrySplit(ReadOnlySpan<char> text, out ReadOnlySpan<char> id, out ReadOnlySpan<char> secret)
    {
        id = secret = default;
        if (text.Length != Length || !text.StartsWith(Mark, StringComparison.Ordinal) || text[3 + IdLength] != '_') return false;
        foreach (var c in text)
            if (!char.IsAscii(c)) return false;
        Span<char> checksum = stackalloc char[ChecksumLength];
        WriteChecksum(text[..^ChecksumLength], checksum);
        if (!text[^ChecksumLength..].SequenceEqual(checksum)) return false;
        id = text.Slice(3, IdLength);
        secret = text.Slice(3 + IdLength + 1, SecretLength);
        return true;
    }

    /// <summary>SHA-256 of the secret: with 130 random bits nothing slower is needed.</summary>
    public static void Hash(ReadOnlySpan<char> secret, Span<byte> hash)
    {
        Span<byte> bytes = stackalloc byte[SecretLength];
        SHA256.HashData(bytes[..Encoding.ASCII.GetBytes(secret, bytes)], hash);
    }

    private static string Checksum(string head) => string.Create(ChecksumLength, head, static (span, text) => WriteChecksum(text, span));

    private static void WriteChecksum(ReadOnlySpan<char> head, Span<char> checksum)
    {
        Span<byte> bytes = stackalloc byte[Length];
        var crc = Crc32.HashToUInt32(bytes[..Encoding.ASCII.GetBytes(head, bytes)]);
        for (var i = 0; i < checksum.Length; i++, crc >>= 5) checksum[i] = Alphabet[(int)(crc & 31)];
    }
}
