using Promotions.Contracts;

namespace Promotions.Admin.Tests;

/// <summary>Keeps the policy that a test's browser saves. What the real one checks is tested at the API.</summary>
internal sealed class FixedPolicyDesk : IPolicyDesk
{
    private FraudPolicyAnswer _current = new(
        4, new() { WrongedCustomer = 2_000, Review = 150, AbuseMultiple = 5, LossMin = 500, ReviewCatches = 0.8, GoodsShare = 0 }, 0.05,
        [new() { Name = "code_guessing_ip", Feature = "ip_invalid_codes_1h", AtLeast = 20 }], [], 1_800, null, null, null);

    /// <summary>Who saved what, in order.</summary>
    public List<(string KeyId, FraudPolicyBody Body)> Saved { get; } = [];

    /// <summary>What the next save is told instead of being done.</summary>
    public string? Problem { get; set; }

    /// <summary>What was let through; null: the analytics store is away.</summary>
    public LetThroughOutcomesAnswer? LetThrough { get; set; } = new(90, 45, []);

    public FraudPolicyAnswer Read() => _current;

    public Task<LetThroughOutcomesAnswer> LetThroughAsync(CancellationToken cancellationToken) => LetThrough is { } told ? Task.FromResult(told) : throw new InvalidOperationException("ClickHouse is away.");

    public Task<DeskAnswer> PutAsync(FraudPolicyBody body, string keyId, CancellationToken cancellationToken)
    {
        if (Problem is { } problem) return Task.FromResult(new DeskAnswer(problem));
        Saved.Add((keyId, body));
        _current = _current with { Version = body.Version!.Value + 1, Costs = body.Costs!, ReviewFloor = body.ReviewFloor!.Value, LetThrough = body.LetThrough };
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

/// <summary>One champion and one challenger, whose steps a test's browser takes. What the real one checks is tested at the API.</summary>
internal sealed class FixedModelDesk : IModelDesk
{
    public const string Champion = "c1c1c1c1c1c1c1c1", Challenger = "d2d2d2d2d2d2d2d2";

    private string? _proposedBy;

    /// <summary>Nothing is registered and nothing decides.</summary>
    public bool IsEmpty { get; set; }

    /// <summary>What the next step is told instead of being taken.</summary>
    public string? Problem { get; set; }

    /// <summary>Who took which step, in order.</summary>
    public List<(string Hash, string Step, string KeyId)> Taken { get; } = [];

    public ModelsAnswer Read() => IsEmpty
        ? new(1, null, "No model file was given.", [], [])
        : new(7, Champion, null, [Challenger], [Model(Champion, "champion", "boosted trees, spring", null), Model(Challenger, "shadow", "with geography", _proposedBy)]);

    public ComparisonAnswer Compare() => IsEmpty ? new(null, []) : new(Champion, [new(Challenger, 1_000, 3, 0.965, [[930, 10, 5], [8, 20, 4], [6, 2, 15]], 23, 24, 61_000, 64_000, 40, 9_000, 7_500)]);

    public DriftAnswer? Drift(string hash) => hash switch
    {
        Champion => new(hash, 1_000, null, ["psi device_attempts_24h"],
            [new("score", 0.01, 0.02, [-4, -2], [0, 600, 300, 100], [0, 610, 290, 100]), new("device_attempts_24h", 0.41, 0.33, [1, 3], [0, 700, 200, 100], [0, 300, 300, 400]), new("ip_attempts_1h", 0.39, 0.1, [1, 3], [0, 700, 200, 100], [0, 310, 300, 390])],
            120, 0.04, [new(0, 100, 0.05, 0.06), new(0.9, 20, 0.94, 0.9)]),
        Challenger => new(hash, 0, "Its file has no reference to compare with.", [], [], 0, 0, []),
        _ => null,
    };

    public Task<DeskAnswer> StepAsync(string hash, string step, string keyId, CancellationToken cancellationToken)
    {
        if (Problem is { } problem) return Task.FromResult(new DeskAnswer(problem));
        Taken.Add((hash, step, keyId));
        _proposedBy = "Reviewer";
        return Task.FromResult(DeskAnswer.Done);
    }

    private static ModelAnswer Model(string hash, string state, string note, string? proposedBy) =>
        new(hash, state, "ec3a40c585c917cf", note, "anna", "2026-06-01T09:00:00Z", proposedBy, proposedBy is null ? null : "2026-06-02T09:00:00Z", null);
}

/// <summary>One retraining that ended; a test's browser begins another and sets the schedule.</summary>
internal sealed class FixedRetrainingDesk : IRetrainingDesk
{
    private RetrainingPolicyBody _policy = new() { Hour = 3, PeriodDays = 90, LabelDays = 60, LabelsMin = 200 };
    private string? _by;

    public RetrainingAnswer Read() => new(
        _policy, null, _by is null ? null : new("2026-06-03T09:00:00Z", _by, "replaying the log up to position 4,096"), _policy.EveryDays is null ? null : "2026-06-10T03:00:00Z",
        [new("2026-06-01T03:00:00Z", "2026-06-01T03:04:00Z", "schedule", "candidate", "Learned from 90 days.", FixedModelDesk.Challenger, FixedModelDesk.Champion, 9_000, 300,
            new(2_000, 60, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", true, new(0.97, 0.6, 0.01, 0.8, 9_000), new(0.98, 0.7, 0.01, 0.85, 7_900), 1_100, -200, 2_300))]);

    public Task<DeskAnswer> StartAsync(string keyId, CancellationToken cancellationToken)
    {
        if (_by is not null) return Task.FromResult(new DeskAnswer("A retraining is going on: wait for it to end."));
        _by = keyId;
        return Task.FromResult(DeskAnswer.Done);
    }

    public Task<DeskAnswer> PutAsync(RetrainingPolicyBody body, string keyId, CancellationToken cancellationToken)
    {
        _policy = body;
        return Task.FromResult(DeskAnswer.Done);
    }
}
