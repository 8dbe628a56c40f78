using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Streams.Embedded;
using Promotions.Streams.State;

namespace Promotions.Processing.Tests;

public class EmbeddedRedemptionsTests
{
    [Fact]
    public async Task The_same_id_again_gets_the_same_answer_and_has_one_effect()
    {
        await using var rig = PipelineRig.Open(scorer: new PipelineRig.FixedScorer(-6));
        await rig.PutAsync(PipelineRig.Public("TEN", limits: new(UsesMax: 5, null, null)));

        var first = await rig.Gateway.RedeemAsync(PipelineRig.Request("r-1"), CancellationToken.None);
        var second = await rig.Gateway.RedeemAsync(PipelineRig.Request("r-1", atSeconds: 9), CancellationToken.None);

        Assert.Equal(RedemptionStatus.Approved, first.Decision!.Status);
        Assert.Equal(300, first.Decision.Proposal.Priced.Discount);
        Assert.False(first.Repeated);
        Assert.True(second.Repeated);
        Assert.Equal(first.Decision.Position, second.Decision!.Position);
        Assert.Equal(1, rig.Reader.UsageOf("TEN").UsesHeld);
        var other = await rig.Gateway.RedeemAsync(PipelineRig.Request("r-1", price: 1_600), CancellationToken.None);
        Assert.Equal(LedgerRefusal.SameIdDifferentContent, other.Refusal);
    }

