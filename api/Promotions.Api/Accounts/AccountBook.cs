using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Processing.Decisions;

namespace Promotions.Api.Accounts;

/// <summary>One change of an account's standing.</summary>
/// <param name="By">The key's id.</param>
/// <param name="At">Unix milliseconds.</param>
/// <param name="Until">Unix milliseconds, exclusive; null for none.</param>
public sealed record StandingStep(long Version, Standing Standing, string Reason, string By, long At, long? Until)
{
    /// <summary>What holds at that time: what has expired is open.</summary>
    public Standing StandingAt(EventTime at) => Until is { } until && at.UnixMilliseconds >= until ? Standing.Open : Standing;
}

/// <summary>An account's latest steps, newest first. The last one is what holds.</summary>
public sealed record AccountFile(string CustomerId, IReadOnlyList<StandingStep> Steps);

/// <summary>How accounts stand, beside the ledger: one setting an account, one audit leaf a step.</summary>
/// <remarks>Other processes over the same settings see a step within a second or two: they look at one number, and read all where it moved; and every half minute in any case, for a process may
/// die between a step and that number.</remarks>
public sealed class AccountBook : IDisposable
{
    private const int StepsKept = 20;
    private const string Scope = "account-standings";
    private const string StampScope = "account-standings-changes";
    private const string StampName = "current";
    private static readonly TimeSpan ReadAllEvery = TimeSpan.FromSeconds(30);

    private readonly ISettingsStore _settings;
    private readonly TimeProvider _time;
    private readonly ILeases? _leases;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly Lock _changing = new();
    private ImmutableDictionary<string, AccountFile> _files;
    private volatile AccountStandings _standings;
    private string? _stamp;
    private long _readAt;

    /// <param name="leases">Where several processes share the settings: only one writes at a time. Null where this process is alone.</param>
    /// <exception cref="InvalidDataException">What is written there is of another version.</exception>
    public AccountBook(ISettingsStore settings, TimeProvider time, ILeases? leases = null)
    {
        (_settings, _time, _leases) = (settings, time, leases);
        _stamp = settings.Find(StampScope, StampName);
        _readAt = time.GetTimestamp();
        _files = ReadAll();
        _standings = Of(_files);
    }

    /// <summary>What decides from now on.</summary>
    public AccountStandings Standings => _standings;

    /// <summary>Reads again what another process may have written.</summary>
    /// <exception cref="InvalidDataException">What is written there is of another version; what was read before stays.</exception>
    public void Refresh()
    {
        lock (_changing)
        {
            var stamp = _settings.Find(StampScope, StampName);
            if (stamp == _stamp && _time.GetElapsedTime(_readAt) < ReadAllEvery) return;
            _files = ReadAll();
            _standings = Of(_files);
            (_stamp, _readAt) = (stamp, _time.GetTimestamp());
        }
    }

    public AccountFile Find(string customerId) => Read(_settings.Find(Scope, customerId)) ?? new(customerId, []);

    /// <summary>Those that are frozen or blocked at this time, the latest change first.</summary>
    public IReadOnlyList<AccountFile> Barred(int max)
    {
        var now = EventTime.Now(_time);
        ImmutableDictionary<string, AccountFile> files;
        lock (_changing) files = _files;
        return [.. files.Values.Where(file => file.Steps[0].StandingAt(now) is not Standing.Open).OrderByDescending(file => file.Steps[0].At).ThenBy(file => file.CustomerId, StringComparer.Ordinal).Take(max)];
    }

    /// <summary>Takes the step if the account stands at the version that it names; repeated by the same key, it is the same step.</summary>
    /// <returns>The account as it stands, and whether the step is its last one. False: somebody else changed it meanwhile; nothing changed.</returns>
    public async Task<(AccountFile File, bool Taken)> PutAsync(string customerId, long replaces, Standing standing, string reason, EventTime? until, Actor actor, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await using var alone = _leases is null ? null : await _leases.LeaseAsync(Scope, actor.Id, cancellationToken);
            var file = Find(customerId);
            var last = file.Steps.Count > 0 ? file.Steps[0] : null;
            if (replaces != (last?.Version ?? 0))
                return (file, last?.Version == replaces + 1 && last.Standing == standing && last.Reason == reason && last.By == actor.Id && last.Until == until?.UnixMilliseconds);
            var next = new AccountFile(
                customerId, [new(replaces + 1, standing, reason, actor.Id, EventTime.Now(_time).UnixMilliseconds, until?.UnixMilliseconds), .. file.Steps.Take(StepsKept - 1)]);
            // Not cancelled: a step that is half written down is written to the end.
            await _settings.PutAsync(Scope, customerId, JsonSerializer.Serialize(next, AccountJson.Default.AccountFile), actor, CancellationToken.None);
            lock (_changing)
            {
                _files = _files.SetItem(customerId, next);
                _standings = Of(_files);
            }

            await _settings.PutAsync(StampScope, StampName, string.Create(CultureInfo.InvariantCulture, $"{next.Steps[0].At} {next.Steps[0].Version} {customerId}"), Actor.System, CancellationToken.None);
            return (next, true);
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose() => _writing.Dispose();

    private ImmutableDictionary<string, AccountFile> ReadAll() =>
        _settings.List(Scope).Select(setting => Read(setting.Value)!).ToImmutableDictionary(file => file.CustomerId, StringComparer.Ordinal);

    private static AccountStandings Of(ImmutableDictionary<string, AccountFile> files) => new(files.Values
        .Select(file => (file.CustomerId, Last: file.Steps[0]))
        .Where(account => account.Last.Standing is not Standing.Open)
        .Select(account => new AccountStanding(account.CustomerId, account.Last.Standing, account.Last.Until is { } until ? new EventTime(until) : null)));

    private static AccountFile? Read(string? text)
    {
        if (text is null) return null;
        try
        {
            return JsonSerializer.Deserialize(text, AccountJson.Default.AccountFile) is { Steps.Count: > 0 } file ? file : throw new JsonException("It has no steps.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"A setting of {Scope} is no account of this version: {e.Message}", e);
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AccountFile))]
internal sealed partial class AccountJson : JsonSerializerContext;
