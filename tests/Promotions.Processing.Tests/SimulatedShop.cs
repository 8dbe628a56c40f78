using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Simulation;

namespace Promotions.Processing.Tests;

/// <summary>A simulated shop with abusers in it, through the real pipeline: each attempt with its decision.</summary>
internal static class SimulatedShop
{
    /// <param name="oracle">Told of all that happens; null for nobody.</param>
    /// <param name="instead">Changes a request before it is sent; null: none is changed.</param>
    public static async IAsyncEnumerable<(RedemptionRequest Request, Decision Decision)> RunAsync(
        PipelineRig rig, ClaimOracle? oracle, int days, int customers, Func<RedemptionRequest, RedemptionRequest>? instead = null)
    {
        var shop = new SimulatedRetailer(new() { Seed = 20_261_123, Start = PipelineRig.Start, Days = days, Customers = customers });
        var commands = 0;
        while (true)
        {
            var pull = shop.TryNext(out var next);
            if (pull is Pull.End) yield break;
            Assert.Equal(Pull.Event, pull);
            if (next!.At.ToDateTimeOffset() > rig.Time.GetUtcNow()) rig.Time.SetUtcNow(next.At.ToDateTimeOffset());
            switch (next)
            {
                case CampaignsDefined defined:
                    foreach (var campaign in defined.Campaigns)
                    {
                        oracle?.CodeExists(campaign.Id.ToUpperInvariant());
                        Accepted(await rig.PutAsync(campaign));
                    }

                    break;
                case CouponsAdded added:
                    foreach (var group in added.Coupons.GroupBy(coupon => coupon.CampaignId))
                    {
                        foreach (var coupon in group) oracle?.CodeExists(coupon.Code);
                        Accepted(await rig.Ledger.ExecuteAsync(new AddCoupons($"coupons:{commands++}", Actor.System, added.At, group.Key, [.. group.Select(c => new NewCoupon(c.Code, c.CustomerId, c.UsesMax))]), Lane.Bulk, TestContext.Current.CancellationToken));
                    }

                    break;
                case RedemptionAttempted { Request: var told }:
                    var request = instead?.Invoke(told) ?? told;
                    oracle?.Attempted(request);
                    var decision = await rig.RedeemAsync(request);
                    yield return (request, decision);
                    oracle?.Decided(request.Id, decision.Status is RedemptionStatus.Blocked or RedemptionStatus.Rejected);
                    shop.Observe(new(request.Id, decision.Status, decision.Refusal, decision.Status is RedemptionStatus.Approved or RedemptionStatus.Review ? decision.Proposal.Priced.Discount : 0,
                        [.. decision.Proposal.Arms.Select(arm => KeyValuePair.Create(arm.CampaignId, arm.Arm))]));
                    break;
                case CaptureIntended { Capture: var capture }: await rig.Gateway.CaptureAsync(capture, TestContext.Current.CancellationToken); break;
                case VoidIntended { Void: var ended }: await rig.Gateway.VoidAsync(ended, TestContext.Current.CancellationToken); break;
                case Ordered { Order: var order }:
                    Accepted(await rig.Gateway.RecordAsync(order, TestContext.Current.CancellationToken));
                    oracle?.Ordered(order);
                    break;
                case Returned { Return: var back }:
                    Accepted(await rig.Gateway.RecordAsync(back, TestContext.Current.CancellationToken));
                    oracle?.Returned(back);
                    break;
                case Labelled { Label: var label }:
                    Accepted(await rig.Gateway.RecordAsync(label, TestContext.Current.CancellationToken));
                    oracle?.Labelled(label);
                    break;
            }
        }
    }

    private static void Accepted(LedgerOutcome outcome) => Assert.True(outcome.Accepted, $"{outcome.Refusal} {outcome.Detail}");
}
