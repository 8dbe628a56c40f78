using Promotions.Api.Limits;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Ledger;

namespace Promotions.Api.Keys;

/// <summary>A key as it is kept: everything but the secret.</summary>
/// <param name="Channels">Empty: all.</param>
/// <param name="SecretHash">SHA-256, lower-case hex.</param>
/// <param name="Owner">The person who holds it; null for keys of before there were owners, each of which is a person of its own.</param>
public sealed record ApiKeyRecord(
    string Id, string Name, KeyScopes Scopes, IReadOnlyList<string> Channels, string SecretHash, int? RequestsPerSecond, EventTime CreatedAt, EventTime? RevokedAt, string? Owner = null);

/// <summary>A key in use: its record, and what one process keeps for it.</summary>
public sealed class ApiKey(ApiKeyRecord record, byte[] secretHash, TokenBucket bucket)
{
    public ApiKeyRecord Record { get; } = record;
    public string Id => Record.Id;
    public TokenBucket Bucket { get; } = bucket;
    public Actor Actor { get; } = new("api_key", record.Id);
    /// <summary>Who acts with it, where two people are needed.</summary>
    public string Person => Record.Owner ?? Id;
    internal ReadOnlySpan<byte> SecretHash => secretHash;

    public bool IsAdmin => Record.Scopes.HasFlag(KeyScopes.Admin);

    /// <summary>Has one of the scopes, or is an admin's.</summary>
    public bool Has(KeyScopes scopes) => IsAdmin || (Record.Scopes & scopes) != 0;

    public bool Allows(string channel)
    {
        var channels = Record.Channels;
        if (channels.Count == 0) return true;
        for (var i = 0; i < channels.Count; i++)
            if (channels[i] == channel) return true;
        return false;
    }

    /// <summary>A key for some channels sees only the campaigns of these.</summary>
    public bool Allows(Campaign campaign) => AllowsAll(campaign.Channels);

    /// <summary>An empty list means every channel, which only a key for every channel may name.</summary>
    public bool AllowsAll(IReadOnlyList<string> channels) => Record.Channels.Count == 0 || (channels.Count > 0 && channels.All(Allows));
}
