using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Processing.Tests;
using Promotions.Scoring;
using Promotions.Simulation;
using Promotions.Simulation.Abuse;

namespace Promotions.Processing.Kafka.Tests;

/// <summary>A few hundred events of a small shop with many small rings of abusers, and a model that looks at what features count of feedback.</summary>
internal static class SuspiciousShop
{
    public static readonly EventTime Start = PipelineRig.Start.Plus(TimeSpan.FromHours(12));

    /// <summary>A hold outlives the shop's captures.</summary>
    public static readonly FraudPolicy Policy = new(1, FraudCosts.Default with { WrongedCustomer = 600, Review = 50 }, 0.05, [new("many_accounts", "device_accounts_24h", 3)], [], TimeSpan.FromDays(5));

    public static IReadOnlyList<SimulatedEvent> Events()
    {
        var scenarios = ScenarioReader.Shipped.Select(shipped => shipped with
        {
            RingsPerMonth = 1_000,
            Accounts = new(4, 8),
            AttemptsPerAccount = new(1, 3),
            DurationHours = new(6, 24),
            Labels = shipped.Labels with { LateDays = new(1, 3) },
            AfterApproval = shipped.AfterApproval with { ReturnAfterHours = new(1, 12) },
        }).ToList();
        var events = new List<SimulatedEvent>();
        new ReferenceCheckout().Run(new SimulatedRetailer(new() { Seed = 4, Start = Start, Days = 8, Customers = 60, Scenarios = scenarios, SettleAfterMax = TimeSpan.FromHours(6) }), (happened, _) => events.Add(happened));
        return events;
    }

    /// <returns>What the caller was told; null for what no caller sends.</returns>
    public static async Task<LedgerOutcome?> SendAsync(SimulatedEvent happened, IRedemptionGateway gateway, ILedger ledger)
    {
        switch (happened)
        {
            case RedemptionAttempted attempt: return await gateway.RedeemAsync(attempt.Request, CancellationToken.None);
            case CaptureIntended capture: return await gateway.CaptureAsync(capture.Capture, CancellationToken.None);
            case VoidIntended end: return await gateway.VoidAsync(end.Void, CancellationToken.None);
            case Ordered ordered: return await gateway.RecordAsync(ordered.Order, CancellationToken.None);
            case Returned returned: return await gateway.RecordAsync(returned.Return, CancellationToken.None);
            case Engaged engaged: return await gateway.RecordAsync(engaged.Engagement, CancellationToken.None);
            case Labelled labelled: return await gateway.RecordAsync(labelled.Label, CancellationToken.None);
            case CampaignsDefined defined:
                foreach (var campaign in defined.Campaigns) Accepted(await ledger.ExecuteAsync(new PutCampaign($"put:{campaign.Id}:{campaign.Version}", Actor.System, defined.At, campaign), Lane.Decision, CancellationToken.None));
                return null;
            case CouponsAdded added:
                foreach (var coupons in added.Coupons.GroupBy(coupon => coupon.CampaignId))
                    Accepted(await ledger.ExecuteAsync(
                        new AddCoupons($"add:{coupons.First().Code}", Actor.System, added.At, coupons.Key, [.. coupons.Select(coupon => new NewCoupon(coupon.Code, coupon.CustomerId, coupon.UsesMax))]), Lane.Decision, CancellationToken.None));
                return null;
            default: throw new InvalidOperationException($"A {happened.GetType().Name} has no place to go.");
        }
    }

    private static void Accepted(LedgerOutcome outcome) => Assert.Equal(LedgerRefusal.None, outcome.Refusal);

    /// <summary>A sum over what attempts, refusals, guesses and labels make of an entity: a lost label changes scores, not the vector alone.</summary>
    public sealed class Scorer : IScorer
    {
        private static readonly (int Feature, double Weight)[] Weights = [.. FeatureRegistry.Features
            .Select(feature => (feature.Index, Weight: feature.Name switch
            {
                "device_accounts_24h" => 0.6,
                "device_refusals_24h" or "customer_refusals_24h" => 0.4,
                "ip_invalid_codes_1h" or "device_invalid_codes_1h" => 0.5,
                _ when feature.Name.EndsWith("_abuse_rate_30d", StringComparison.Ordinal) => 1.5,
                _ => 0,
            }))
            .Where(weighted => weighted.Weight > 0)];

        public string ModelHash => "suspicious-shop";
        public ulong LayoutHash => FeatureRegistry.LayoutHash;
        public int FeatureCount => FeatureRegistry.Count;
        public double ExpectedScore => -4;

        public double RawScore(ReadOnlySpan<float> vector)
        {
            var raw = ExpectedScore;
            foreach (var (feature, weight) in Weights) raw += ContributionOf(vector[feature], weight);
            return raw;
        }

        public double Probability(double rawScore) => 1 / (1 + Math.Exp(-rawScore));

        public void Explain(ReadOnlySpan<float> vector, Span<double> contributions)
        {
            contributions.Clear();
            foreach (var (feature, weight) in Weights) contributions[feature] = ContributionOf(vector[feature], weight);
        }

        private static double ContributionOf(float value, double weight) => float.IsNaN(value) ? 0 : weight * value;
    }
}
