using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Api.Limits;
using Promotions.Domain;
using Promotions.Ledger;

namespace Promotions.Api.Keys;

/// <summary>Makes, finds and revokes keys. Only a hash of each secret is stored; the secret is shown once.</summary>
public sealed class ApiKeys(ISettingsStore settings, RandomNumberGenerator random, TimeProvider time, ApiOptions options)
{
    public const string SettingsScope = "api-keys";

    private readonly ConcurrentDictionary<string, ApiKey> _keys = new(StringComparer.Ordinal);
    private readonly Lock _loading = new();
    private readonly byte[] _nobodysHash = RandomBytes(random, SHA256.HashSizeInBytes);
    private long _loadedAt = long.MinValue;
    private readonly Lock _starting = new();
    private Task _reading = Task.CompletedTask;

    /// <summary>The live key that this text proves, or null, as of the last reading: <see cref="FreshAsync"/> comes first. An unknown id costs the same as a wrong secret.</summary>
    public ApiKey? Find(ReadOnlySpan<char> text)
    {
        if (!KeyText.TrySplit(text, out var id, out var secret)) return null;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        KeyText.Hash(secret, hash);
        var found = _keys.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(id, out var key);
        var proven = CryptographicOperations.FixedTimeEquals(hash, found ? key!.SecretHash : _nobodysHash);
        return found && proven && key!.Record.RevokedAt is null ? key : null;
    }

    /// <summary>The key with this id, for those who proved it earlier; null once it is revoked.</summary>
    public async ValueTask<ApiKey?> FindLiveAsync(string id)
    {
        await FreshAsync();
        return _keys.TryGetValue(id, out var key) && key.Record.RevokedAt is null ? key : null;
    }

    public IReadOnlyList<ApiKeyRecord> List()
    {
        Reload();
        return [.. _keys.Values.Select(key => key.Record).OrderBy(record => record.CreatedAt).ThenBy(record => record.Id, StringComparer.Ordinal)];
    }

    /// <returns>The record, and the text that nobody can read again.</returns>
    public async Task<(ApiKeyRecord Record, string Text)> CreateAsync(
        string name, KeyScopes scopes, IReadOnlyList<string> channels, int? requestsPerSecond, Actor actor, CancellationToken cancellationToken, string? owner = null)
    {
        if (scopes is KeyScopes.None) throw new ArgumentOutOfRangeException(nameof(scopes), "A key without a scope can do nothing.");
        var (id, text) = KeyText.Make(random);
        KeyText.TrySplit(text, out _, out var secret);
        var hash = new byte[SHA256.HashSizeInBytes];
        KeyText.Hash(secret, hash);
        var record = new ApiKeyRecord(id, name, scopes, channels, Convert.ToHexStringLower(hash), requestsPerSecond, EventTime.Now(time), null, owner);
        await PutAsync(record, actor, cancellationToken);
        return (record, text);
    }

    /// <summary>From the return on no request with this key is answered by this process; by others within <see cref="ApiOptions.KeysReloadAfter"/>.</summary>
    /// <returns>Null when there is no such key.</returns>
    public async Task<ApiKeyRecord?> RevokeAsync(string id, Actor actor, CancellationToken cancellationToken)
    {
        Reload();
        if (!_keys.TryGetValue(id, out var key)) return null;
        if (key.Record.RevokedAt is not null) return key.Record;
        var revoked = key.Record with { RevokedAt = EventTime.Now(time) };
        await PutAsync(revoked, actor, cancellationToken);
        return revoked;
    }

    /// <summary>On the first start: an admin's and a checkout's key, their texts in <c>keys/admin.key</c> and <c>keys/checkout.key</c>, readable by the owner alone.</summary>
    /// <returns>The two files; they may be gone when the installation is older.</returns>
    public async Task<(string AdminFile, string CheckoutFile)> EnsureFirstKeys(string dataFolder, CancellationToken cancellationToken = default)
    {
        var folder = Path.Combine(dataFolder, "keys");
        var files = (Path.Combine(folder, "admin.key"), Path.Combine(folder, "checkout.key"));
        if (List().Count > 0) return files;

        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // The admin's key is stored last: a crash in between leaves either no key or no admin's key, and the admin's file is never stale.
        var checkout = await CreateAsync("checkout (first start)", KeyScopes.Checkout, [], null, Actor.System, cancellationToken);
        await WriteAsync(files.Item2, checkout.Text, cancellationToken);
        var admin = await CreateAsync("admin (first start)", KeyScopes.Admin, [], null, Actor.System, cancellationToken);
        await WriteAsync(files.Item1, admin.Text, cancellationToken);
        return files;
    }

