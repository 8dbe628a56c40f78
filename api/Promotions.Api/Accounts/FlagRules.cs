using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Ledger;

namespace Promotions.Api.Accounts;

/// <summary>From which probability on a flag is worth a bell, and a freeze.</summary>
/// <param name="NotifyFrom">Open flags from here on are counted beside the dashboard's bell, 0 to 1. Default 0.9.</param>
/// <param name="FreezeFrom">A flag from here on freezes its account, 0 to 1; null (the default): none does.</param>
/// <param name="FreezeHours">How long, 1 to 720. Default 24.</param>
/// <param name="FreezeSince">When the freeze was set; flags before it freeze nobody. Unix milliseconds.</param>
public sealed record FlagRules(double NotifyFrom, double? FreezeFrom, int FreezeHours, long FreezeSince)
{
    public static readonly FlagRules Default = new(0.9, null, 24, 0);

    /// <summary>Flags that reviewers answer in a day, 0 to 1,000,000. Default 50.</summary>
    public int ReviewsPerDay { get; init; } = 50;
}

/// <summary>The flag rules beside the ledger. The last write counts, and leaves an audit leaf.</summary>
public sealed class FlagRulesStore(ISettingsStore settings)
{
    private const string Scope = "flag-rules";
    private const string Name = "current";

    /// <summary>Read from the store each time: nothing on the decision's way asks.</summary>
    /// <exception cref="InvalidDataException">What is written there is of another version.</exception>
    public FlagRules Read()
    {
        try
        {
            return settings.Find(Scope, Name) is { } text ? JsonSerializer.Deserialize(text, FlagRulesJson.Default.FlagRules) ?? throw new JsonException("It is empty.") : FlagRules.Default;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The setting {Scope}/{Name} is of another version: {e.Message}", e);
        }
    }

    /// <returns>What is in force.</returns>
    public async Task<FlagRules> PutAsync(FlagRules rules, Actor actor)
    {
        await settings.PutAsync(Scope, Name, JsonSerializer.Serialize(rules, FlagRulesJson.Default.FlagRules), actor, CancellationToken.None);
        return rules;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(FlagRules))]
internal sealed partial class FlagRulesJson : JsonSerializerContext;
