using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Domain;
using Promotions.Ledger;

namespace Promotions.Api.Webhooks;

/// <summary>Where events are sent.</summary>
/// <param name="Secret"><c>whsec_...</c>; kept as it is, for it has to sign.</param>
/// <param name="OldSecret">Signs beside the new one until <paramref name="OldSecretUntil"/> (Unix milliseconds), so that a receiver can change over.</param>
/// <param name="From">Outbox position at its making: what lies after it is sent.</param>
/// <param name="SuspendedBecause">Why it was ended by itself; null where it was not.</param>
public sealed record WebhookRecord(
    string Id, string Url, IReadOnlyList<string> Events, string? Description, bool Enabled, string Secret, string? OldSecret, long? OldSecretUntil, long CreatedAt, long From, string? SuspendedBecause)
{
    public bool IsActive => Enabled && SuspendedBecause is null;
}

/// <summary>How far an endpoint is served.</summary>
/// <param name="Position">Of the last outbox row that was sent, or is not for it.</param>
/// <param name="Attempts">At the row behind it, so far in vain.</param>
/// <param name="FailingSince">Unix milliseconds.</param>
/// <param name="NextAt">Before it nothing is tried. Unix milliseconds.</param>
/// <param name="GivenUp">Events that their receiver refused for a day, each by itself.</param>
public sealed record WebhookCursor(long Position, int Attempts = 0, long? FailingSince = null, long? NextAt = null, string? LastError = null, long? DeliveredAt = null, long Delivered = 0, long GivenUp = 0);

/// <summary>Webhooks beside the ledger. Each change by a person or rule leaves an audit leaf; cursors leave none.</summary>
public sealed class WebhookBook(ISettingsStore settings, ILedgerReader ledger, RandomNumberGenerator random, TimeProvider time)
{
    private const string Scope = "webhooks";
    private const string CursorScope = "webhook-cursors";
    private static readonly TimeSpan BothSecretsFor = TimeSpan.FromHours(24);

    /// <summary>The audit log's name for what happens by itself.</summary>
    public static readonly Actor Rule = new("rule", "webhooks");

    public IReadOnlyList<WebhookRecord> List() => [.. settings.List(Scope).Select(pair => Read(pair.Value)).OrderBy(record => record.CreatedAt).ThenBy(record => record.Id, StringComparer.Ordinal)];

    public WebhookRecord? Find(string id) => settings.Find(Scope, id) is { } text ? Read(text) : null;

    /// <summary>Events committed from now on are sent.</summary>
    public async Task<WebhookRecord> CreateAsync(string id, string url, IReadOnlyList<string> events, string? description, bool enabled, Actor actor)
    {
        var record = new WebhookRecord(id, url, events, description, enabled, WebhookSignature.NewSecret(random), null, null, EventTime.Now(time).UnixMilliseconds, ledger.LastOutboxPosition, null);
        await PutAsync(record, actor);
        return record;
    }

    /// <summary>What it has not got yet is sent by the new settings. Enabling it goes on where it stopped.</summary>
    public Task<WebhookRecord> ChangeAsync(WebhookRecord record, string url, IReadOnlyList<string> events, string? description, bool enabled, Actor actor) =>
        PutAsync(record with { Url = url, Events = events, Description = description, Enabled = enabled, SuspendedBecause = enabled ? null : record.SuspendedBecause }, actor);

    /// <summary>Both secrets sign for a day.</summary>
    public Task<WebhookRecord> RotateAsync(WebhookRecord record, Actor actor) => PutAsync(
        record with { Secret = WebhookSignature.NewSecret(random), OldSecret = record.Secret, OldSecretUntil = EventTime.Now(time).Plus(BothSecretsFor).UnixMilliseconds }, actor);

    public Task SuspendAsync(WebhookRecord record, string because) => PutAsync(record with { SuspendedBecause = because }, Rule);

    public async Task DeleteAsync(string id, Actor actor)
    {
        await settings.PutAsync(Scope, id, null, actor, CancellationToken.None);
        await settings.PutAsync(CursorScope, id, null, Actor.System, CancellationToken.None);
    }

    public WebhookCursor CursorOf(WebhookRecord record) => settings.Find(CursorScope, record.Id) is { } text ? Parse(text, WebhookJson.Default.WebhookCursor) : new(record.From);

    /// <param name="notes">Where several processes share the settings, those of the one that holds the lease.</param>
    public static Task PutCursorAsync(ISettingsStore notes, string id, WebhookCursor cursor) =>
        notes.PutAsync(CursorScope, id, JsonSerializer.Serialize(cursor, WebhookJson.Default.WebhookCursor), Actor.System, CancellationToken.None);

    private async Task<WebhookRecord> PutAsync(WebhookRecord record, Actor actor)
    {
        await settings.PutAsync(Scope, record.Id, JsonSerializer.Serialize(record, WebhookJson.Default.WebhookRecord), actor, CancellationToken.None);
        return record;
    }

    private static WebhookRecord Read(string text) => Parse(text, WebhookJson.Default.WebhookRecord);

    private static T Parse<T>(string text, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(text, type) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"A setting of webhooks is of another version: {e.Message}", e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(WebhookRecord))]
[JsonSerializable(typeof(WebhookCursor))]
internal sealed partial class WebhookJson : JsonSerializerContext;
