using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Processing.Decisions;

namespace Promotions.Api.Policies;

/// <summary>One version of the fraud policy, and who wrote it.</summary>
/// <param name="WrittenBy">The key's id; null for the policy that comes with the program.</param>
public sealed record WrittenPolicy(FraudPolicy Policy, string? WrittenBy, EventTime? WrittenAt);

/// <summary>The fraud policy beside the ledger: the shipped one until an admin writes another. Every version that decided anything can be read again.</summary>
/// <remarks>Writing leaves an audit leaf with the document's hash. The pipeline asks for <see cref="Current"/>; a decision is made on one version and names it.</remarks>
/// <param name="shipped">Version 1, for an installation where nobody has written a policy.</param>
/// <param name="leases">Where several processes share the settings: only one writes at a time. Null where this process is alone.</param>
public sealed class FraudPolicies(ISettingsStore settings, FraudPolicy shipped, TimeProvider time, ILeases? leases = null) : IDisposable
{
    private const string Scope = "fraud-policy";
    private const string CurrentName = "current";

    private readonly SemaphoreSlim _writing = new(1, 1);
    private volatile WrittenPolicy _current = Read(settings, CurrentName) ?? new(shipped, null, null);

    /// <summary>What decides from now on.</summary>
    public WrittenPolicy Current => _current;

    /// <summary>Reads again what another process may have written. A decision in progress keeps the version that it began with.</summary>
    /// <exception cref="InvalidDataException">What is written there is no policy of this version; the one read before stays.</exception>
    public void Refresh()
    {
        if (Read(settings, CurrentName) is { } written && written.Policy.Version > _current.Policy.Version) _current = written;
    }

    /// <summary>That version as it was written; null when there was none.</summary>
    public WrittenPolicy? Find(int version) => _current is var current && current.Policy.Version == version ? current : Read(settings, NameOf(version));

    /// <summary>Makes this the current policy if it is the next version of what is current now.</summary>
    /// <returns>False when somebody else wrote that version first; nothing changed.</returns>
    public async Task<bool> TryPutAsync(FraudPolicy next, Actor actor, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await using var alone = leases is null ? null : await leases.LeaseAsync(Scope, actor.Id, cancellationToken);
            if (alone is not null) Refresh();
            var replaced = _current;
            if (next.Version != replaced.Policy.Version + 1) return false;
            var written = new WrittenPolicy(next, actor.Id, EventTime.Now(time));
            // The history first: a crash in between leaves a version that decided nothing, which the next attempt writes over.
            if (Read(settings, NameOf(replaced.Policy.Version)) is null) await PutAsync(NameOf(replaced.Policy.Version), replaced, Actor.System);
            await PutAsync(NameOf(next.Version), written, Actor.System);
            await PutAsync(CurrentName, written, actor);
            _current = written;
            return true;
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose() => _writing.Dispose();

    // Not cancelled: a policy that is half written down is written to the end.
    private Task PutAsync(string name, WrittenPolicy policy, Actor actor) =>
        settings.PutAsync(Scope, name, JsonSerializer.Serialize(PolicyDocument.From(policy), PolicyJson.Default.PolicyDocument), actor, CancellationToken.None);

    private static WrittenPolicy? Read(ISettingsStore settings, string name)
    {
        if (settings.Find(Scope, name) is not { } text) return null;
        try
        {
            return (JsonSerializer.Deserialize(text, PolicyJson.Default.PolicyDocument) ?? throw new JsonException("It is empty.")).ToPolicy();
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The setting {Scope}/{name} is no fraud policy of this version: {e.Message}", e);
        }
    }

    private static string NameOf(int version) => string.Create(CultureInfo.InvariantCulture, $"v{version}");
}

/// <summary>The stored form of a policy.</summary>
internal sealed record PolicyDocument(FraudPolicy Policy, string? WrittenBy, long? WrittenAt)
{
    public static PolicyDocument From(WrittenPolicy policy) => new(policy.Policy, policy.WrittenBy, policy.WrittenAt?.UnixMilliseconds);

    public WrittenPolicy ToPolicy() => new(Policy, WrittenBy, WrittenAt is { } at ? new EventTime(at) : null);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PolicyDocument))]
internal sealed partial class PolicyJson : JsonSerializerContext;
