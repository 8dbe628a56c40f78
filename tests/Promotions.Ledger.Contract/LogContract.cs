using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Contract;

/// <summary>The embedded log, follow-ups, lanes, settings, and what is there after opening again.</summary>
public abstract class LogContract(Func<ILedgerBackend> newBackend) : LedgerContract(newBackend)
{
    [Fact]
    public async Task Log_records_and_their_follow_ups_come_back_in_order()
    {
        var coupon = await ACoupon();
        var request = Make.Decide(Make.Proposal("r-1", "ann", [Make.Use(coupon)]));
        var receipt = await Ledger.CommitAsync(
            [new("redemption-requests", "ann", new byte[] { 1, 2 }, Make.Start, 7, request), new("orders", "bob", new byte[] { 3 }, Make.Start, 0, null)],
            outcomes => [new("outcomes", "ann", new byte[] { (byte)outcomes[0]!.Decision!.Status }, Make.Start, 0, null)],
            TestContext.Current.CancellationToken);

        var log = Ledger.Reader.ReadLog(0, 10);
        Assert.Equal(["redemption-requests", "orders", "outcomes"], log.Select(r => r.Topic));
        Assert.Equal((receipt.LastPosition, receipt.LastPosition), (log[^1].Position, Ledger.Reader.LastLogPosition));
        Assert.Equal((7UL, 2), (log[0].StateHash, log[0].Value.Length));
        Assert.Equal(receipt.Outcomes[0]!.Position, log[0].Position);
        Assert.Equal(log[2].Position, receipt.FollowUps.Single().Position);

        var again = await Ledger.CommitAsync([new("redemption-requests", "ann", new byte[] { 1, 2 }, Make.Start, 7, request)], _ => [], TestContext.Current.CancellationToken);
        Assert.True(again.Outcomes[0]!.Repeated);
        Assert.Equal(3, Ledger.Reader.ReadLog(0, 10).Count);
    }

    [Fact]
    public async Task A_follow_up_that_throws_takes_its_batch_back()
    {
        await Assert.ThrowsAsync<LedgerFaultException>(() => Ledger.CommitAsync(
            [new("orders", "ann", new byte[] { 1 }, Make.Start, 0, Deposit("d-1"))], _ => throw new InvalidOperationException("no"), TestContext.Current.CancellationToken));
        Assert.Empty(Ledger.Reader.BalancesOf("ann"));
        Assert.Equal(0, Ledger.Reader.LastLogPosition);
        Assert.False((await Do(Deposit("d-1"))).Repeated);
    }

    [Fact]
    public async Task A_callers_fault_is_its_own_in_a_transaction_of_many()
    {
        using var gate = new ManualResetEventSlim();
        var coupon = await ACoupon(usesMax: 2);
        var first = Ledger.CommitAsync([Record("r-first", Use("r-first"))], _ => { gate.Wait(TestContext.Current.CancellationToken); return []; }, TestContext.Current.CancellationToken);
        var bulk = Ledger.ExecuteManyAsync([.. Enumerable.Range(0, 3).Select(i => Deposit("bulk-" + i, "bea"))], null, TestContext.Current.CancellationToken);
        var many = Enumerable.Range(0, 7).Select(i => Ledger.CommitAsync([Record("d-" + i, Deposit("d-" + i))],
            outcomes => i is 2 or 5 ? throw new InvalidOperationException("no " + i) : [new("outcomes", "ann", new byte[] { (byte)i }, Make.Start, 0, null)], TestContext.Current.CancellationToken)).ToArray();
        var second = Ledger.CommitAsync([Record("r-second", Use("r-second"))], _ => [], TestContext.Current.CancellationToken);
        gate.Set();   // all of them wait for the writer by now, so that they share a transaction

        Assert.Equal(RedemptionStatus.Approved, (await first).Outcomes[0]!.Decision!.Status);
        Assert.Equal(RedemptionStatus.Approved, (await second).Outcomes[0]!.Decision!.Status);
        Assert.All(await bulk, o => Assert.True(o is { Accepted: true, Repeated: false }));
        for (var i = 0; i < many.Length; i++)
        {
            if (i is 2 or 5) Assert.Contains("no " + i, (await Assert.ThrowsAsync<LedgerFaultException>(() => many[i])).Message, StringComparison.Ordinal);
            else Assert.Equal((byte)i, (await many[i]).FollowUps.Single().Value.Span[0]);
        }

        Assert.Equal(5, Ledger.Reader.BalancesOf("ann").Single().Available);
        Assert.Equal(3, Ledger.Reader.BalancesOf("bea").Single().Available);
        Assert.Equal(["r-first", "d-0", "outcomes", "d-1", "outcomes", "d-3", "outcomes", "d-4", "outcomes", "d-6", "outcomes", "r-second"],
            Ledger.Reader.ReadLog(0, 100).Select(r => r.Topic is "outcomes" ? r.Topic : r.Key));
        Assert.False((await Do(Deposit("d-2"))).Repeated);
        Assert.True((await Do(Deposit("d-3"))).Repeated);

        LogAppend Record(string key, LedgerCommand command) => new("redemption-requests", key, new byte[] { 1 }, Make.Start, 0, command);
        DecideRedemption Use(string id) => Make.Decide(Make.Proposal(id, "ann", [Make.Use(coupon)]));
    }

