using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Promotions.Api.Webhooks;

/// <summary>Signatures by the Standard Webhooks specification (v1): HMAC-SHA256 over <c>id.timestamp.body</c>, in base64 behind <c>v1,</c>.</summary>
public static class WebhookSignature
{
    public const string SecretPrefix = "whsec_";

    /// <summary>The specification asks for 24 to 64 bytes.</summary>
    public const int SecretBytes = 32;

    /// <param name="secret"><c>whsec_</c> and base64, whose padding may be left out.</param>
    /// <param name="timestamp">Unix seconds: when it is sent, so that an old one can be refused.</param>
    /// <returns>One entry of the <c>webhook-signature</c> header.</returns>
    /// <exception cref="FormatException">The secret is none.</exception>
    public static string Sign(string secret, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."));
        var signed = new byte[head.Length + body.Length];
        head.CopyTo(signed, 0);
        body.CopyTo(signed.AsSpan(head.Length));
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(KeyOf(secret), signed));
    }

    public static string NewSecret(RandomNumberGenerator random)
    {
        var bytes = new byte[SecretBytes];
        random.GetBytes(bytes);
        return SecretPrefix + Convert.ToBase64String(bytes);
    }

    private static byte[] KeyOf(string secret)
    {
        var text = secret.StartsWith(SecretPrefix, StringComparison.Ordinal) ? secret[SecretPrefix.Length..] : secret;
        return Convert.FromBase64String(text.TrimEnd('=').PadRight((text.TrimEnd('=').Length + 3) / 4 * 4, '='));
    }
}
