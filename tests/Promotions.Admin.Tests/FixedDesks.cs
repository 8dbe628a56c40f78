using Promotions.Contracts;

namespace Promotions.Admin.Tests;

/// <summary>Keeps the policy that a test's browser saves. What the real one checks is tested at the API.</summary>
internal sealed class FixedPolicyDesk : IPolicyDesk
{
    private FraudPolicyAnswer _current = new(
        4, new() { WrongedCustomer = 2_000, Review = 150, AbuseMultiple = 5, LossMin = 500, ReviewCatches = 0.8, GoodsShare = 0 }, 0.05,
        [new() { Name = "code_guessing_ip", Feature = "ip_invalid_codes_1h", AtLeast = 20 }], [], 1_800, null, null);

    /// <summary>Who saved what, in order.</summary>
    public List<(string KeyId, FraudPolicyBody Body)> Saved { get; } = [];

    /// <summary>What the next save is told instead of being done.</summary>
    public string? Problem { get; set; }

    public FraudPolicyAnswer Read() => _current;

    public Task<DeskAnswer> PutAsync(FraudPolicyBody body, string keyId, CancellationToken cancellationToken)
    {
        if (Problem is { } problem) return Task.FromResult(new DeskAnswer(problem));
        Saved.Add((keyId, body));
        _current = _current with { Version = body.Version!.Value + 1, Costs = body.Costs!, ReviewFloor = body.ReviewFloor!.Value };
        return Task.FromResult(DeskAnswer.Done);
    }
}
