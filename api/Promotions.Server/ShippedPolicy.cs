using Promotions.Processing.Decisions;

namespace Promotions.Server;

/// <summary>The fraud policy of an installation where no admin has written one.</summary>
internal static class ShippedPolicy
{
    /// <summary>Version 1: a bot that guesses codes is blocked whatever the model says; tills share their device and ip among everybody.</summary>
    public static readonly FraudPolicy Policy = new(
        1,
        FraudCosts.Default,
        ReviewFloor: 0.05,
        [
            new("code_guessing_ip", "ip_invalid_codes_1h", 20),
            new("code_guessing_device", "device_invalid_codes_1h", 15),
        ],
        [new("pos-*", ["device", "ip", "network"], ScorerFallback.Review)],
        TimeSpan.FromMinutes(30));
}
