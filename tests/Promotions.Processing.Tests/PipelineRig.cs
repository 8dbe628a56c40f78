using Microsoft.Extensions.Time.Testing;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Ledger.Sqlite;
using Promotions.Processing.Decisions;
using Promotions.Processing.Embedded;
using Promotions.Scoring;
using Promotions.Streams;
using Promotions.Streams.Embedded;
using Promotions.Streams.State;

namespace Promotions.Processing.Tests;

/// <summary>A real ledger on a temporary folder and the real pipeline over it; only the model is chosen by the test.</summary>
internal sealed class PipelineRig : IAsyncDisposable
{
    public static readonly EventTime Start = EventTime.From(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly string _folder;
    private readonly bool _owns;
    private readonly SqliteLedger _ledger;
    private readonly EmbeddedRedemptions _redemptions;

    private PipelineRig(string folder, bool owns, IStateBackend state, IScorer? scorer, FraudPolicy policy)
    {
        (_folder, _owns) = (folder, owns);
        _ledger = SqliteLedger.Open(new SqliteLedgerOptions { Path = Path.Combine(folder, "ledger.db") }, Time);
        _redemptions = EmbeddedRedemptions.Start(
            _ledger, state, () => new(scorer, scorer is null ? "none in this test" : null, policy, _ledger.Campaigns), EarningRule.Default, new Silent(), new(64 << 20, TimeSpan.FromHours(1)), Time);
    }

    public FakeTimeProvider Time { get; } = new(Start.ToDateTimeOffset());
    public EmbeddedGateway Gateway => _redemptions.Gateway;
    public ILedger Ledger => _ledger;
    public ILedgerReader Reader => _ledger.Reader;

    public static readonly FraudPolicy Policy = new(1, FraudCosts.Default, 0.05, [], [], TimeSpan.FromMinutes(30));

    public static PipelineRig Open(string? folder = null, IStateBackend? state = null, IScorer? scorer = null, FraudPolicy? policy = null) =>
        new(folder ?? Directory.CreateTempSubdirectory("promotions-rig-").FullName, folder is null, state ?? new InMemoryBackend(), scorer, policy ?? Policy);

    public Task<LedgerOutcome> PutAsync(Campaign campaign) =>
        _ledger.ExecuteAsync(new PutCampaign($"put:{campaign.Id}:{campaign.Version}", Actor.System, EventTime.Now(Time), campaign), Lane.Decision, CancellationToken.None);

    public static Campaign Public(string id, int version = 1, int basisPoints = 1_000, Limits? limits = null) => new(
        id, version, id, Distribution.Public, "EUR", new(BenefitType.PercentOff, basisPoints, 0, false, null), Conditions.None, limits ?? Limits.None, new(0), null, [], 0, "salt-" + id, true, Start);

    public static RedemptionRequest Request(string id, string customer = "anna", string code = "ten", int atSeconds = 0, string? device = "d-1", AttemptKind kind = AttemptKind.Redemption, long price = 1_500) => new(
        kind, id, "web-de", "key-1", new(customer, null), new("o-" + id, "EUR", [new("1", "mug", "kitchen", 2, price)], 0),
        [new(RedeemableType.Coupon, code.ToUpperInvariant(), 0)], new(device, "203.0.113.9", null, null, null, null), Start.Plus(TimeSpan.FromSeconds(atSeconds)), null, null,
        System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{id}|{customer}|{code}|{price}")));

    public async Task<Decision> RedeemAsync(RedemptionRequest request)
    {
        var outcome = await Gateway.RedeemAsync(request, CancellationToken.None);
        Assert.Equal(LedgerRefusal.None, outcome.Refusal);
        return outcome.Decision!;
    }

    public async ValueTask DisposeAsync()
    {
        await _redemptions.DisposeAsync();
        await _ledger.DisposeAsync();
        if (_owns) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Gives every vector the same log-odds.</summary>
    internal sealed class FixedScorer(double raw) : IScorer
    {
        public string ModelHash => "fixed";
        public ulong LayoutHash => Promotions.Features.FeatureRegistry.LayoutHash;
        public int FeatureCount => Promotions.Features.FeatureRegistry.Count;
        public double ExpectedScore => raw;
        public double RawScore(ReadOnlySpan<float> vector) => raw;
        public double? RawScoreAtMost(ReadOnlySpan<float> low, ReadOnlySpan<float> high) => raw;
        public double Probability(double rawScore) => 1 / (1 + Math.Exp(-rawScore));
        public void Explain(ReadOnlySpan<float> vector, Span<double> contributions) => contributions.Clear();
    }

    private sealed class Silent : IRedemptionObserver
    {
        public void Decided(Decision decision, bool repeated, TimeSpan sinceAccepted) { }
        public void Stage(string stage, TimeSpan took, int records) { }
        public void DeadLettered(DeadLetter letter) { }
        public void Faulted(string what, Exception fault) { }
        public void Replayed(long position, long lastPosition) { }
    }
}
