using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Contract;

/// <summary>The ledger as one would write it on a napkin: dictionaries and loops, no caches, no postings.</summary>
internal sealed class NaiveLedger
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
