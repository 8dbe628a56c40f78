using Promotions.Ledger.Booking;
using Promotions.Ledger.Sqlite.Storage;
using Promotions.Ledger.Verification;

namespace Promotions.Ledger.Sqlite.Verification;

/// <summary>Double entry and holds.</summary>
internal sealed class BookChecks(Db db, Findings findings)
{
    private sealed record AccountRow(AccountKey Key, long Free, long Held, long Used);

    private readonly Dictionary<long, AccountRow> _accounts = [];

    public void Run()
    {
        findings.Run("accounts", LoadAccounts);
        findings.Run("postings_stay_in_one_unit", CheckPostings);
        findings.Run("holds_equal_held_balances", CheckHolds);
    }

    private void LoadAccounts()
    {
        var sums = new Dictionary<string, Int128>(StringComparer.Ordinal);
        var rows = db.Prepare("SELECT id, kind, owner, member, unit, free, held, used FROM account");
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("units_sum_to_zero");
                var row = new AccountRow(new((AccountKind)rows.Int(1), rows.Text(2), rows.Text(3), rows.Text(4)), rows.Long(5), rows.Long(6), rows.Long(7));
                _accounts.Add(rows.Long(0), row);
                sums[row.Key.Unit] = sums.GetValueOrDefault(row.Key.Unit) + row.Free + row.Held + row.Used;
                if (row.Held < 0 || row.Used < 0 || (row.Free < 0 && !row.Key.IsSystem)) findings.Add("no_balance_is_negative", $"{row.Key}: free {row.Free}, held {row.Held}, used {row.Used}");
            }

        foreach (var (unit, sum) in sums)
            if (sum != 0) findings.Add("units_sum_to_zero", $"{unit}: balances sum to {sum}");
    }

    private void CheckPostings()
    {
        var slots = new Dictionary<long, Int128>();
        var rows = db.Prepare("SELECT p.id, p.debit, p.credit, p.amount, e.position FROM posting p LEFT JOIN entry e ON e.position = p.id >> 16 ORDER BY p.id");
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("postings_stay_in_one_unit");
                var (id, debit, credit, amount) = (rows.Long(0), rows.Long(1), rows.Long(2), rows.Long(3));
                if (amount <= 0) findings.Add("postings_are_positive", $"posting {id}: {amount}");
                if (rows.IsNull(4)) findings.Add("every_effect_has_an_entry", $"posting {id} belongs to entry {id >> Rows.LinesShift}, which is not there");
                if (!_accounts.TryGetValue(debit >> 2, out var from) || !_accounts.TryGetValue(credit >> 2, out var to))
                    findings.Add("postings_name_accounts", $"posting {id}: slots {debit} and {credit}");
                else if (from.Key.Unit != to.Key.Unit) findings.Add("postings_stay_in_one_unit", $"posting {id}: {from.Key.Unit} to {to.Key.Unit}");
                slots[debit] = slots.GetValueOrDefault(debit) - amount;
                slots[credit] = slots.GetValueOrDefault(credit) + amount;
            }

        foreach (var (id, account) in _accounts)
        {
            findings.Count("balance_equals_postings");
            Compare(id, Side.Free, account.Free, account.Key);
            Compare(id, Side.Held, account.Held, account.Key);
            Compare(id, Side.Used, account.Used, account.Key);
        }

        void Compare(long id, Side side, long balance, AccountKey key)
        {
            var sum = slots.GetValueOrDefault((id * 4) + (byte)side);
            if (sum != balance) findings.Add("balance_equals_postings", $"{key} {side}: balance {balance}, postings {sum}");
        }
    }

    /// <summary>Open holds make up the held balances; each resolved hold left its slots in the entry that resolved it, once.</summary>
    private void CheckHolds()
    {
        var open = new Dictionary<long, Int128>();
        var resolved = new Dictionary<(long Entry, long Slot), Int128>();
        var holds = db.Prepare("""
            SELECT h.position, h.state, h.resolved_by, h.expires_at, d.hold_expires_at, d.status, p.credit, p.amount, r.position
            FROM hold h LEFT JOIN decision d ON d.position = h.position LEFT JOIN entry r ON r.position = h.resolved_by
            LEFT JOIN posting p ON p.id >= h.position << 16 AND p.id < (h.position + 1) << 16 AND p.credit & 3 = 1
            """);
        using (holds.Scope())
            while (holds.Step())
            {
                findings.Count("holds_equal_held_balances");
                var position = holds.Long(0);
                var state = holds.Int(1);
                if (holds.IsNull(4) || holds.Long(3) != holds.Long(4)) findings.Add("holds_match_decisions", $"hold {position} ends at {holds.Long(3)}, its decision says {holds.OptionalLong(4)}");
                if (holds.OptionalLong(5) is not (1 or 2)) findings.Add("only_allowed_decisions_hold", $"hold {position}: status {holds.OptionalLong(5)}");
                if (state != 1 && holds.IsNull(8)) findings.Add("holds_are_resolved_by_an_entry", $"hold {position}: entry {holds.OptionalLong(2)}");
                if (holds.IsNull(6)) continue;
                if (state == 1) open[holds.Long(6)] = open.GetValueOrDefault(holds.Long(6)) + holds.Long(7);
                else
                {
                    var key = (holds.Long(2), holds.Long(6));
                    resolved[key] = resolved.GetValueOrDefault(key) + holds.Long(7);
                }
            }

        foreach (var (id, account) in _accounts)
        {
            var sum = open.GetValueOrDefault((id * 4) + (byte)Side.Held);
            if (sum != account.Held) findings.Add("holds_equal_held_balances", $"{account.Key}: held {account.Held}, open holds {sum}");
        }

        var releases = db.Prepare("SELECT id >> 16, debit, sum(amount) FROM posting WHERE debit & 3 = 1 GROUP BY 1, 2");
        using (releases.Scope())
            while (releases.Step())
            {
                findings.Count("each_hold_is_resolved_once");
                var key = (releases.Long(0), releases.Long(1));
                if (!resolved.Remove(key, out var taken) || taken != releases.Long(2))
                    findings.Add("each_hold_is_resolved_once", $"entry {key.Item1} releases {releases.Long(2)} from slot {key.Item2}, its holds took {taken}");
            }

        foreach (var ((entry, slot), amount) in resolved) findings.Add("each_hold_is_resolved_once", $"entry {entry} should release {amount} from slot {slot}");
        Report("allowed_redemptions_hold", "SELECT position FROM decision WHERE hold_expires_at IS NOT NULL AND position NOT IN (SELECT position FROM hold)", "has no hold row");
        Report("only_allowed_decisions_book", "SELECT d.position FROM decision d JOIN posting p ON p.id >= d.position << 16 AND p.id < (d.position + 1) << 16 WHERE d.hold_expires_at IS NULL", "booked without a hold");
    }

    private void Report(string invariant, string sql, string what)
    {
        var rows = db.Prepare(sql);
        using (rows.Scope())
            while (rows.Step()) findings.Add(invariant, $"decision {rows.Long(0)} {what}");
    }
}
