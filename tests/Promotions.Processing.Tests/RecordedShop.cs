using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;

namespace Promotions.Processing.Tests;

/// <summary>A small shop whose log was recorded once: what goes in, and what became of it.</summary>
internal static class RecordedShop
{
    /// <summary>Requests of a small shop, and what became of them, in the order of a log.</summary>
    internal static IEnumerable<(string Topic, byte[] Value, EventTime At)> Log(int requests)
    {
        var random = new Random(11);
        for (var i = 0; i < requests; i++)
        {
            var request = PipelineRig.Request($"r-{i}", $"c-{random.Next(20)}", random.Next(4) == 0 ? "nope" : "ten", i * 61, $"d-{random.Next(12)}") with
            {
                Context = new($"d-{random.Next(12)}", $"203.0.113.{random.Next(9)}", null, random.Next(2) == 0 ? $"p-{random.Next(9)}" : null, null, null),
            };
            var entities = Entities.From(request);
            yield return (Topics.Requests, ObservedRequest.Encode(request, entities), request.At);
            var status = (RedemptionStatus)random.Next(1, 5);
            var outcome = new RedemptionOutcome(request.Id, request.Kind, status, "", random.Next(3) == 0, 300, request.At, entities);
            yield return (Topics.Outcomes, RecordCodec.Encode(outcome), outcome.At);
            var at = request.At.Plus(TimeSpan.FromSeconds(7));
            if (i % 3 == 0) yield return (Topics.Orders, RecordCodec.Encode(OrderOf($"o-{i}", i * 61 + 7, request.Customer.Id)), at);
            if (i % 9 == 0) yield return (Topics.Returns, RecordCodec.Encode(new OrderReturned($"x-{i}", $"o-{i}", request.Customer.Id, 500, at, new byte[32])), at);
            if (i % 7 == 0) yield return (Topics.Labels, RecordCodec.Encode(new LabelRecorded($"l-{i}", request.Id, i % 2 == 0, "review", null, "rita", at, entities)), at);
        }
    }

    public static OrderPlaced OrderOf(string id, int atSeconds, string customer = "anna") => new(
        id, "web-de", "key-1", new(customer, null), new(id, "EUR", [new("1", "mug", null, 1, 2_000)], 0), 2_000, null, PipelineRig.Start.Plus(TimeSpan.FromSeconds(atSeconds)), null, new byte[32]);

    public static DecisionInputs Inputs() => new(new PipelineRig.FixedScorer(-1), null, PipelineRig.Policy, new OneCampaign());

    private sealed class OneCampaign : ICampaignSnapshot
    {
        private readonly Campaign _ten = PipelineRig.Public("TEN");
        public long Revision => 1;
        public IReadOnlyList<Campaign> PublicCampaigns => [_ten];
        public Campaign? FindCampaign(string campaignId) => string.Equals(campaignId, "TEN", StringComparison.OrdinalIgnoreCase) ? _ten : null;
        public Coupon? FindCoupon(string code) => null;
        public IReadOnlyList<Coupon> CouponsOf(string customerId) => [];
        public Arm FindArm(string campaignId, string customerId) => Arm.None;
    }
}
