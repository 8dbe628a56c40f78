using Promotions.Ledger.Booking;
using Promotions.Ledger.Sqlite.Storage;
using Promotions.Ledger.Verification;

namespace Promotions.Ledger.Sqlite.Verification;

/// <summary>Lots: their moves make up their columns, their columns make up the balances, and earliest expiry was taken first.</summary>
internal sealed class LotChecks(Db db, Findings findings)
{
    private sealed class Replayed(long account, long quantity, long earnedAt, long? expiresAt, long id)
    {
        public long Account => account;
        public long Quantity => quantity;
        public long? ExpiresAt => expiresAt;
        public (long, long, long) Order => (expiresAt ?? long.MaxValue, earnedAt, id);
        public long Remaining, Held, Spent, Expired;
    }

    public void Run() => findings.Run("lots_equal_their_moves", Check);

    private void Check()
    {
        var lots = new Dictionary<long, Replayed>();
        var rows = db.Prepare("SELECT id, account, quantity, earned_at, expires_at FROM lot");
        using (rows.Scope())
            while (rows.Step()) lots.Add(rows.Long(0), new(rows.Long(1), rows.Long(2), rows.Long(3), rows.OptionalLong(4), rows.Long(0)));
        var byAccount = lots.Values.ToLookup(l => l.Account);

        var moves = db.Prepare("SELECT m.id, m.lot, m.kind, m.amount, d.decided_at, e.recorded_at FROM lot_move m LEFT JOIN entry e ON e.position = m.id >> 16 LEFT JOIN decision d ON d.position = m.id >> 16 ORDER BY m.id");
        using (moves.Scope())
            while (moves.Step())
            {
                findings.Count("earliest_expiry_first");
                if (!lots.TryGetValue(moves.Long(1), out var lot))
                {
                    findings.Add("lots_equal_their_moves", $"move {moves.Long(0)} names lot {moves.Long(1)}, which is not there");
                    continue;
                }

                var amount = moves.Long(3);
                var now = moves.OptionalLong(4) ?? moves.Long(5) / 1000;
                switch ((LotMoveKind)moves.Int(2))
                {
                    case LotMoveKind.Earn:
                        lot.Remaining += amount;
                        if (amount != lot.Quantity) findings.Add("lots_equal_their_moves", $"lot {moves.Long(1)} earned {amount} of {lot.Quantity}");
                        break;
                    case LotMoveKind.Take:
                        CheckOrder(moves.Long(0), lot, byAccount[lot.Account], now);
                        lot.Remaining -= amount;
                        lot.Held += amount;
                        break;
                    case LotMoveKind.Release:
                        lot.Held -= amount;
                        lot.Remaining += amount;
                        break;
                    case LotMoveKind.Spend:
                        lot.Held -= amount;
                        lot.Spent += amount;
                        break;
                    default:
                        if (lot.ExpiresAt is not { } end || end > now) findings.Add("only_expired_lots_expire", $"move {moves.Long(0)} at {now}, lot ends at {lot.ExpiresAt}");
                        lot.Remaining -= amount;
                        lot.Expired += amount;
                        break;
                }

                if (lot.Remaining < 0 || lot.Held < 0) findings.Add("lots_equal_their_moves", $"lot {moves.Long(1)} goes below zero in move {moves.Long(0)}");
            }

        CompareColumns(lots);
        CompareBalances();
    }

    private void CheckOrder(long move, Replayed lot, IEnumerable<Replayed> others, long now)
    {
        if (lot.ExpiresAt <= now) findings.Add("nothing_is_taken_after_expiry", $"move {move} at {now}, lot ended at {lot.ExpiresAt}");
        foreach (var other in others)
            if (other.Remaining > 0 && (other.ExpiresAt is not { } end || end > now) && other.Order.CompareTo(lot.Order) < 0)
                findings.Add("earliest_expiry_first", $"move {move} takes from a lot ending at {lot.ExpiresAt} while {other.Remaining} ending at {other.ExpiresAt} were free");
    }

    private void CompareColumns(Dictionary<long, Replayed> lots)
    {
        var rows = db.Prepare("SELECT id, remaining, held, spent, expired FROM lot");
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("lots_equal_their_moves");
                var lot = lots[rows.Long(0)];
                if ((lot.Remaining, lot.Held, lot.Spent, lot.Expired) != (rows.Long(1), rows.Long(2), rows.Long(3), rows.Long(4)))
                    findings.Add("lots_equal_their_moves", $"lot {rows.Long(0)}: moves give {lot.Remaining} left, {lot.Held} held, {lot.Spent} spent, {lot.Expired} expired; the row says {rows.Long(1)}, {rows.Long(2)}, {rows.Long(3)}, {rows.Long(4)}");
            }
    }

    private void CompareBalances()
    {
        var rows = db.Prepare("""
            SELECT a.id, a.owner, a.member, a.free, a.held, coalesce(sum(l.remaining), 0), coalesce(sum(l.held), 0)
            FROM account a LEFT JOIN lot l ON l.account = a.id WHERE a.kind = 10 AND a.member IN ('points', 'gift') GROUP BY a.id
            """);
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("lots_equal_balances");
                if (rows.Long(3) != rows.Long(5) || rows.Long(4) != rows.Long(6))
                    findings.Add("lots_equal_balances", $"{rows.Text(1)} {rows.Text(2)}: {rows.Long(3)} free and {rows.Long(4)} held, lots have {rows.Long(5)} and {rows.Long(6)}");
            }
    }
}
