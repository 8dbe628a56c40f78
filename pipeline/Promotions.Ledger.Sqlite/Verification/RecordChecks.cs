using Promotions.Ledger.Booking;
using Promotions.Ledger.Sqlite.Storage;
using Promotions.Ledger.Verification;

namespace Promotions.Ledger.Sqlite.Verification;

/// <summary>Ids, decisions, and the tables that are folds of what was told: coupons, arms, purchases, flags, holds' states, and the limits that campaigns set.</summary>
internal sealed class RecordChecks(Db db, Findings findings)
{
    private readonly RecordJudge _judge = new(findings);

    public void Run()
    {
        findings.Run("ids_and_entries_agree", CheckIds);
        findings.Run("decisions_are_whole", CheckDecisions);
        findings.Run("tables_equal_the_outbox", CheckFolds);
        findings.Run("labels_and_flags", CheckLabels);
        findings.Run("campaigns_equal_their_commands", CheckCampaigns);
        findings.Run("limits_are_kept", CheckLimits);
    }

    /// <summary>An effect exists exactly where an id is recorded; refusals take no id, except those that decide it.</summary>
    private void CheckIds()
    {
        var rows = db.Prepare("SELECT c.id, c.position, e.command_id, e.refusal FROM command c LEFT JOIN entry e ON e.position = c.position");
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("ids_and_entries_agree");
                if (rows.OptionalText(2) != rows.Text(0)) findings.Add("ids_and_entries_agree", $"id {rows.Text(0)} names entry {rows.Long(1)} of {rows.OptionalText(2) ?? "nothing"}");
                else if (rows.Int(3) is not (0 or (int)LedgerRefusal.VoidedBefore)) findings.Add("ids_and_entries_agree", $"id {rows.Text(0)} is taken by a refusal");
            }

        Report("ids_and_entries_agree", "SELECT position || ' ' || command_id FROM entry e WHERE refusal IN (0, 8) AND kind BETWEEN 1 AND 15 AND NOT EXISTS (SELECT 1 FROM command c WHERE c.id = e.command_id AND c.position = e.position)", "took no id: entry");
        Report("effects_belong_to_accepted_entries", "SELECT e.position FROM entry e WHERE e.refusal NOT IN (0, 8) AND (EXISTS (SELECT 1 FROM posting p WHERE p.id >= e.position << 16 AND p.id < (e.position + 1) << 16) OR EXISTS (SELECT 1 FROM decision d WHERE d.position = e.position))", "a refusal has effects: entry");
        Report("each_redemption_has_a_decision", "SELECT e.position FROM entry e WHERE e.kind = 1 AND e.refusal IN (0, 8) AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.position = e.position)", "no decision: entry");
        Report("voids_are_entries", "SELECT v.redemption_id FROM voided_before v LEFT JOIN entry e ON e.position = v.position AND e.kind = 4 WHERE e.position IS NULL", "void without entry:");
    }

    private void CheckDecisions()
    {
        var rows = db.Prepare($"SELECT {Rows.DecisionColumns}, d.redemption_id, d.customer, d.model_hash, e.content, e.kind FROM {Rows.DecisionTables} LEFT JOIN entry e ON e.position = d.position");
        using (rows.Scope())
            while (rows.Step())
                _judge.Decision(Rows.ReadDecision(rows), rows.Text(8), rows.Text(9), rows.Text(10), (int?)rows.OptionalLong(12), rows.BlobSpan(11));

        Report("each_decision_is_told_once", "SELECT d.position FROM decision d LEFT JOIN (SELECT entry, count(*) AS told FROM outbox WHERE type = 'decision' GROUP BY entry) o ON o.entry = d.position WHERE o.told IS NOT 1", "decision");
    }

    private void CheckFolds()
    {
        var replay = new OutboxReplay(findings);
        Each("SELECT type, key, payload, entry FROM outbox ORDER BY position", row =>
        {
            if (OutboxReplay.Wants(row.Text(0))) replay.Told(row.Text(0), row.Text(1), row.Blob(2), row.Long(3));
        });
        Each("SELECT code, campaign, customer, uses_max, revoked FROM coupon", row => replay.Coupon(row.Text(0), row.Text(1), row.OptionalText(2), row.OptionalLong(3), row.Long(4) != 0));
        Each("SELECT campaign, customer, arm FROM arm", row => replay.Arm(row.Text(0), row.Text(1), row.Int(2) == 1));
        Each("SELECT position, total, returned FROM purchase", row => replay.Purchase(row.Long(0), row.Long(1), row.Long(2)));
        Each("SELECT d.redemption_id, h.state FROM hold h JOIN decision d ON d.position = h.position", row => replay.Hold(row.Text(0), row.Int(1)));
        replay.End();
    }

    private void Each(string sql, Action<Statement> row)
    {
        var rows = db.Prepare(sql);
        using (rows.Scope())
            while (rows.Step()) row(rows);
    }

    private void CheckLabels()
    {
        var rows = db.Prepare("SELECT l.position, l.redemption_id, l.abuse, l.source, l.note, l.actor, l.at, e.command_id, e.content FROM label l LEFT JOIN entry e ON e.position = l.position");
        using (rows.Scope())
            while (rows.Step())
                _judge.Label(rows.Long(0), new(rows.OptionalText(7) ?? "", rows.Text(1), rows.Long(2) != 0, rows.Text(3), rows.OptionalText(4), rows.Text(5), new(rows.Long(6)), new("", null, null, null, [], null, null)), rows.BlobSpan(8));

        Report("flags_equal_labels", """
            SELECT f.position FROM flag f JOIN decision d ON d.position = f.position
            LEFT JOIN (SELECT redemption_id, abuse, max(position) FROM label WHERE source = 'review' GROUP BY redemption_id) l ON l.redemption_id = d.redemption_id
            WHERE f.answer IS NOT l.abuse
            """, "flag");
        Report("flags_equal_labels", "SELECT position FROM decision WHERE status IN (2, 3) AND position NOT IN (SELECT position FROM flag)", "no flag: decision");
    }

    private void CheckCampaigns()
    {
        Each("SELECT c.id, c.version, c.document, e.command_id, e.content FROM campaign c LEFT JOIN entry e ON e.position = c.position ORDER BY c.id, c.version", row =>
            _judge.Campaign(row.Text(0), row.Long(1), row.Text(2), row.OptionalText(3), row.BlobSpan(4)));
        Report("campaigns_equal_their_commands", "SELECT e.position FROM entry e WHERE e.kind = 12 AND e.refusal = 0 AND e.position NOT IN (SELECT position FROM campaign)", "no campaign for entry");
    }

    private void CheckLimits() =>
        Each("SELECT a.kind, a.owner, a.member, a.unit, a.held, a.used, c.code IS NOT NULL, c.uses_max FROM account a LEFT JOIN coupon c ON c.code = a.owner AND a.kind = 23", row =>
            _judge.Limit(new((AccountKind)row.Int(0), row.Text(1), row.Text(2), row.Text(3)), row.Long(4), row.Long(5), (row.Long(6) != 0, row.OptionalLong(7))));

    private void Report(string invariant, string sql, string what)
    {
        var rows = db.Prepare(sql);
        using (rows.Scope())
            while (rows.Step()) findings.Add(invariant, $"{what} {rows.Text(0)}");
    }
}
