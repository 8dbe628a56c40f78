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

/// <summary>Keeps the standings that a test's browser sets. What the real one checks is tested at the API.</summary>
internal sealed class FixedAccountDesk : IAccountDesk
{
    private readonly Dictionary<string, StandingAnswer> _accounts = new(StringComparer.Ordinal);

    public double NotifyFrom { get; set; } = 0.9;

    public int ReviewsPerDay { get; set; } = 50;

    /// <summary>Who set what, in order.</summary>
    public List<(string KeyId, StandingBody Body)> Taken { get; } = [];

    /// <summary>What the next step is told instead of being taken.</summary>
    public string? Problem { get; set; }

    public StandingAnswer Read(string customerId) => _accounts.TryGetValue(customerId, out var account) ? account : new(customerId, 0, "open", "As for everybody.", []);

    public IReadOnlyList<StandingAnswer> Barred() => [.. _accounts.Values.Where(account => account.Standing is not "open")];

    public Task<DeskAnswer> PutAsync(string customerId, StandingBody body, string keyId, CancellationToken cancellationToken)
    {
        if (Problem is { } problem) return Task.FromResult(new DeskAnswer(problem));
        Taken.Add((keyId, body));
        var before = Read(customerId);
        Assert.Equal(before.Version, body.Version);
        _accounts[customerId] = new(customerId, before.Version + 1, body.Standing!, $"Refused as account_{body.Standing}.",
            [new(before.Version + 1, body.Standing!, body.Reason!, keyId, "2026-06-01T09:00:00Z", body.Until), .. before.Steps]);
        return Task.FromResult(DeskAnswer.Done);
    }
}
