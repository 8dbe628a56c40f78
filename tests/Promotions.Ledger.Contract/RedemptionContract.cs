using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Contract;

/// <summary>Holds, limits, ids, staleness and deadlines of redemptions.</summary>
public abstract class RedemptionContract(Func<ILedgerBackend> newBackend) : LedgerContract(newBackend)
{
    [Fact]
    public async Task A_coupon_is_held_then_captured()
    {
        var coupon = await ACoupon();
        var outcome = await Redeem("r-1", "ann", Make.Use(coupon));

        Assert.True(outcome.Accepted);
        Assert.Equal((RedemptionStatus.Approved, HoldState.Held), (outcome.Decision!.Status, outcome.Decision.Hold));
        Assert.Equal(Make.Start.Plus(TimeSpan.FromMinutes(30)), outcome.Decision.HoldExpiresAt);
        Assert.Equal(new("spring", 1, 0, 500, 0, 1), Ledger.Reader.UsageOf("spring"));

        Assert.True((await Do(new CaptureHold("c-1", Make.Shop, Make.Start, "r-1"))).Accepted);
        Assert.Equal(new("spring", 0, 1, 0, 500, 1), Ledger.Reader.UsageOf("spring"));
        Assert.Equal(HoldState.Captured, Ledger.Reader.FindDecision("r-1")!.Hold);
    }

    [Fact]
    public async Task The_second_use_of_a_single_use_coupon_is_rejected_and_recorded()
    {
        var coupon = await ACoupon();
        await Redeem("r-1", "ann", Make.Use(coupon));
        var second = await Redeem("r-2", "bob", Make.Use(coupon));

        Assert.True(second.Accepted);
        Assert.Equal((RedemptionStatus.Rejected, RefusalCode.CouponUsesExhausted, HoldState.None), (second.Decision!.Status, second.Decision.Refusal, second.Decision.Hold));
        Assert.Equal(RefusalCode.CouponUsesExhausted, Ledger.Reader.FindDecision("r-2")!.Refusal);
    }

    [Fact]
    public async Task A_voided_hold_can_be_taken_again()
    {
        var coupon = await ACoupon();
        await Redeem("r-1", "ann", Make.Use(coupon));
        Assert.True((await Do(new VoidHold("v-1", Make.Shop, Make.Start, "r-1", "cancelled"))).Accepted);

        Assert.Equal(RedemptionStatus.Approved, (await Redeem("r-2", "bob", Make.Use(coupon))).Decision!.Status);
        Assert.Equal(LedgerRefusal.HoldVoided, (await Do(new CaptureHold("c-1", Make.Shop, Make.Start, "r-1"))).Refusal);
    }

    [Fact]
    public async Task The_same_id_and_content_answers_as_before_and_changes_nothing()
    {
        var coupon = await ACoupon();
        var first = await Redeem("r-1", "ann", Make.Use(coupon));
        var position = Ledger.Reader.LastOutboxPosition;
        var again = await Redeem("r-1", "ann", Make.Use(coupon));

        Assert.True(again.Repeated);
        Assert.Equal(first.Position, again.Position);
        Assert.Equal(RedemptionStatus.Approved, again.Decision!.Status);
        Assert.Equal(position, Ledger.Reader.LastOutboxPosition);
    }

    [Fact]
    public async Task The_same_id_with_other_content_is_refused()
    {
        var coupon = await ACoupon();
        await Redeem("r-1", "ann", Make.Use(coupon));

        Assert.Equal(LedgerRefusal.SameIdDifferentContent, (await Redeem("r-1", "bob", Make.Use(coupon))).Refusal);
        Assert.Equal(LedgerRefusal.SameIdDifferentContent, (await Do(new DepositCash("r-1", Make.Admin, Make.Start, "ann", "EUR", 5, null))).Refusal);
    }

    [Fact]
    public async Task A_hold_that_is_over_is_not_captured_and_expires()
    {
        var coupon = await ACoupon();
        await Redeem("r-1", "ann", Make.Use(coupon));
        Time.Advance(TimeSpan.FromMinutes(30));

        Assert.Equal(LedgerRefusal.HoldExpired, (await Do(new CaptureHold("c-1", Make.Shop, Make.Start, "r-1"))).Refusal);
        Assert.Equal("1", (await Do(new ExpireDue("e-1", Actor.System, Make.Start, 10))).Detail);
        Assert.Equal(HoldState.Expired, Ledger.Reader.FindDecision("r-1")!.Hold);
        Assert.Equal(RedemptionStatus.Approved, (await Redeem("r-2", "bob", Make.Use(coupon))).Decision!.Status);
    }

