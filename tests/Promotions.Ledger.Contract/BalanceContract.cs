using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Contract;

/// <summary>Cash, points in lots, orders and returns.</summary>
public abstract class BalanceContract(Func<ILedgerBackend> newBackend) : LedgerContract(newBackend)
{
    [Fact]
    public async Task Points_are_spent_earliest_expiry_first_and_return_to_their_own_lots()
    {
        await Do(new GrantPoints("late", Make.Admin, Make.Start, "ann", 100, Make.Start.Plus(TimeSpan.FromDays(9)), null));
        await Do(new GrantPoints("never", Make.Admin, Make.Start, "ann", 100, null, null));
        await Do(new GrantPoints("soon", Make.Admin, Make.Start, "ann", 100, Make.Start.Plus(TimeSpan.FromDays(1)), null));
        await Redeem("r-1", "ann", Make.Pay(RedeemableType.Points, 150));

        Assert.Equal([("soon", 0L, 100L), ("late", 50L, 50L), ("never", 100L, 0L)], Lots());
        await Do(new VoidHold("v-1", Make.Shop, Make.Start, "r-1", null));
        Assert.Equal([("soon", 100L, 0L), ("late", 100L, 0L), ("never", 100L, 0L)], Lots());

        IEnumerable<(string, long, long)> Lots() => Ledger.Reader.BalancesOf("ann").Single().Lots.Select(l => (l.Origin, l.Remaining, l.Held));
    }

    [Fact]
    public async Task A_lot_cannot_be_spent_from_the_instant_it_expires()
    {
        var end = Make.Start.Plus(TimeSpan.FromDays(1));
        await Do(new GrantPoints("g-1", Make.Admin, Make.Start, "ann", 100, end, null));
        Time.SetUtcNow(end.ToDateTimeOffset());

        Assert.Equal(RefusalCode.InsufficientBalance, (await Redeem("r-1", "ann", Make.Pay(RedeemableType.Points, 1))).Decision!.Refusal);
        Assert.Equal(0, Ledger.Reader.BalancesOf("ann").Single().Available);
        Assert.Equal("1", (await Do(new ExpireDue("e-1", Actor.System, end, 10))).Detail);
        Assert.Equal("0", (await Do(new ExpireDue("e-2", Actor.System, end, 10))).Detail);
    }

    [Fact]
    public async Task Orders_earn_points_and_returns_never_exceed_the_order()
    {
        var order = new OrderPlaced("o-1", "web-de", "key-1", new("ann", null), Make.Request("x", "ann", []).Cart, 10_000, null, Make.Start, null, new byte[32]);
        Assert.True((await Do(new RecordOrder(Make.Shop, order, 100, null))).Accepted);
        Assert.Equal(100, Ledger.Reader.BalancesOf("ann").Single().Available);
        Assert.True((await Do(new RecordReturn(Make.Shop, new("ret-1", "o-1", "ann", 9_000, Make.Start, new byte[32])))).Accepted);
        Assert.Equal(LedgerRefusal.InvalidCommand, (await Do(new RecordReturn(Make.Shop, new("ret-2", "o-1", "ann", 1_001, Make.Start, new byte[32])))).Refusal);
    }

    [Fact]
    public async Task An_amount_beyond_64_bits_is_refused_and_changes_nothing()
    {
        Assert.True((await Do(new DepositCash("d-1", Make.Admin, Make.Start, "ann", "EUR", long.MaxValue, null))).Accepted);
        Assert.Equal(LedgerRefusal.InvalidCommand, (await Do(new DepositCash("d-2", Make.Admin, Make.Start, "ann", "EUR", 1, null))).Refusal);
        Assert.Equal(long.MaxValue, Ledger.Reader.BalancesOf("ann").Single().Available);
    }

    [Fact]
    public async Task Coupon_points_and_cash_are_taken_together_or_not_at_all()
    {
        var coupon = await ACoupon();
        await Do(new DepositCash("d-1", Make.Admin, Make.Start, "ann", "EUR", 1_000, null));
        await Do(new GrantPoints("g-1", Make.Admin, Make.Start, "ann", 300, null, null));

        var tooMuch = await Redeem("r-1", "ann", Make.Use(coupon), Make.Pay(RedeemableType.Points, 300), Make.Pay(RedeemableType.Cash, 1_001));
        Assert.Equal(RefusalCode.InsufficientBalance, tooMuch.Decision!.Refusal);
        Assert.All(Ledger.Reader.BalancesOf("ann"), b => Assert.Equal(0, b.Held));
        Assert.Equal(0, Ledger.Reader.UsageOf("spring").UsesHeld);

        var all = await Redeem("r-2", "ann", Make.Use(coupon), Make.Pay(RedeemableType.Points, 300), Make.Pay(RedeemableType.Cash, 1_000));
        Assert.Equal(RedemptionStatus.Approved, all.Decision!.Status);
        Assert.Equal([("cash", 0L, 1_000L), ("points", 0L, 300L)], Ledger.Reader.BalancesOf("ann").Select(b => (b.Segment, b.Available, b.Held)));

        await Do(new CaptureHold("c-1", Make.Shop, Make.Start, "r-2"));
        Assert.Equal([("cash", 0L, 0L), ("points", 0L, 0L)], Ledger.Reader.BalancesOf("ann").Select(b => (b.Segment, b.Available, b.Held)));
    }
}
