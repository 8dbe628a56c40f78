using System.Globalization;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Sqlite.Storage;
using Promotions.Ledger.Verification;

namespace Promotions.Ledger.Sqlite.Verification;

/// <summary>Lots: their moves make up their columns, their columns make up the balances, and earliest expiry was taken first.</summary>
internal sealed class LotChecks(Db db, Findings findings)
{
    public void Run() => findings.Run("lots_equal_their_moves", Check);

    private void Check()
    {
        var lots = new List<LotRow>();
        var rows = db.Prepare("SELECT id, account, quantity, remaining, held, spent, expired, earned_at, expires_at FROM lot");
        using (rows.Scope())
            while (rows.Step()) lots.Add(new(rows.Long(0), rows.Long(1), rows.Long(2), rows.Long(3), rows.Long(4), rows.Long(5), rows.Long(6), rows.Long(7), rows.OptionalLong(8)));
        var replay = new LotReplay(findings, lots);
        var moves = db.Prepare("SELECT m.id, m.lot, m.kind, m.amount, d.decided_at, e.recorded_at FROM lot_move m LEFT JOIN entry e ON e.position = m.id >> 16 LEFT JOIN decision d ON d.position = m.id >> 16 ORDER BY m.id");
        using (moves.Scope())
            while (moves.Step())
                replay.Move(moves.Long(0).ToString(CultureInfo.InvariantCulture), moves.Long(1), (LotMoveKind)moves.Int(2), moves.Long(3), moves.OptionalLong(4) ?? moves.Long(5) / 1000);
        replay.End();
        CompareBalances();
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
