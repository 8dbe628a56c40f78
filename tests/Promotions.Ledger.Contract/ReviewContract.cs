using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Contract;

/// <summary>What reviewers read: open flags, answers, labels, a customer's history.</summary>
public abstract class ReviewContract(Func<ILedgerBackend> newBackend) : LedgerContract(newBackend)
{
    private Task<LedgerOutcome> Flag(string id, string customer, RedemptionStatus status = RedemptionStatus.Review) => Do(Make.Decide(Make.Proposal(id, customer, [], status)));

    private Task<LedgerOutcome> Label(string id, string redemption, bool abuse, int minute, string source = "review") =>
        Do(new RecordLabel(Make.Admin, new(id, redemption, abuse, source, "note of " + id, "ada", Make.Start.Plus(TimeSpan.FromMinutes(minute)), Make.Proposal(redemption, "ann", []).Entities)));

    [Fact]
    public async Task An_open_flag_comes_with_its_hold_and_goes_with_its_answer()
    {
        await Flag("r-1", "ann");
        await Flag("r-2", "bob", RedemptionStatus.Blocked);
        await Flag("r-3", "cid", RedemptionStatus.Approved);
        Assert.Equal([HoldState.None, HoldState.Held], Ledger.Reader.OpenFlags(10).Select(flag => flag.Hold));
        await Do(new CaptureHold("c-1", Make.Shop, Make.Start, "r-1"));
        Assert.Equal([HoldState.None, HoldState.Captured], Ledger.Reader.OpenFlags(10).Select(flag => flag.Hold));
        Assert.Equal([Ledger.Reader.FindDecision("r-2")!.Position], Ledger.Reader.OpenFlags(1).Select(flag => flag.Position));

        await Label("l-1", "r-2", true, 1, "chargeback");
        Assert.Equal(2, Ledger.Reader.OpenFlags(10).Count);       // a reviewer still has to say
        await Label("l-2", "r-2", false, 2);
        Assert.Equal([Ledger.Reader.FindDecision("r-1")!.Position], Ledger.Reader.OpenFlags(10).Select(flag => flag.Position));
    }

    [Fact]
    public async Task Answers_are_counted_once_a_flag_from_the_last_one_on()
    {
        await Flag("r-1", "ann");
        await Flag("r-2", "bob");
        await Label("l-1", "r-1", true, 1);
        await Label("l-2", "r-2", true, 1);
        await Label("l-3", "r-1", false, 3);
        Assert.Equal((2, 1, 0), (Since(1), Since(2), Since(4)));

        long Since(int minute) => Ledger.Reader.AnswersSince(Make.Start.Plus(TimeSpan.FromMinutes(minute)));
    }

    [Fact]
    public async Task Labels_come_by_redemption_in_their_order_and_the_latest_with_their_decisions()
    {
        await Flag("r-1", "ann");
        await Flag("r-2", "bob");
        await Flag("r-3", "cid", RedemptionStatus.Approved);
        await Label("l-1", "r-1", true, 1);
        await Label("l-2", "r-3", true, 2, "chargeback");
        await Label("l-3", "r-1", false, 3);
        var told = Ledger.Reader.LabelsOf(["r-3", "r-1", "r-2", "never"]);
        Assert.Equal(["l-2", "l-1", "l-3"], told.Select(label => label.Id));
        Assert.Equal((false, "review", "note of l-3", "ada", Make.Start.Plus(TimeSpan.FromMinutes(3))), (told[2].Abuse, told[2].Source, told[2].Note, told[2].Actor, told[2].At));
        Assert.True(told[1].Position < told[2].Position);

        var latest = Ledger.Reader.LatestLabelled(2);
        Assert.Equal([("r-1", false), ("r-3", true)], latest.Select(one => (one.Decision.Proposal.Request.Id, one.Abuse)));
        Assert.Equal(("chargeback", Make.Start.Plus(TimeSpan.FromMinutes(2)), HoldState.Held), (latest[1].Source, latest[1].LabelledAt, Ledger.Reader.FindDecision("r-2")!.Hold));
    }

    [Fact]
    public async Task Orders_of_a_customer_come_newest_first()
    {
        foreach (var (id, customer) in ((string, string)[])[("o-1", "ann"), ("o-2", "bob"), ("o-3", "ann")]) Assert.True((await Do(Order(id, customer))).Accepted);
        Assert.Equal([("o-3", 1_000L, "EUR", 0L), ("o-1", 1_000L, "EUR", 0L)], Ledger.Reader.OrdersOf("ann", 10).Select(order => (order.Id, order.Total, order.Currency, order.Returned)));
        Assert.Equal(["o-3"], Ledger.Reader.OrdersOf("ann", 1).Select(order => order.Id));
    }

    private static RecordOrder Order(string id, string customer) =>
        new(Make.Shop, new(id, "web-de", "key-1", new(customer, null), Make.Request("x", customer, []).Cart, 1_000, null, Make.Start, null, new byte[32]), 0, null);
}