    [Fact]
    public async Task Thirty_at_once_of_one_id_are_one_decision()
    {
        await using var rig = PipelineRig.Open(scorer: new PipelineRig.FixedScorer(-6));
        await rig.PutAsync(PipelineRig.Public("TEN"));

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Task.Run(() => rig.Gateway.RedeemAsync(PipelineRig.Request("r-1"), CancellationToken.None))));

        Assert.Single(answers.Select(a => a.Decision!.Position).Distinct());
        Assert.Equal(1, rig.Reader.UsageOf("TEN").UsesHeld);
        var next = await rig.RedeemAsync(PipelineRig.Request("r-2", atSeconds: 1));
        Assert.Equal(2, Value(next, "customer_attempts_1h"));      // one request id is one attempt, however often it was sent
    }

    [Theory]
    //          log-odds  verdict
    [InlineData(-6.0,     RedemptionStatus.Approved)]
    [InlineData(0.0,      RedemptionStatus.Review)]
    [InlineData(6.0,      RedemptionStatus.Blocked)]
    public async Task The_models_verdict_reaches_the_record(double raw, RedemptionStatus expected)
    {
        await using var rig = PipelineRig.Open(scorer: new PipelineRig.FixedScorer(raw));
        await rig.PutAsync(PipelineRig.Public("TEN"));

        var decision = await rig.RedeemAsync(PipelineRig.Request("r-1"));

        Assert.Equal(expected, decision.Status);
        Assert.Equal(expected is RedemptionStatus.Blocked ? HoldState.None : HoldState.Held, decision.Hold);
        Assert.Equal("fixed", rig.Reader.FindDecision("r-1")!.Proposal.Risk.ModelHash);
    }

    [Theory]
    [InlineData(ScorerFallback.Review, RedemptionStatus.Review)]
    [InlineData(ScorerFallback.Refuse, RedemptionStatus.Rejected)]
    public async Task Without_a_score_the_channels_policy_decides_and_the_record_says_so(ScorerFallback fallback, RedemptionStatus expected)
    {
        foreach (var scorer in (PipelineRig.FixedScorer?[])[null, new(double.NaN)])
        {
            await using var rig = PipelineRig.Open(scorer: scorer, policy: PipelineRig.Policy with { Channels = [new("web-*", [], fallback)] });
            await rig.PutAsync(PipelineRig.Public("TEN"));

            var decision = await rig.RedeemAsync(PipelineRig.Request("r-1"));

            Assert.Equal(expected, decision.Status);
            Assert.NotNull(decision.Proposal.Risk.ScorerFault);
        }
    }

    [Fact]
    public async Task A_rule_refusal_comes_before_fraud_and_a_hard_rule_before_the_model()
    {
        var policy = PipelineRig.Policy with { HardRules = [new("too_many", "customer_attempts_1h", 3)] };
        await using var rig = PipelineRig.Open(scorer: new PipelineRig.FixedScorer(-6), policy: policy);
        await rig.PutAsync(PipelineRig.Public("TEN"));

        Assert.Equal(RedemptionStatus.Approved, (await rig.RedeemAsync(PipelineRig.Request("r-1"))).Status);
        Assert.Equal(RefusalCode.NotAvailable, (await rig.RedeemAsync(PipelineRig.Request("r-2", code: "nope"))).Refusal);
        var third = await rig.RedeemAsync(PipelineRig.Request("r-3"));
        Assert.Equal(RedemptionStatus.Blocked, third.Status);
        Assert.Equal("too_many", third.Proposal.Risk.HardRule);
        Assert.Contains("3 attempts", third.Proposal.Risk.Reasons[0].Sentence, StringComparison.Ordinal);
        Assert.Equal(RedemptionStatus.Rejected, (await rig.RedeemAsync(PipelineRig.Request("r-4", code: "nope"))).Status);
    }

    [Fact]
    public async Task A_rule_about_a_code_and_strangers_leaves_other_codes_and_known_customers_alone()
    {
        var policy = PipelineRig.Policy with { HardRules = [new("surge", "coupon_accounts_24h", 1, "on its usual day nobody uses it", "TEN", StrangersOnly: true)] };
        await using var rig = PipelineRig.Open(scorer: new PipelineRig.FixedScorer(-6), policy: policy);
        await rig.PutAsync(PipelineRig.Public("TEN"));
        await rig.PutAsync(PipelineRig.Public("OTHER"));

        Assert.Equal(RedemptionStatus.Approved, (await rig.RedeemAsync(PipelineRig.Request("r-1", code: "OTHER"))).Status);
        var stranger = await rig.RedeemAsync(PipelineRig.Request("r-2", atSeconds: 1));
        Assert.Equal((RedemptionStatus.Blocked, "surge"), (stranger.Status, stranger.Proposal.Risk.HardRule));
        Assert.Contains("the rule 'surge' blocks customers whom nobody here had seen two days before from 1 on (on its usual day nobody uses it).", stranger.Proposal.Risk.Reasons[0].Sentence, StringComparison.Ordinal);
        var threeDaysOn = (int)TimeSpan.FromDays(3).TotalSeconds;
        Assert.Equal(RedemptionStatus.Approved, (await rig.RedeemAsync(PipelineRig.Request("r-3", atSeconds: threeDaysOn))).Status);
    }

    [Fact]
    public async Task Feedback_counts_from_its_own_position_on_and_never_for_the_event_it_judges()
    {
        await using var rig = PipelineRig.Open(scorer: new PipelineRig.FixedScorer(-6));
        await rig.PutAsync(PipelineRig.Public("TEN"));

        var first = await rig.RedeemAsync(PipelineRig.Request("r-1", code: "nope"));
        var second = await rig.RedeemAsync(PipelineRig.Request("r-2", atSeconds: 1));
        await rig.Gateway.RecordAsync(new LabelRecorded("l-1", "r-2", true, "review", null, "rita", PipelineRig.Start.Plus(TimeSpan.FromSeconds(2)), second.Proposal.Entities), CancellationToken.None);
        var third = await rig.RedeemAsync(PipelineRig.Request("r-3", atSeconds: 3));

        Assert.Equal(0, Value(first, "customer_refusals_24h"));
        Assert.Equal(1, Value(second, "customer_refusals_24h"));
        Assert.Equal(1, Value(second, "device_invalid_codes_1h"));
        Assert.True(Value(third, "customer_abuse_rate_30d") > Value(second, "customer_abuse_rate_30d"));
        Assert.Equal(HoldState.Voided, rig.Reader.FindDecision("r-2")!.Hold);       // "abuse" voids what is not captured yet
    }

    [Fact]
    public async Task A_validation_is_observed_and_books_nothing()
    {
        await using var rig = PipelineRig.Open(scorer: new PipelineRig.FixedScorer(-6));
        await rig.PutAsync(PipelineRig.Public("TEN", limits: new(1, null, null)));

        var dry = await rig.RedeemAsync(PipelineRig.Request("v-1", kind: AttemptKind.Validation));
        Assert.Equal(RedemptionStatus.Approved, dry.Status);
        Assert.Equal(0, rig.Reader.UsageOf("TEN").UsesHeld);
        var real = await rig.RedeemAsync(PipelineRig.Request("r-1", atSeconds: 1));
        Assert.Equal(2, Value(real, "customer_attempts_1h"));
        var over = await rig.RedeemAsync(PipelineRig.Request("v-2", kind: AttemptKind.Validation, atSeconds: 2));
        Assert.Equal(RefusalCode.CampaignUsesExhausted, over.Refusal);
    }

    [Fact]
    public async Task A_campaign_edited_between_price_and_commit_is_priced_again_without_being_observed_twice()
    {
        var folder = Directory.CreateTempSubdirectory("promotions-stale-").FullName;
        try
        {
            var state = new InMemoryBackend();
            await using (var rig = PipelineRig.Open(folder, state, new PipelineRig.FixedScorer(-6)))
            {
                await rig.PutAsync(PipelineRig.Public("TEN"));
                var edits = Task.Run(async () =>
                {
                    for (var version = 2; version < 40; version++) await rig.PutAsync(PipelineRig.Public("TEN", version, 1_000 + version));
                });
                var decisions = await Task.WhenAll(Enumerable.Range(0, 400).Select(i => rig.RedeemAsync(PipelineRig.Request($"r-{i}", $"c-{i % 5}", atSeconds: i))));
                await edits;

                Assert.All(decisions, d => Assert.Equal(RedemptionStatus.Approved, d.Status));
                Assert.All(decisions, d => Assert.Equal(
                    3_000 * (d.Proposal.Priced.Redeemables[0].CampaignVersion is var v and > 1 ? 1_000 + v : 1_000) / 10_000.0, d.Proposal.Priced.Discount, 1.0));
            }

            // A restart without a checkpoint replays the whole log and compares every vector: it would stop here if one had been counted twice.
            await using var again = PipelineRig.Open(folder, new InMemoryBackend(), new PipelineRig.FixedScorer(-6));
            Assert.Equal(RedemptionStatus.Approved, (await again.RedeemAsync(PipelineRig.Request("r-x", atSeconds: 500))).Status);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task State_after_a_restart_equals_that_of_an_uninterrupted_run_wherever_the_checkpoint_stood()
    {
        var expected = await RunAsync(restartsAt: [], checkpointBefore: false);
        foreach (var restarts in (int[][])[[1], [30], [59], [10, 20, 40]])
            foreach (var checkpoint in (bool[])[true, false])
                Assert.Equal(expected, await RunAsync(restarts, checkpoint));

        static async Task<string> RunAsync(int[] restartsAt, bool checkpointBefore)
        {
            var folder = Directory.CreateTempSubdirectory("promotions-restart-").FullName;
            var state = new InMemoryBackend();
            var rig = PipelineRig.Open(folder, state, new PipelineRig.FixedScorer(-6));
            try
            {
                await rig.PutAsync(PipelineRig.Public("TEN"));
                for (var i = 0; i < 60; i++)
                {
                    if (restartsAt.Contains(i))
                    {
                        await rig.DisposeAsync();                                   // writes a checkpoint
                        if (!checkpointBefore) state = new InMemoryBackend();       // and this loses it: a longer replay
                        rig = PipelineRig.Open(folder, state, new PipelineRig.FixedScorer(-6));
                    }

                    await rig.RedeemAsync(PipelineRig.Request($"r-{i}", $"c-{i % 4}", i % 6 == 0 ? "nope" : "ten", i * 37, $"d-{i % 3}"));
                    if (i % 5 == 0) await rig.Gateway.RecordAsync(Order($"o-{i}", $"c-{i % 4}", i * 37), CancellationToken.None);
                }

                var last = await rig.RedeemAsync(PipelineRig.Request("r-last", "c-1", atSeconds: 3_000));
                return string.Join(' ', last.Proposal.Risk.Vector.ToArray());
            }
            finally
            {
                await rig.DisposeAsync();
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    [Fact]
    public async Task State_of_another_ledger_is_refused_at_start()
    {
        var state = new InMemoryBackend();
        await using (var rig = PipelineRig.Open(state: state, scorer: new PipelineRig.FixedScorer(-6)))
        {
            await rig.PutAsync(PipelineRig.Public("TEN"));
            for (var i = 0; i < 5; i++) await rig.RedeemAsync(PipelineRig.Request($"r-{i}"));
        }

        var refused = Assert.Throws<ReplayMismatchException>(() => PipelineRig.Open(state: state));
        Assert.Contains("another log", refused.Message, StringComparison.Ordinal);
    }

    private static OrderPlaced Order(string id, string customer, int atSeconds) => new(
        id, "web-de", "key-1", new CustomerRef(customer, null), new Cart(id, "EUR", [new("1", "mug", null, 1, 2_000)], 0), 2_000, null,
        PipelineRig.Start.Plus(TimeSpan.FromSeconds(atSeconds)), null, new byte[32]);

    private static float Value(Decision decision, string feature) => decision.Proposal.Risk.Vector.Span[FeatureRegistry.IndexOf(feature)];
}