    [Fact]
    public async Task All_that_was_answered_is_there_after_opening_again()
    {
        var coupon = await ACoupon();
        var first = await Redeem("r-1", "ann", Make.Use(coupon));
        await Do(new DepositCash("d-1", Make.Admin, Make.Start, "ann", "EUR", 700, null));
        var told = Ledger.Reader.ReadOutbox(0, 100);
        await Reopen();

        Assert.Equal(first.Decision!.HoldExpiresAt, Ledger.Reader.FindDecision("r-1")!.HoldExpiresAt);
        Assert.Equal(1, Ledger.Reader.UsageOf("spring").UsesHeld);
        Assert.Equal(700, Ledger.Reader.BalancesOf("ann").Single().Available);
        Assert.Equal(coupon, Ledger.Campaigns.FindCoupon(coupon.Code));
        Assert.Equal(told.Select(Told), Ledger.Reader.ReadOutbox(0, 100).Select(Told));
        Assert.Equal((true, first.Position), Both(await Redeem("r-1", "ann", Make.Use(coupon))));
        Assert.Equal(RefusalCode.CouponUsesExhausted, (await Redeem("r-2", "bob", Make.Use(coupon))).Decision!.Refusal);

        static (bool, long) Both(LedgerOutcome outcome) => (outcome.Repeated, outcome.Position);
        static (long, string, string, string) Told(OutboxEvent row) => (row.Position, row.Type, row.Key, Convert.ToHexString(row.Payload.Span));
    }

    [Fact]
    public async Task Settings_survive_and_only_peoples_changes_leave_an_entry()
    {
        await Settings.PutAsync("cursors", "clickhouse", "12", Actor.System, TestContext.Current.CancellationToken);
        Assert.Equal(1, (await Do(Deposit("d-1"))).Position);
        await Settings.PutAsync("channel:web-de", "capture_waits_for_review", "true", Make.Admin, TestContext.Current.CancellationToken);
        Assert.Equal(3, (await Do(Deposit("d-2"))).Position);

        await Reopen();
        Assert.Equal("12", Settings.Find("cursors", "clickhouse"));
        Assert.Equal([new("capture_waits_for_review", "true")], Settings.List("channel:web-de"));
        await Settings.PutAsync("cursors", "clickhouse", null, Actor.System, TestContext.Current.CancellationToken);
        Assert.Null(Settings.Find("cursors", "clickhouse"));
    }

    [Fact]
    public async Task Capture_of_a_flagged_redemption_waits_for_the_review_where_the_channel_says_so()
    {
        await Settings.PutAsync("channel:web-de", "capture_waits_for_review", "true", Make.Admin, TestContext.Current.CancellationToken);
        await Do(Make.Decide(Make.Proposal("r-1", "ann", [], RedemptionStatus.Review)));
        Assert.Equal(LedgerRefusal.ReviewPending, (await Do(new CaptureHold("c-1", Make.Shop, Make.Start, "r-1"))).Refusal);
        await Do(new RecordLabel(Make.Admin, new("l-1", "r-1", false, "review", null, "ada", Make.Start, Make.Proposal("r-1", "ann", []).Entities)));
        Assert.True((await Do(new CaptureHold("c-1", Make.Shop, Make.Start, "r-1"))).Accepted);
    }

    [Fact]
    public async Task Bulk_work_lets_decisions_through_and_counts_what_is_durable()
    {
        var counted = new List<int>();
        var bulk = Ledger.ExecuteManyAsync([.. Enumerable.Range(0, 3_000).Select(i => new GrantPoints("g-" + i, Make.Admin, Make.Start, "c-" + i, 5, null, null))],
            new Reported(counted), TestContext.Current.CancellationToken);
        var outcome = await Do(Deposit("d-1"));
        Assert.True(outcome.Accepted);
        Assert.True(outcome.Position < 3_000, "The deposit waited for all grants.");
        Assert.All(await bulk, o => Assert.True(o.Accepted));
        Assert.Equal(3_000, counted[^1]);
        Assert.True(counted.SequenceEqual(counted.Order()));
    }

    private sealed class Reported(List<int> counts) : IProgress<int>
    {
        public void Report(int value) => counts.Add(value);
    }
}