    private static async Task WriteAsync(string path, string text, CancellationToken cancellationToken)
    {
        File.Delete(path);
        var open = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) open.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var file = new StreamWriter(path, open);
        await file.WriteLineAsync(text.AsMemory(), cancellationToken);
    }

    private async Task PutAsync(ApiKeyRecord record, Actor actor, CancellationToken cancellationToken)
    {
        await settings.PutAsync(SettingsScope, record.Id, JsonSerializer.Serialize(KeyDocument.From(record), KeysJson.Default.KeyDocument), actor, cancellationToken);
        Keep(record);
    }

    /// <summary>What a request waits for before its key is looked up: keys no older than <see cref="ApiOptions.KeysReloadAfter"/>. Under traffic one request in so many has them read beside it, at half of that time, and none waits.
    /// After a pause, or where the store is slow, all wait for one reading, and none holds a thread: threads that wait for the store would be those that its answers need.</summary>
    /// <exception cref="LedgerFaultException">The store does not answer, and what is known is too old to be used.</exception>
    public Task FreshAsync()
    {
        var age = Age();
        if (age < options.KeysReloadAfter / 2) return Task.CompletedTask;
        var reading = Read();
        return age < options.KeysReloadAfter ? Task.CompletedTask : reading;
    }

    private TimeSpan Age() => Volatile.Read(ref _loadedAt) is var loadedAt && loadedAt == long.MinValue ? TimeSpan.MaxValue : time.GetElapsedTime(loadedAt);

    /// <summary>The reading that is under way, or a new one, on a thread of its own.</summary>
    private Task Read()
    {
        lock (_starting)
        {
            if (!_reading.IsCompleted || Age() < options.KeysReloadAfter / 2) return _reading;
            _reading = Task.Factory.StartNew(Reload, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.RunContinuationsAsynchronously, TaskScheduler.Default);
            _ = _reading.ContinueWith(static failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);     // told to whoever waits for it, if anybody does
            return _reading;
        }
    }

    private void Reload()
    {
        lock (_loading) Load();
    }

    private void Load()
    {
        var began = time.GetTimestamp();
        foreach (var (_, value) in settings.List(SettingsScope))
            Keep((JsonSerializer.Deserialize(value, KeysJson.Default.KeyDocument) ?? throw new InvalidDataException("An API key's record is empty.")).ToRecord());
        Volatile.Write(ref _loadedAt, began);
    }

    /// <summary>A record read before a revocation must not undo it: revoked stays revoked, and the bucket stays as full as it is.</summary>
    private void Keep(ApiKeyRecord record) => _keys.AddOrUpdate(
        record.Id,
        static (_, argument) => argument.Self.Open(argument.Record),
        static (_, old, argument) => old.Record.RevokedAt is not null || Same(old.Record, argument.Record) ? old : argument.Self.Open(argument.Record),
        (Self: this, Record: record));

    private static bool Same(ApiKeyRecord left, ApiKeyRecord right) => left.RevokedAt == right.RevokedAt && left.SecretHash == right.SecretHash;

    private ApiKey Open(ApiKeyRecord record)
    {
        var rate = record.RequestsPerSecond ?? options.RequestsPerSecond;
        return new(record, Convert.FromHexString(record.SecretHash), new TokenBucket(rate, (int)Math.Min(int.MaxValue, (long)rate * options.BurstSeconds)));
    }

    private static byte[] RandomBytes(RandomNumberGenerator random, int count)
    {
        var bytes = new byte[count];
        random.GetBytes(bytes);
        return bytes;
    }
}

/// <summary>The stored form of a key.</summary>
internal sealed record KeyDocument(
    string Id, string Name, IReadOnlyList<string> Scopes, IReadOnlyList<string> Channels, string SecretHash, int? RequestsPerSecond, long CreatedAt, long? RevokedAt, string? Owner = null)
{
    public static KeyDocument From(ApiKeyRecord record) => new(
        record.Id, record.Name, record.Scopes.Names(), record.Channels, record.SecretHash, record.RequestsPerSecond, record.CreatedAt.UnixMilliseconds, record.RevokedAt?.UnixMilliseconds, record.Owner);

    public ApiKeyRecord ToRecord() => new(
        Id, Name, Scopes.Aggregate(KeyScopes.None, (scopes, name) => scopes | KeyScopesText.Parse(name)), Channels, SecretHash, RequestsPerSecond, new(CreatedAt),
        RevokedAt is { } at ? new EventTime(at) : null, Owner);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"API key {Id}");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(KeyDocument))]
internal sealed partial class KeysJson : JsonSerializerContext;
