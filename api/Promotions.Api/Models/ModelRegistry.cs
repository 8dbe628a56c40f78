using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Scoring;

namespace Promotions.Api.Models;

/// <summary>The models beside the ledger: their files by content hash, and one document that says where each stands. Every process over the ledger reads the same.</summary>
/// <remarks>Each step is one write of that document and leaves one audit leaf with its hash and who took it; every version can be read again.</remarks>
/// <param name="layoutHash">The feature layout that this program computes: a model of another one is refused.</param>
/// <param name="features">Its features, in the vector's order.</param>
/// <param name="leases">Where several processes share the settings: only one writes at a time. Null where this process is alone.</param>
public sealed class ModelRegistry(ISettingsStore settings, ulong layoutHash, IReadOnlyList<string> features, TimeProvider time, ILeases? leases = null) : IDisposable
{
    private const string Scope = ModelSettings.Scope;
    private const string FilesScope = ModelSettings.FilesScope;
    private const string CurrentName = ModelSettings.CurrentName;

    private readonly SemaphoreSlim _writing = new(1, 1);
    private volatile ModelBook _current = Read(settings, CurrentName) ?? ModelBook.Empty;

    public ModelBook Current => _current;

    /// <summary>Told of a new version, on the thread that wrote or read it.</summary>
    public event Action<ModelBook>? Changed;

    /// <summary>Reads again what another process may have written.</summary>
    /// <exception cref="InvalidDataException">What is written there is no registry of this version; the one read before stays.</exception>
    public void Refresh()
    {
        if (Read(settings, CurrentName) is { } written && written.Version > _current.Version) Take(written);
    }

    /// <summary>That version as it was written; null when there was none.</summary>
    public ModelBook? Find(int version) => _current is var current && current.Version == version ? current : Read(settings, NameOf(version));

    /// <summary>The model's scorer, read from its file.</summary>
    /// <exception cref="ModelFileException">It is not there any more, or is no model that this program can serve.</exception>
    public IScorer Load(string hash)
    {
        var text = settings.Find(FilesScope, hash) ?? throw new ModelFileException(ModelFileProblem.Unreadable, $"The file of model {hash} is not in the registry.");
        byte[] file;
        try
        {
            file = Convert.FromBase64String(text);
        }
        catch (FormatException e)
        {
            throw new ModelFileException(ModelFileProblem.Damaged, $"The file of model {hash} is damaged: {e.Message}", e);
        }

        if (ModelFile.HashOf(file) is var found && found != hash) throw new ModelFileException(ModelFileProblem.Damaged, $"The file of model {hash} is damaged: its bytes have the hash {found}.");
        return ScorerFile.Load(file, layoutHash, features);
    }

    /// <summary>Keeps the file under its hash as a candidate, once it was read and fits.</summary>
    /// <exception cref="ModelFileException">It cannot serve; nothing changed.</exception>
    public Task<(RegisteredModel? Model, ModelRefusal Refusal)> RegisterAsync(byte[] file, string note, Actor actor, CancellationToken cancellationToken)
    {
        var scorer = ScorerFile.Load(file, layoutHash, features);
        return StepAsync(scorer.ModelHash, actor, async book =>
        {
            // The file first: a crash in between leaves a file that nobody names.
            if (settings.Find(FilesScope, scorer.ModelHash) is null) await settings.PutAsync(FilesScope, scorer.ModelHash, Convert.ToBase64String(file), Actor.System, CancellationToken.None);
            return book.Register(scorer.ModelHash, scorer.LayoutHash.ToString("x16", CultureInfo.InvariantCulture), note, actor.Id, EventTime.Now(time));
        }, cancellationToken);
    }

    public Task<(RegisteredModel? Model, ModelRefusal Refusal)> ShadowAsync(string hash, Actor actor, CancellationToken cancellationToken) =>
        StepAsync(hash, actor, book => Serving(hash, book.Shadow(hash, DecisionInputs.ChallengersMax, actor.Id, EventTime.Now(time))), cancellationToken);

    public Task<(RegisteredModel? Model, ModelRefusal Refusal)> PromoteAsync(string hash, Actor actor, string person, CancellationToken cancellationToken) =>
        StepAsync(hash, actor, book => Serving(hash, book.Promote(hash, actor.Id, person, EventTime.Now(time))), cancellationToken);

    public Task<(RegisteredModel? Model, ModelRefusal Refusal)> RetireAsync(string hash, Actor actor, CancellationToken cancellationToken) =>
        StepAsync(hash, actor, book => Task.FromResult(book.Retire(hash, actor.Id, EventTime.Now(time))), cancellationToken);

    public void Dispose() => _writing.Dispose();

    /// <summary>Before a model serves its file is read once more: it may have been registered under another layout.</summary>
    private Task<(ModelBook, ModelRefusal)> Serving(string hash, (ModelBook Next, ModelRefusal Refusal) step)
    {
        if (step.Refusal is ModelRefusal.None) Load(hash);
        return Task.FromResult(step);
    }

    private async Task<(RegisteredModel?, ModelRefusal)> StepAsync(string hash, Actor actor, Func<ModelBook, Task<(ModelBook Next, ModelRefusal Refusal)>> step, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await using var alone = leases is null ? null : await leases.LeaseAsync(Scope, actor.Id, cancellationToken);
            if (alone is not null) Refresh();
            var before = _current;
            var (next, refusal) = await step(before);
            if (refusal is ModelRefusal.None && next.Version != before.Version)
            {
                // Not cancelled: a step that is half written down is written to the end. The history first, as the policy's.
                var document = JsonSerializer.Serialize(next, ModelsJson.Default.ModelBook);
                await settings.PutAsync(Scope, NameOf(next.Version), document, Actor.System, CancellationToken.None);
                await settings.PutAsync(Scope, CurrentName, document, actor, CancellationToken.None);
                Take(next);
            }

            return (_current.Find(hash), refusal);
        }
        finally
        {
            _writing.Release();
        }
    }

    private void Take(ModelBook book)
    {
        _current = book;
        Changed?.Invoke(book);
    }

    private static ModelBook? Read(ISettingsStore settings, string name)
    {
        if (settings.Find(Scope, name) is not { } text) return null;
        try
        {
            return JsonSerializer.Deserialize(text, ModelsJson.Default.ModelBook) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The setting {Scope}/{name} is no model registry of this version: {e.Message}", e);
        }
    }

    private static string NameOf(int version) => string.Create(CultureInfo.InvariantCulture, $"v{version}");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, IgnoreReadOnlyProperties = true,
    UseStringEnumConverter = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ModelBook))]
internal sealed partial class ModelsJson : JsonSerializerContext;