    [Fact]
    public async Task A_void_that_comes_first_refuses_the_late_request()
    {
        var coupon = await ACoupon();
        var early = await Do(new VoidHold("v-1", Make.Shop, Make.Start, "r-1", null));
        Assert.True(early.Accepted);
        Assert.Null(early.Decision);

        var late = await Redeem("r-1", "ann", Make.Use(coupon));
        Assert.Equal(LedgerRefusal.VoidedBefore, late.Refusal);
        Assert.Equal((RedemptionStatus.Rejected, RefusalCode.VoidedBefore), (late.Decision!.Status, late.Decision.Refusal));
        Assert.Equal((LedgerRefusal.VoidedBefore, true), Both(await Redeem("r-1", "ann", Make.Use(coupon))));

        static (LedgerRefusal, bool) Both(LedgerOutcome outcome) => (outcome.Refusal, outcome.Repeated);
    }

    [Fact]
    public async Task Past_the_deadline_nothing_is_recorded_and_a_retry_is_decided()
    {
        var coupon = await ACoupon();
        Time.Advance(TimeSpan.FromSeconds(2));
        var late = await Do(Make.Decide(Make.Proposal("r-1", "ann", [Make.Use(coupon)], deadline: Make.Start.Plus(TimeSpan.FromSeconds(1)))));
        Assert.Equal(LedgerRefusal.DeadlinePassed, late.Refusal);
        Assert.Null(Ledger.Reader.FindDecision("r-1"));

        var retry = await Do(Make.Decide(Make.Proposal("r-1", "ann", [Make.Use(coupon)], deadline: Make.Start.Plus(TimeSpan.FromSeconds(3)))));
        Assert.Equal(RedemptionStatus.Approved, retry.Decision!.Status);
    }

    [Fact]
    public async Task A_price_on_an_old_campaign_version_or_a_revoked_coupon_is_stale()
    {
        var coupon = await ACoupon();
        await Do(new PutCampaign("put-2", Make.Admin, Make.Start, Make.Campaign(version: 2)));
        Assert.Equal(LedgerRefusal.StaleCampaign, (await Redeem("r-1", "ann", Make.Use(coupon))).Refusal);
        await Do(new RevokeCoupon("rev-1", Make.Admin, Make.Start, coupon.Code));
        Assert.Equal(LedgerRefusal.StaleCampaign, (await Redeem("r-1", "ann", Make.Use(coupon, version: 2))).Refusal);
        Assert.Null(Ledger.Reader.FindDecision("r-1"));
        Assert.True(Ledger.Campaigns.FindCoupon(coupon.Code)!.Revoked);
    }

    [Theory]
    //          uses  each  budget  refused as
    [InlineData(1, null, null, RefusalCode.CampaignUsesExhausted)]
    [InlineData(null, 1, null, RefusalCode.CustomerUsesExhausted)]
    [InlineData(null, null, 999, RefusalCode.BudgetExhausted)]
    public async Task Each_limit_refuses_with_its_own_code(int? uses, int? each, int? budget, RefusalCode refusal)
    {
        var coupon = await ACoupon(limits: new(uses, each, budget), usesMax: null);
        Assert.Equal(RedemptionStatus.Approved, (await Redeem("r-1", "ann", Make.Use(coupon))).Decision!.Status);
        Assert.Equal(refusal, (await Redeem("r-2", "ann", Make.Use(coupon))).Decision!.Refusal);
    }

    [Fact]
    public async Task A_changed_limit_counts_from_the_next_redemption()
    {
        var coupon = await ACoupon(limits: new(1, null, null), usesMax: null);
        await Redeem("r-1", "ann", Make.Use(coupon));
        Assert.Equal(0, Ledger.Reader.RemainingLimits("spring", null, "bob").CampaignUses);
        await Do(new PutCampaign("put-2", Make.Admin, Make.Start, Make.Campaign(version: 2, limits: new(2, null, null))));
        Assert.Equal(1, Ledger.Reader.RemainingLimits("spring", null, "bob").CampaignUses);
        Assert.Equal(RedemptionStatus.Approved, (await Redeem("r-2", "bob", Make.Use(coupon, version: 2))).Decision!.Status);
        await Do(new PutCampaign("put-3", Make.Admin, Make.Start, Make.Campaign(version: 3, limits: new(1, null, null))));
        await Do(new VoidHold("v-1", Make.Shop, Make.Start, "r-1", null));
        Assert.Equal(RefusalCode.CampaignUsesExhausted, (await Redeem("r-3", "cem", Make.Use(coupon, version: 3))).Decision!.Refusal);
    }

