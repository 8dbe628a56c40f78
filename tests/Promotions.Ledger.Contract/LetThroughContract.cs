using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Contract;

/// <summary>What would-be blocks may take on a day.</summary>
public abstract class LetThroughContract(Func<ILedgerBackend> newBackend) : LedgerContract(newBackend)
{
    private const long DayMax = 1_000;

    [Fact]
    public async Task Would_be_blocks_pass_while_the_days_value_has_room_for_them_and_are_blocked_then()
    {
        Assert.Equal(RedemptionStatus.Approved, await Pass("r-1", 600));
        Assert.Equal(RedemptionStatus.Blocked, await Pass("r-2", 401));
        Assert.Equal(RedemptionStatus.Approved, await Pass("r-3", 400));
        Assert.Equal(RedemptionStatus.Blocked, await Pass("r-4", 1));
        Assert.Equal(RedemptionStatus.Approved, await Pass("r-5", 0));

        var refused = Ledger.Reader.FindDecision("r-2")!;
        Assert.Equal((RefusalCode.None, HoldState.None, true), (refused.Refusal, refused.Hold, refused.Proposal.Risk.LetThrough!.Drawn));
        Assert.Equal(HoldState.Held, Ledger.Reader.FindDecision("r-1")!.Hold);
    }

    [Fact]
    public async Task Another_day_and_another_currency_have_a_value_of_their_own_also_after_a_restart()
    {
        Assert.Equal(RedemptionStatus.Approved, await Pass("r-1", DayMax));
        Assert.Equal(RedemptionStatus.Approved, await Pass("r-2", DayMax, at: Make.Start.Plus(TimeSpan.FromDays(1))));
        Assert.Equal(RedemptionStatus.Approved, await Pass("r-3", DayMax, currency: "CHF"));
        await Reopen();
        Assert.Equal(RedemptionStatus.Blocked, await Pass("r-4", 1));
        Assert.Equal(RedemptionStatus.Blocked, await Pass("r-5", 1, currency: "CHF"));
    }

    [Fact]
    public async Task What_was_let_through_stays_counted_when_its_hold_is_voided()
    {
        Assert.Equal(RedemptionStatus.Approved, await Pass("r-1", DayMax));
        Assert.True((await Do(new VoidHold("v-1", Make.Shop, Make.Start, "r-1", null))).Accepted);
        Assert.Equal(RedemptionStatus.Blocked, await Pass("r-2", 1));
    }

    [Fact]
    public async Task A_limit_that_refuses_takes_nothing_from_the_day_and_a_full_day_nothing_from_the_limit()
    {
        var coupon = await ACoupon();
        await Redeem("r-1", "bob", Make.Use(coupon));
        Assert.Equal(RedemptionStatus.Rejected, await Pass("r-2", DayMax, redeemables: Make.Use(coupon)));
        Assert.Equal(RedemptionStatus.Approved, await Pass("r-3", DayMax));

        var other = await ACoupon("OTHER");
        Assert.Equal(RedemptionStatus.Blocked, await Pass("r-4", 1, redeemables: Make.Use(other)));
        Assert.Equal(RedemptionStatus.Approved, (await Redeem("r-5", "cid", Make.Use(other))).Decision!.Status);
    }

    [Fact]
    public async Task A_dry_run_takes_nothing_from_the_day()
    {
        Assert.Equal(RedemptionStatus.Approved, await Pass("v-1", DayMax, kind: AttemptKind.Validation));
        Assert.Equal(RedemptionStatus.Approved, await Pass("r-1", DayMax));
        Assert.Equal(RedemptionStatus.Blocked, await Pass("v-2", 1, kind: AttemptKind.Validation));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1.5, 1)]
    [InlineData(0.1, -1)]
    public async Task A_draw_that_cannot_be_is_refused(double propensity, long value) =>
        Assert.Equal((LedgerRefusal.InvalidCommand, "let_through"), await Refusal(Proposal("r-1", new(propensity, true, value, DayMax))));

    [Fact]
    public async Task A_hard_rules_block_is_never_let_through()
    {
        var proposal = Proposal("r-1", new(0.1, true, 1, DayMax));
        Assert.Equal((LedgerRefusal.InvalidCommand, "let_through"), await Refusal(proposal with { Risk = proposal.Risk with { HardRule = "guessing" } }));
        Assert.Equal((LedgerRefusal.InvalidCommand, "let_through"), await Refusal(proposal with { Risk = proposal.Risk with { Verdict = RedemptionStatus.Review } }));
    }

    private async Task<(LedgerRefusal, string?)> Refusal(DecisionProposal proposal)
    {
        var outcome = await Do(Make.Decide(proposal));
        return (outcome.Refusal, outcome.Detail);
    }

    private async Task<RedemptionStatus> Pass(
        string id, long value, Domain.EventTime? at = null, string currency = "EUR", AttemptKind kind = AttemptKind.Redemption, params PricedRedeemable[] redeemables)
    {
        var proposal = Proposal(id, new(0.1, true, value, DayMax), kind, redeemables);
        proposal = proposal with { Request = proposal.Request with { At = at ?? Make.Start, Cart = proposal.Request.Cart with { Currency = currency } } };
        return (await Do(Make.Decide(proposal))).Decision!.Status;
    }

    private static DecisionProposal Proposal(string id, LetThroughDraw draw, AttemptKind kind = AttemptKind.Redemption, params PricedRedeemable[] redeemables)
    {
        var proposal = Make.Proposal(id, "ann", redeemables, kind: kind);
        return proposal with { Risk = proposal.Risk with { Verdict = RedemptionStatus.Blocked, LetThrough = draw } };
    }
}
