using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Ledger;
using Promotions.Scoring;

namespace Promotions.Api.Retraining;

/// <summary>One retraining that ended.</summary>
/// <param name="StartedAt">Unix milliseconds.</param>
/// <param name="StartedBy">The key that asked, or <c>schedule</c>.</param>
/// <param name="Report">Its outcome and message are those to show: registering may have failed after it.</param>
public sealed record RetrainingRun(long StartedAt, long EndedAt, string StartedBy, RetrainingReport Report);

/// <summary>Retrainings that ended, the newest first, and one that had begun when this was written.</summary>
public sealed record RetrainingHistory(RetrainingRun? Begun, IReadOnlyList<RetrainingRun> Ended)
{
    public const int RunsMax = 20;
    public static readonly RetrainingHistory Empty = new(null, []);

    public RetrainingHistory Begin(RetrainingRun run) => this with { Begun = run };

    public RetrainingHistory End(RetrainingRun run) => new(null, [run, .. Ended.Take(RunsMax - 1)]);
}

/// <summary>The schedule and what came of it, beside the ledger. Each write leaves an audit leaf.</summary>
public sealed class RetrainingStore(ISettingsStore settings)
{
    private const string Scope = "retraining";
    private const string PolicyName = "policy";
    private const string HistoryName = "history";

    /// <exception cref="InvalidDataException">What is written there is of another version.</exception>
    public RetrainingPolicy Policy => Read(PolicyName, RetrainingJson.Default.RetrainingPolicy) ?? RetrainingPolicy.Default;

    /// <inheritdoc cref="Policy"/>
    public RetrainingHistory History => Read(HistoryName, RetrainingJson.Default.RetrainingHistory) ?? RetrainingHistory.Empty;

    public Task PutAsync(RetrainingPolicy policy, Actor actor) => settings.PutAsync(Scope, PolicyName, JsonSerializer.Serialize(policy, RetrainingJson.Default.RetrainingPolicy), actor, CancellationToken.None);

    public Task PutAsync(RetrainingHistory history, Actor actor) => settings.PutAsync(Scope, HistoryName, JsonSerializer.Serialize(history, RetrainingJson.Default.RetrainingHistory), actor, CancellationToken.None);

    private T? Read<T>(string name, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return settings.Find(Scope, name) is { } text ? JsonSerializer.Deserialize(text, type) ?? throw new JsonException("It is empty.") : null;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The setting {Scope}/{name} is of another version: {e.Message}", e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RetrainingPolicy))]
[JsonSerializable(typeof(RetrainingHistory))]
internal sealed partial class RetrainingJson : JsonSerializerContext;
