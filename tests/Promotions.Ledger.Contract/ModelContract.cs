using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Contract;

/// <summary>Random commands against a naive model: dictionaries, no caches, no batches. Outcomes and balances must agree, and what is stored must verify.</summary>
public abstract class ModelContract(Func<ILedgerBackend> newBackend)
{
    private static readonly string[] Customers = ["ann", "bob"];
    private static readonly string[] Codes = ["A", "B"];

    private abstract record Step;
    private sealed record RedeemStep(int Customer, int Code, int Points, int Cash, int Id) : Step;
    private sealed record EndStep(bool Capture, int Id) : Step;
    private sealed record DepositStep(int Customer, int Amount) : Step;
    private sealed record GrantStep(int Customer, int Points, int Days) : Step;
    private sealed record WaitStep(int Minutes) : Step;
    private sealed record ExpireStep : Step;
    private sealed record ReopenStep : Step;

    private static readonly Gen<Step> Steps = Gen.Frequency(
        (8, Gen.Select(Gen.Int[0, 1], Gen.Int[-1, 1], Gen.Int[0, 30], Gen.Int[0, 30], Gen.Int[0, 25], (c, k, p, m, i) => (Step)new RedeemStep(c, k, p, m, i))),
        (6, Gen.Select(Gen.Bool, Gen.Int[0, 25], (c, i) => (Step)new EndStep(c, i))),
        (2, Gen.Select(Gen.Int[0, 1], Gen.Int[1, 40], (c, a) => (Step)new DepositStep(c, a))),
        (3, Gen.Select(Gen.Int[0, 1], Gen.Int[1, 40], Gen.Int[0, 3], (c, p, d) => (Step)new GrantStep(c, p, d))),
        (2, Gen.Int[1, 2000].Select(m => (Step)new WaitStep(m))),
        (1, Gen.Const((Step)new ExpireStep())),
        (1, Gen.Const((Step)new ReopenStep())));

    [Fact]
    public void Any_sequence_of_commands_gives_what_a_naive_model_gives() =>
        Steps.Array[5, 60].Sample(steps => Run(steps).GetAwaiter().GetResult(), iter: 10, threads: 1, print: steps => string.Join("; ", steps.Select(s => s.ToString())));

    private async Task Run(Step[] steps)
    {
        await using var backend = newBackend();
        var time = new FakeTimeProvider(Make.Start.ToDateTimeOffset());
        var model = new NaiveLedger();
        var (ledger, _) = await backend.OpenAsync(time);
        try
        {
            await ledger.ExecuteAsync(new PutCampaign("put", Make.Admin, Make.Start, Make.Campaign(limits: new(6, 4, 40))), Lane.Decision, CancellationToken.None);
            await ledger.ExecuteAsync(new AddCoupons("add", Make.Admin, Make.Start, "spring", [new("A", null, 3), new("B", null, null)]), Lane.Decision, CancellationToken.None);
            for (var i = 0; i < steps.Length; i++)
            {
                var now = EventTime.From(time.GetUtcNow());
                switch (steps[i])
                {
                    case RedeemStep s:
                        var proposal = Proposal(s, ledger.Campaigns);
                        var outcome = await ledger.ExecuteAsync(Make.Decide(proposal), Lane.Decision, CancellationToken.None);
                        Assert.Equal(model.Redeem(s.Id, Customers[s.Customer], s.Code < 0 ? null : Codes[s.Code], s.Points, s.Cash, now), (outcome.Refusal, outcome.Repeated, outcome.Decision?.Status, outcome.Decision?.Refusal));
                        break;
                    case EndStep s:
                        LedgerCommand end = s.Capture ? new CaptureHold("end-" + i, Make.Shop, now, "r-" + s.Id) : new VoidHold("end-" + i, Make.Shop, now, "r-" + s.Id, null);
                        Assert.Equal(model.End(s.Id, s.Capture, now), (await ledger.ExecuteAsync(end, Lane.Decision, CancellationToken.None)).Refusal);
                        break;
                    case DepositStep s:
                        await ledger.ExecuteAsync(new DepositCash("dep-" + i, Make.Admin, now, Customers[s.Customer], "EUR", s.Amount, null), Lane.Decision, CancellationToken.None);
                        model.Cash[Customers[s.Customer]] = model.Cash.GetValueOrDefault(Customers[s.Customer]) + s.Amount;
                        break;
                    case GrantStep s:
                        EventTime? expires = s.Days == 0 ? null : now.Plus(TimeSpan.FromDays(s.Days));
                        await ledger.ExecuteAsync(new GrantPoints("gr-" + i, Make.Admin, now, Customers[s.Customer], s.Points, expires, null), Lane.Decision, CancellationToken.None);
                        model.Grant(Customers[s.Customer], s.Points, now, expires);
                        break;
                    case WaitStep s: time.Advance(TimeSpan.FromMinutes(s.Minutes)); break;
                    case ExpireStep:
                        await ledger.ExecuteAsync(new ExpireDue("exp-" + i, Actor.System, now, 1_000), Lane.Bulk, CancellationToken.None);
                        model.Expire(now);
                        break;
                    default:
                        await ledger.DisposeAsync();
                        (ledger, _) = await backend.OpenAsync(time);
                        break;
                }

                Compare(model, ledger.Reader, EventTime.From(time.GetUtcNow()));
            }
        }
        finally
        {
            await ledger.DisposeAsync();
        }

        Assert.Empty(await backend.VerifyAsync());
    }

    private static DecisionProposal Proposal(RedeemStep s, ICampaignSnapshot campaigns)
    {
        var redeemables = new List<PricedRedeemable>();
        if (s.Code >= 0) redeemables.Add(Make.Use(campaigns.FindCoupon(Codes[s.Code])!, discount: 10));
        if (s.Points > 0) redeemables.Add(Make.Pay(RedeemableType.Points, s.Points));
        if (s.Cash > 0) redeemables.Add(Make.Pay(RedeemableType.Cash, s.Cash));
        return Make.Proposal("r-" + s.Id, Customers[s.Customer], redeemables);
    }

    private static void Compare(NaiveLedger model, ILedgerReader reader, EventTime now)
    {
        foreach (var customer in Customers)
        {
            var balances = reader.BalancesOf(customer);
            Assert.Equal(model.Cash.GetValueOrDefault(customer), balances.SingleOrDefault(b => b.Segment == "cash")?.Available ?? 0);
            Assert.Equal(model.PointsOf(customer, now), balances.SingleOrDefault(b => b.Segment == "points")?.Available ?? 0);
            Assert.Equal(model.Lots.Where(l => l.Customer == customer && l.Remaining > 0).OrderBy(l => l, NaiveLedger.Fefo).Select(l => l.Remaining),
                balances.SingleOrDefault(b => b.Segment == "points")?.Lots.Where(l => l.Remaining > 0).Select(l => l.Remaining) ?? []);
        }

        var usage = reader.UsageOf("spring");
        Assert.Equal((model.Uses(HoldState.Held), model.Uses(HoldState.Captured)), (usage.UsesHeld, usage.UsesCaptured));
        Assert.Equal((model.Uses(HoldState.Held) * 10, model.Uses(HoldState.Captured) * 10), (usage.DiscountHeld, usage.DiscountCaptured));
    }
}
