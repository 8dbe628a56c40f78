using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger.Sqlite.Verification;

namespace Promotions.Ledger.Sqlite.Tests;

/// <summary>Random commands against a naive model: dictionaries, no caches, no batches. Outcomes and balances must agree, and the file must verify.</summary>
public sealed class LedgerModelTests
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

    private static async Task Run(Step[] steps)
    {
        var folder = Directory.CreateTempSubdirectory("model-").FullName;
        var path = Path.Combine(folder, "ledger.db");
        var time = new FakeTimeProvider(Make.Start.ToDateTimeOffset());
        var model = new NaiveLedger();
        var ledger = SqliteLedger.Open(new() { Path = path, Readers = 1 }, time);
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
                        ledger = SqliteLedger.Open(new() { Path = path, Readers = 1 }, time);
                        break;
                }

                Compare(model, ledger.Reader, EventTime.From(time.GetUtcNow()));
            }
        }
        finally
        {
            await ledger.DisposeAsync();
        }

        Assert.Empty(LedgerVerifier.Verify(path, cancellationToken: CancellationToken.None).Findings);
        Directory.Delete(folder, true);
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

    private sealed class NaiveLedger
    {
        internal sealed class NaiveLot
        {
            public required string Customer { get; init; }
            public required EventTime Earned { get; init; }
            public required EventTime? Expires { get; init; }
            public required int Order { get; init; }
            public long Remaining { get; set; }
        }

        private sealed class Redemption
        {
            public required string Content { get; init; }
            public required string Customer { get; init; }
            public required string? Code { get; init; }
            public required long Cash { get; init; }
            public required EventTime Ends { get; init; }
            public required (LedgerRefusal, RedemptionStatus, RefusalCode) Answer { get; init; }
            public List<(NaiveLot Lot, long Amount)> Lots { get; } = [];
            public HoldState Hold { get; set; }
        }

        internal static readonly Comparer<NaiveLot> Fefo = Comparer<NaiveLot>.Create((a, b) =>
            (a.Expires?.UnixMilliseconds ?? long.MaxValue, a.Earned.UnixMilliseconds, a.Order).CompareTo((b.Expires?.UnixMilliseconds ?? long.MaxValue, b.Earned.UnixMilliseconds, b.Order)));

        private readonly Dictionary<int, Redemption> _redemptions = [];
        private readonly HashSet<int> _voided = [];
        internal Dictionary<string, long> Cash { get; } = [];
        internal List<NaiveLot> Lots { get; } = [];

        internal void Grant(string customer, long points, EventTime earned, EventTime? expires) =>
            Lots.Add(new() { Customer = customer, Earned = earned, Expires = expires, Order = Lots.Count, Remaining = points });

        internal long PointsOf(string customer, EventTime now) => Spendable(customer, now).Sum(l => l.Remaining);

        internal long Uses(HoldState state) => _redemptions.Values.Count(r => r.Code is not null && r.Hold == state);

        private IEnumerable<NaiveLot> Spendable(string customer, EventTime now) => Lots.Where(l => l.Customer == customer && l.Remaining > 0 && (l.Expires is not { } end || end > now)).Order(Fefo);

        internal (LedgerRefusal, bool, RedemptionStatus?, RefusalCode?) Redeem(int id, string customer, string? code, long points, long cash, EventTime now)
        {
            var content = $"{customer}/{code}/{points}/{cash}";
            if (_redemptions.TryGetValue(id, out var known))
                return known.Content == content ? (known.Answer.Item1, true, known.Answer.Item2, known.Answer.Item3) : (LedgerRefusal.SameIdDifferentContent, false, null, null);
            var live = _redemptions.Values.Where(r => r.Code is not null && r.Hold is (HoldState.Held or HoldState.Captured)).ToArray();
            var refusal = RefusalCode.None;
            if (_voided.Contains(id)) refusal = RefusalCode.VoidedBefore;
            else if (code == "A" && live.Count(r => r.Code == "A") >= 3) refusal = RefusalCode.CouponUsesExhausted;
            else if (code is not null && live.Length >= 6) refusal = RefusalCode.CampaignUsesExhausted;
            else if (code is not null && live.Count(r => r.Customer == customer) >= 4) refusal = RefusalCode.CustomerUsesExhausted;
            else if (code is not null && live.Length * 10 + 10 > 40) refusal = RefusalCode.BudgetExhausted;
            else if (PointsOf(customer, now) < points || Cash.GetValueOrDefault(customer) < cash) refusal = RefusalCode.InsufficientBalance;

            var status = refusal is RefusalCode.None ? RedemptionStatus.Approved : RedemptionStatus.Rejected;
            var ledgerRefusal = refusal is RefusalCode.VoidedBefore ? LedgerRefusal.VoidedBefore : LedgerRefusal.None;
            var redemption = new Redemption { Content = content, Customer = customer, Code = code, Cash = cash, Ends = now.Plus(TimeSpan.FromMinutes(30)), Answer = (ledgerRefusal, status, refusal) };
            _redemptions.Add(id, redemption);
            if (status is RedemptionStatus.Approved)
            {
                redemption.Hold = HoldState.Held;
                Cash[customer] = Cash.GetValueOrDefault(customer) - cash;
                foreach (var lot in Spendable(customer, now).ToArray())
                {
                    var part = Math.Min(points, lot.Remaining);
                    if (part == 0) break;
                    lot.Remaining -= part;
                    points -= part;
                    redemption.Lots.Add((lot, part));
                }
            }

            return (ledgerRefusal, false, status, refusal);
        }

        internal LedgerRefusal End(int id, bool capture, EventTime now)
        {
            if (!_redemptions.TryGetValue(id, out var redemption))
            {
                if (capture) return LedgerRefusal.UnknownRedemption;
                _voided.Add(id);
                return LedgerRefusal.None;
            }

            switch (redemption.Hold)
            {
                case HoldState.None: return LedgerRefusal.NothingHeld;
                case HoldState.Captured: return LedgerRefusal.HoldCaptured;
                case HoldState.Voided: return LedgerRefusal.HoldVoided;
                case HoldState.Expired: return LedgerRefusal.HoldExpired;
            }

            if (capture && redemption.Ends <= now) return LedgerRefusal.HoldExpired;
            if (capture) redemption.Hold = HoldState.Captured;
            else Release(redemption, HoldState.Voided);
            return LedgerRefusal.None;
        }

        internal void Expire(EventTime now)
        {
            foreach (var redemption in _redemptions.Values.Where(r => r.Hold is HoldState.Held && r.Ends <= now)) Release(redemption, HoldState.Expired);

            foreach (var lot in Lots.Where(l => l.Expires <= now)) lot.Remaining = 0;
        }

        private void Release(Redemption redemption, HoldState to)
        {
            redemption.Hold = to;
            Cash[redemption.Customer] = Cash.GetValueOrDefault(redemption.Customer) + redemption.Cash;
            foreach (var (lot, amount) in redemption.Lots) lot.Remaining += amount;
        }
    }
}
