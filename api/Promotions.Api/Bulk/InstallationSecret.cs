using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Promotions.Ledger;

namespace Promotions.Api.Bulk;

/// <summary>A random number made once per installation. What is derived from it looks random to outsiders and is the same on a retry.</summary>
public sealed class InstallationSecret(ISettingsStore settings, RandomNumberGenerator random) : IDisposable
{
    private const string Scope = "secrets";
    private const string Name = "installation";
    private const string CodeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";   // Crockford: nothing that is misread

    /// <summary>13 letters of 5 bits: 65 bits, beyond guessing even at a billion tries a second against a million codes.</summary>
    public const int CodeLength = 13;

    private readonly SemaphoreSlim _making = new(1, 1);
    private byte[]? _secret;

    /// <summary>Loads the secret, making it on the first start. Call once before use.</summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        if (_secret is not null) return;
        await _making.WaitAsync(cancellationToken);
        try
        {
            if (settings.Find(Scope, Name) is not { } stored)
            {
                var bytes = new byte[32];
                random.GetBytes(bytes);
                stored = Convert.ToHexStringLower(bytes);
                await settings.PutAsync(Scope, Name, stored, Actor.System, cancellationToken);
            }
            _secret = Convert.FromHexString(stored);
        }
        finally
        {
            _making.Release();
        }
    }

    /// <summary>The code number <paramref name="index"/> of an operation: the same on every retry, so that a crash half-way leaves no strays.</summary>
    public string Code(string operationId, int index)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Derive("code", operationId, index, hash);
        Span<char> code = stackalloc char[CodeLength];
        for (var i = 0; i < CodeLength; i++) code[i] = CodeAlphabet[hash[i] & 31];
        return new string(code);
    }

    /// <summary>The salt that keys a campaign's arms: 32 hex digits.</summary>
    public string Salt(string campaignId)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Derive("salt", campaignId, 0, hash);
        return Convert.ToHexStringLower(hash[..16]);
    }

    private void Derive(string purpose, string name, int index, Span<byte> hash)
    {
        var secret = _secret ?? throw new InvalidOperationException("EnsureAsync comes first.");
        Span<byte> message = stackalloc byte[256];
        var length = Encoding.UTF8.GetBytes(purpose, message);
        message[length++] = 0;
        length += Encoding.UTF8.GetBytes(name, message[length..]);
        message[length++] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(message[length..], index);
        HMACSHA256.HashData(secret, message[..(length + sizeof(int))], hash);
    }

    public void Dispose() => _making.Dispose();
}
