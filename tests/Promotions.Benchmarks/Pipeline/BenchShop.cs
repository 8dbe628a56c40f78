using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;
using Promotions.Processing.State;
using Promotions.Processing.Topologies;
using Promotions.Scoring;
using Promotions.Streams;

namespace Promotions.Benchmarks.Pipeline;

/// <summary>The shop that the pipeline is measured on.</summary>
/// <remarks>
/// Customers by a squared-uniform skew (the busiest tenth make about a third of the requests), a device and payment token each, an address for two,
/// an ip for five, a network for 200 ips, one reusable code of 500. Requests spread evenly over 30 days. Seeded.
/// </remarks>
/// <param name="customers">How many.</param>
/// <param name="hot">Share of all requests that name one coupon. Range: 0 to 1.</param>
/// <param name="requests">Over the 30 days.</param>
internal sealed class BenchShop(int customers, double hot, int requests)
{
    private const int Campaigns = 500;
    public const long CacheBytes = 256L << 20;
    private static readonly EventTime Start = EventTime.From(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Random _random = new(17);

    public static Topology Topology()
    {
        var scorer = TreeScorer.Load(File.ReadAllBytes(Path.Combine("ml", "models", "default.json")), FeatureRegistry.LayoutHash);
        var inputs = new DecisionInputs(scorer, null, new FraudPolicy(1, FraudCosts.Default, 0.05, [], [], TimeSpan.FromMinutes(30)), new Catalogue());
        return RedemptionTopology.Build(() => new Decider(new FeatureCatalog()), () => inputs, CacheBytes);
    }

    public static EventTime TimeOf(double number, int of) => Start.Plus(TimeSpan.FromMilliseconds(30.0 * 86_400_000 * number / of));

    /// <summary>The next request's bytes, as intake would put them into the log.</summary>
    public (string Id, byte[] Value, EventTime At) Next(int number, EventTime? at = null)
    {
        var skew = _random.NextDouble();
        var customer = (int)(skew * skew * customers);
        var code = _random.NextDouble() < hot ? 0 : _random.Next(Campaigns);
        var request = new RedemptionRequest(
            AttemptKind.Redemption, $"r-{number}", "web-de", "bench", new($"c-{customer}", null),
            new($"o-{number}", "EUR", [new("1", $"sku-{_random.Next(500)}", "kitchen", _random.Next(1, 4), _random.Next(500, 9_000))], 0),
            [new(RedeemableType.Coupon, $"CAMPAIGN-{code}", 0)],
            new($"d-{customer}", $"10.{customer / 1_000 % 250}.{customer / 5 / 200 % 250}.{customer / 5 % 200}", null, $"p-{customer}", $"a-{customer / 2}", null),
            at ?? TimeOf(number, requests), null, null, ReadOnlyMemory<byte>.Empty);
        return (request.Id, ObservedRequest.Encode(request, Entities.From(request)), request.At);
    }

    public static ICampaignSnapshot Snapshot() => new Catalogue();

    private sealed class Catalogue : ICampaignSnapshot
    {
        private readonly Dictionary<string, Campaign> _campaigns = Enumerable.Range(0, Campaigns).Select(i => new Campaign(
            $"CAMPAIGN-{i}", 1, $"Campaign {i}", Distribution.CodeBased, "EUR", new(BenefitType.PercentOff, 1_000, 0, false, null), Conditions.None, Limits.None, new(0), null, [], 0, "salt", true, new(0)))
            .ToDictionary(c => c.Id, StringComparer.OrdinalIgnoreCase);

        private readonly Dictionary<string, Coupon> _coupons = Enumerable.Range(0, Campaigns)
            .Select(i => new Coupon($"CAMPAIGN-{i}", $"CAMPAIGN-{i}", null, null, false, new(0))).ToDictionary(c => c.Code, StringComparer.Ordinal);

        public long Revision => 1;
        public IReadOnlyList<Campaign> PublicCampaigns => [];
        public Campaign? FindCampaign(string campaignId) => _campaigns.GetValueOrDefault(campaignId);
        public Coupon? FindCoupon(string code) => _coupons.GetValueOrDefault(code);
        public IReadOnlyList<Coupon> CouponsOf(string customerId) => [];
        public Arm FindArm(string campaignId, string customerId) => Arm.None;
    }
}
