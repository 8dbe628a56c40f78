using Promotions.Ledger.Booking;

namespace Promotions.Ledger.Verification;

/// <summary>A lot as its row says it is.</summary>
/// <param name="ExpiresAt">Exclusive, ms; null never.</param>
internal readonly record struct LotRow(long Id, long Account, long Quantity, long Remaining, long Held, long Spent, long Expired, long EarnedAt, long? ExpiresAt);

/// <summary>Lots: their moves, in the order in which they were booked, make up their columns, and earliest expiry was taken first.</summary>
internal sealed class LotReplay
{
    private readonly Findings _findings;
    private readonly Dictionary<long, Replayed> _lots;
    private readonly ILookup<long, Replayed> _byAccount;

    private sealed class Replayed(LotRow row)
    {
        public LotRow Row => row;
        public (long, long, long) Order => (row.ExpiresAt ?? long.MaxValue, row.EarnedAt, row.Id);
        public long Remaining, Held, Spent, Expired;
    }

    public LotReplay(Findings findings, IEnumerable<LotRow> rows)
    {
        _findings = findings;
        _lots = rows.ToDictionary(r => r.Id, r => new Replayed(r));
        _byAccount = _lots.Values.ToLookup(l => l.Row.Account);
    }

    /// <param name="move">Names it in a finding.</param>
    /// <param name="now">ms: the ledger's time of its entry.</param>
    public void Move(string move, long lotId, LotMoveKind kind, long amount, long now)
    {
        _findings.Count("earliest_expiry_first");
        if (!_lots.TryGetValue(lotId, out var lot))
        {
            _findings.Add("lots_equal_their_moves", $"move {move} names lot {lotId}, which is not there");
            return;
        }

        switch (kind)
        {
            case LotMoveKind.Earn:
                lot.Remaining += amount;
                if (amount != lot.Row.Quantity) _findings.Add("lots_equal_their_moves", $"lot {lotId} earned {amount} of {lot.Row.Quantity}");
                break;
            case LotMoveKind.Take:
                CheckOrder(move, lot, now);
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
                if (lot.Row.ExpiresAt is not { } end || end > now) _findings.Add("only_expired_lots_expire", $"move {move} at {now}, lot ends at {lot.Row.ExpiresAt}");
                lot.Remaining -= amount;
                lot.Expired += amount;
                break;
        }

        if (lot.Remaining < 0 || lot.Held < 0) _findings.Add("lots_equal_their_moves", $"lot {lotId} goes below zero in move {move}");
    }

    /// <summary>After all moves.</summary>
    public void End()
    {
        foreach (var lot in _lots.Values)
        {
            _findings.Count("lots_equal_their_moves");
            var row = lot.Row;
            if ((lot.Remaining, lot.Held, lot.Spent, lot.Expired) != (row.Remaining, row.Held, row.Spent, row.Expired))
                _findings.Add("lots_equal_their_moves", $"lot {row.Id}: moves give {lot.Remaining} left, {lot.Held} held, {lot.Spent} spent, {lot.Expired} expired; the row says {row.Remaining}, {row.Held}, {row.Spent}, {row.Expired}");
        }
    }

    private void CheckOrder(string move, Replayed lot, long now)
    {
        if (lot.Row.ExpiresAt <= now) _findings.Add("nothing_is_taken_after_expiry", $"move {move} at {now}, lot ended at {lot.Row.ExpiresAt}");
        foreach (var other in _byAccount[lot.Row.Account])
            if (other.Remaining > 0 && (other.Row.ExpiresAt is not { } end || end > now) && other.Order.CompareTo(lot.Order) < 0)
                _findings.Add("earliest_expiry_first", $"move {move} takes from a lot ending at {lot.Row.ExpiresAt} while {other.Remaining} ending at {other.Row.ExpiresAt} were free");
    }
}