    [Fact]
    public async Task A_validation_checks_the_limits_and_books_nothing()
    {
        var coupon = await ACoupon();
        var dry = await Do(Make.Decide(Make.Proposal("r-1", "ann", [Make.Use(coupon)], kind: AttemptKind.Validation)));
        Assert.Equal((RedemptionStatus.Approved, HoldState.None), (dry.Decision!.Status, dry.Decision.Hold));
        Assert.Equal(1, Ledger.Reader.RemainingLimits("spring", coupon.Code, "ann").CouponUses);
    }

    [Fact]
    public async Task The_first_arm_in_the_log_wins()
    {
        await ACoupon();
        var treated = new ArmAssignment("spring", 1, "ann", Arm.Treated, false, Make.Start);
        await Do(new LogTrigger("t-1", Make.Shop, Make.Start, [treated]));
        await Do(new LogTrigger("t-2", Make.Shop, Make.Start, [treated with { Arm = Arm.Control, GhostOffer = true }]));
        Assert.Equal(Arm.Treated, Ledger.Campaigns.FindArm("spring", "ann"));
        Assert.Equal(Arm.None, Ledger.Campaigns.FindArm("spring", "bob"));
    }

    [Fact]
    public async Task An_abuse_label_voids_an_open_hold_and_answers_the_flag()
    {
        var coupon = await ACoupon();
        await Do(Make.Decide(Make.Proposal("r-1", "ann", [Make.Use(coupon)], RedemptionStatus.Review)));
        Assert.Null(Ledger.Reader.Flags(true, 10).Single().Answer);

        var label = new LabelRecorded("l-1", "r-1", true, "review", "ring", "ada", Make.Start, Make.Proposal("r-1", "ann", []).Entities);
        Assert.True((await Do(new RecordLabel(Make.Admin, label))).Accepted);
        Assert.Equal(HoldState.Voided, Ledger.Reader.FindDecision("r-1")!.Hold);
        Assert.Empty(Ledger.Reader.Flags(true, 10));
        Assert.True(Ledger.Reader.FindFlag("r-1")!.Answer);
    }

    [Fact]
    public async Task Labels_are_read_in_the_order_of_their_recording()
    {
        await Do(Make.Decide(Make.Proposal("r-1", "ann", [])));
        await Do(Make.Decide(Make.Proposal("r-2", "bob", [])));
        await LabelAsync("l-1", "r-2", true, "chargeback");
        await LabelAsync("l-2", "r-1", false, "review");
        await LabelAsync("l-3", "r-2", false, "review");

        var labels = Ledger.Reader.Labels(0, 10);
        Assert.Equal([("r-2", true, "chargeback"), ("r-1", false, "review"), ("r-2", false, "review")], labels.Select(l => (l.RedemptionId, l.Abuse, l.Source)));
        Assert.Equal(Make.Start, labels[0].At);
        Assert.True(labels[0].Position > Ledger.Reader.FindDecision("r-2")!.Position && labels[1].Position > labels[0].Position);
        Assert.Equal([labels[1]], Ledger.Reader.Labels(labels[0].Position, 1));
        Assert.Empty(Ledger.Reader.Labels(labels[2].Position, 10));

        async Task LabelAsync(string id, string redemption, bool abuse, string source) =>
            Assert.True((await Do(new RecordLabel(Make.Admin, new(id, redemption, abuse, source, null, "ada", Make.Start, Make.Proposal(redemption, "ann", []).Entities)))).Accepted);
    }

    [Fact]
    public async Task Of_thirty_parallel_redemptions_of_a_single_use_coupon_one_wins()
    {
        for (var round = 0; round < 20; round++)
        {
            var coupon = await ACoupon("C" + round);
            var outcomes = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Task.Run(() => Redeem($"r-{coupon.Code}-{i}", "c-" + i, Make.Use(coupon)))));
            Assert.Single(outcomes, o => o.Decision!.Status is RedemptionStatus.Approved);
            Assert.Equal(29, outcomes.Count(o => o.Decision!.Refusal is RefusalCode.CouponUsesExhausted));
        }
    }
}
