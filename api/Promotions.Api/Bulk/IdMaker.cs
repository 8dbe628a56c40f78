using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Promotions.Api.Bulk;

/// <summary>Ids where the caller gave none: random ones, and ones that follow from what is asked, so that asking twice is one command.</summary>
public sealed class IdMaker(RandomNumberGenerator random)
{
    /// <summary>128 random bits.</summary>
    public string Make(string prefix)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.GetBytes(bytes);
        return $"{prefix}-{Convert.ToHexStringLower(bytes)}";
    }

    /// <summary>The same parts, the same id; at most 64 characters whatever the parts' length.</summary>
    public static string Derive(string prefix, params ReadOnlySpan<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in parts)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(part.Length.ToString(CultureInfo.InvariantCulture) + ":"));
            hash.AppendData(Encoding.UTF8.GetBytes(part));
        }
        return $"{prefix}-{Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16))}";
    }
}
