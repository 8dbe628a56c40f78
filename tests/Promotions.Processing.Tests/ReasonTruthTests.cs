using System.Globalization;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;

namespace Promotions.Processing.Tests;

/// <summary>Reasons are claims about people: each is held against the raw log of a simulated shop with abusers in it.</summary>
public class ReasonTruthTests
{
    /// <summary>A review costs nothing and a wronged customer a fortune: every attempt is reviewed, hence has reasons, and abusers go on.</summary>
    private static readonly FraudPolicy ReviewsAll = PipelineRig.Policy with { ReviewFloor = 0, Costs = new(1_000_000_000, 0, 5, 500, 1) };

    [Fact]
    public async Task Every_claim_of_every_reason_is_what_the_raw_log_says()
    {
        var model = ExplanationTests.DefaultModel();
        await using var rig = PipelineRig.Open(scorer: model, policy: ReviewsAll);
        var oracle = new ClaimOracle();
        var (claims, lies, kinds) = (0, new List<string>(), new HashSet<string>(StringComparer.Ordinal));

        await foreach (var (request, decision) in SimulatedShop.RunAsync(rig, oracle, days: 15, customers: 1_500))
        {
            foreach (var reason in decision.Proposal.Risk.Reasons)
            {
                claims++;
                kinds.Add(reason.Feature);
                var parts = reason.Sentence.Split("; ", 2);
                var priced = decision.Proposal.Priced;
                // "Nothing to count yet" quotes a description, which has a semicolon of its own and no comparison.
                var claim = reason.Sentence.StartsWith("Nothing", StringComparison.Ordinal) ? reason.Sentence : parts[0];
                if (oracle.Refute(claim, reason.Entity, request, priced.Discount, priced.Total - priced.Due) is { } truth)
                    lies.Add(string.Create(CultureInfo.InvariantCulture, $"{request.Id} {reason.Feature} {reason.Entity}: \"{claim}\", but: {truth}"));
            }
        }

        Assert.True(lies.Count == 0, $"{lies.Count} of {claims} claims are false:\n{string.Join('\n', lies.Take(20))}");
        Assert.True(claims > 1_000, $"Only {claims} claims were made.");
        Assert.True(kinds.Count > 20, $"Only {kinds.Count} features gave reasons.");
    }

    [Fact]
    public async Task The_same_request_again_has_the_same_reasons_and_under_a_new_id_only_the_first_attempt_is_added()
    {
        await using var rig = PipelineRig.Open(scorer: ExplanationTests.DefaultModel(), policy: ReviewsAll);
        var (seen, again) = (0, 0);

        await foreach (var (request, decision) in SimulatedShop.RunAsync(rig, new ClaimOracle(), days: 15, customers: 1_500))
        {
            if (seen++ % 5 != 0) continue;
            again++;
            if (request.Kind is AttemptKind.Redemption)
            {
                var repeated = await rig.Gateway.RedeemAsync(request, TestContext.Current.CancellationToken);
                Assert.True(repeated.Repeated);
                Assert.Equal(decision.Proposal.Risk.Reasons, repeated.Decision!.Proposal.Risk.Reasons);
            }

            var anew = await rig.RedeemAsync(request with { Id = request.Id + "-again" });
            var (first, second) = (decision.Proposal.Risk.Vector.ToArray(), anew.Proposal.Risk.Vector.ToArray());
            foreach (var feature in FeatureRegistry.Features)
            {
                var (was, now) = (first[feature.Index], second[feature.Index]);
                var why = $"{request.Id} {feature.Name}: {was}, then {now}";
                var countsAttempts = feature.Source == (byte)SeriesKind.Attempts;
                if (feature.Measure is Measure.Count && countsAttempts && feature.Entity is not EntityKind.None) Assert.True(float.IsNaN(was) ? float.IsNaN(now) : now == was + 1, why);
                else if (feature.Measure is Measure.Sum && countsAttempts) Assert.True(float.IsNaN(was) ? float.IsNaN(now) : Math.Abs(now - was - request.Cart.Subtotal) <= now * 2e-7, why);
                else if (feature.Measure is Measure.SinceLast) Assert.True(now == 0, why);
                else if (feature.Measure is Measure.Burst) Assert.True(float.IsNaN(was) ? float.IsNaN(now) : now >= was * 0.99f, why);
                // What became of the first attempt is known to the second: it was refused, or guessed codes.
                else if (feature.Name.Contains("_refusals_", StringComparison.Ordinal) || feature.Name.Contains("_invalid_codes_", StringComparison.Ordinal)) Assert.True(float.IsNaN(was) ? float.IsNaN(now) : now >= was, why);
                else Assert.True(BitConverter.SingleToInt32Bits(was) == BitConverter.SingleToInt32Bits(now), why);
            }
        }

        Assert.True(again > 50, $"Only {again} requests were sent again.");
    }

    [Fact]
    public async Task What_one_of_two_codes_did_is_not_said_of_the_first()
    {
        await using var rig = PipelineRig.Open(scorer: ExplanationTests.DefaultModel(), policy: ReviewsAll);
        await rig.PutAsync(PipelineRig.Public("NEW"));
        await rig.PutAsync(PipelineRig.Public("HOT"));
        for (var i = 0; i < 30; i++) await rig.RedeemAsync(PipelineRig.Request($"r-{i}", $"c-{i}", "hot", i, $"d-{i}"));

        var decision = await rig.RedeemAsync(PipelineRig.Request("both", "zoe", "new", 60, "d-zoe") with { Redeemables = [new(RedeemableType.Coupon, "NEW", 0), new(RedeemableType.Coupon, "HOT", 0)] });

        var reason = Assert.Single(decision.Proposal.Risk.Reasons, one => one.Feature == "coupon_accounts_24h");
        Assert.StartsWith("31 accounts redeemed with one of its codes in 24 h", reason.Sentence, StringComparison.Ordinal);
        Assert.Equal("coupon:NEW,HOT", reason.Entity);
    }
}
