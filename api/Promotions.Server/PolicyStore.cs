using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Ledger;
using Promotions.Processing.Decisions;

namespace Promotions.Server;

/// <summary>The fraud policy beside the ledger: the shipped one until an admin writes another into the settings.</summary>
internal static class PolicyStore
{
    private const string Scope = "fraud-policy";
    private const string Current = "current";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>Version 1: a bot that guesses codes is blocked whatever the model says; tills share their device and ip among everybody.</summary>
    public static readonly FraudPolicy Default = new(
        1,
        FraudCosts.Default,
        ReviewFloor: 0.05,
        [
            new("code_guessing_ip", "ip_invalid_codes_1h", 20),
            new("code_guessing_device", "device_invalid_codes_1h", 15),
        ],
        [new("pos-*", ["device", "ip", "network"], ScorerFallback.Review)],
        TimeSpan.FromMinutes(30));

    public static FraudPolicy Load(ISettingsStore settings) =>
        settings.Find(Scope, Current) is { } text
            ? JsonSerializer.Deserialize<FraudPolicy>(text, Json) ?? throw new StartRefusedException($"The setting {Scope}/{Current} is empty: write a policy or remove it.")
            : Default;
}
