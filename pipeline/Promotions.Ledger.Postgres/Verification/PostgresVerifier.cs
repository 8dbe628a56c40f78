using Npgsql;
using Promotions.Ledger.Postgres.Storage;
using Promotions.Ledger.Verification;

namespace Promotions.Ledger.Postgres.Verification;

/// <summary>Re-checks a ledger from its tables alone, over one moment of the database; processes may go on writing.</summary>
/// <remarks>It trusts nothing that a writer computed: leaves are hashed again from rows, the tree from leaves, balances from postings, coupons, arms and purchases from the
/// outbox; lots are replayed, and the sequencer's places are checked for gaps and delay.</remarks>
public static class PostgresVerifier
{
    /// <summary>An entry without a place for longer is a finding.</summary>
    public static readonly TimeSpan LagMax = TimeSpan.FromSeconds(10);

    /// <param name="keyPath">The key of the checkpoints; null: signatures are not checked.</param>
    /// <exception cref="LedgerFaultException">The database cannot be read at all, or holds another schema.</exception>
    public static async Task<LedgerReport> VerifyAsync(string connectionString, string? keyPath, CancellationToken cancellationToken)
    {
        try
        {
            await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = "promotions-ledger-verifier", CommandTimeout = 0 }.ConnectionString);
            await using var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            var version = await Schema.VersionAsync(connection, cancellationToken).ConfigureAwait(false);
            if (version != Schema.Current) throw new LedgerFaultException($"The ledger has schema {version}; this build verifies {Schema.Current}.");
            await using var moment = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
            var findings = new Findings(cancellationToken);
            foreach (var (invariant, sql) in Invariants.All)
            {
                await using var check = new NpgsqlCommand($"SELECT x::text FROM ({sql}) x LIMIT {LedgerReport.FindingsMax}", connection);
                await using var rows = await check.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false)) findings.Add(invariant, rows.GetString(0));
            }

            await new RecordCheck(connection, findings).RunAsync(cancellationToken).ConfigureAwait(false);
            await new AuditCheck(connection, findings).RunAsync(keyPath, cancellationToken).ConfigureAwait(false);
            return new(findings.Found, findings.Counts);
        }
        catch (NpgsqlException fault)
        {
            throw new LedgerFaultException("The ledger cannot be read: " + fault.Message, fault);
        }
    }
}

/// <summary>Invariants that one statement tells: each row it gives is a finding.</summary>
internal static class Invariants
{
    public static readonly IReadOnlyList<(string Invariant, string Sql)> All =
    [
        ("units_sum_to_zero", "SELECT unit, sum(free::numeric + held + used) AS sum FROM account GROUP BY unit HAVING sum(free::numeric + held + used) <> 0"),
        ("no_balance_is_negative", "SELECT * FROM account WHERE held < 0 OR used < 0 OR (kind >= 10 AND free < 0)"),
        ("balance_equals_postings", """
            SELECT a.id, a.owner, a.member, s.side, s.balance, coalesce(p.sum, 0) AS postings
            FROM account a CROSS JOIN LATERAL (VALUES (0, free), (1, held), (2, used)) s (side, balance)
            LEFT JOIN (SELECT slot, sum(amount) AS sum FROM (SELECT credit AS slot, amount::numeric FROM posting UNION ALL SELECT debit, -amount::numeric FROM posting) m GROUP BY slot) p ON p.slot = a.id * 4 + s.side
            WHERE coalesce(p.sum, 0) <> s.balance
            """),
        ("postings_are_positive", "SELECT * FROM posting WHERE amount <= 0"),
        ("postings_name_accounts", "SELECT p.* FROM posting p LEFT JOIN account d ON d.id = p.debit >> 2 LEFT JOIN account c ON c.id = p.credit >> 2 WHERE d.id IS NULL OR c.id IS NULL"),
        ("postings_stay_in_one_unit", "SELECT p.*, d.unit AS from_unit, c.unit AS to_unit FROM posting p JOIN account d ON d.id = p.debit >> 2 JOIN account c ON c.id = p.credit >> 2 WHERE d.unit <> c.unit"),
        ("every_effect_has_an_entry", "SELECT p.entry FROM posting p WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = p.entry) UNION SELECT o.entry FROM outbox o WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = o.entry)"),
        ("holds_equal_held_balances", """
            SELECT a.id, a.owner, a.member, a.held, coalesce(h.sum, 0) AS open_holds FROM account a
            LEFT JOIN (SELECT p.credit >> 2 AS account, sum(p.amount) AS sum FROM hold h JOIN posting p ON p.entry = h.entry AND p.credit & 3 = 1 WHERE h.state = 1 GROUP BY 1) h ON h.account = a.id
            WHERE a.held <> coalesce(h.sum, 0)
            """),
        ("each_hold_is_resolved_once", """
            SELECT * FROM (SELECT entry, debit AS slot, sum(amount) AS amount FROM posting WHERE debit & 3 = 1 GROUP BY 1, 2) r
            FULL JOIN (SELECT h.resolved_by AS entry, p.credit AS slot, sum(p.amount) AS taken FROM hold h JOIN posting p ON p.entry = h.entry AND p.credit & 3 = 1 WHERE h.state <> 1 GROUP BY 1, 2) t USING (entry, slot)
            WHERE r.amount IS DISTINCT FROM t.taken
            """),
        ("holds_match_decisions", "SELECT d.entry, d.hold_expires_at, h.expires_at FROM decision d FULL JOIN hold h ON h.entry = d.entry WHERE d.hold_expires_at IS DISTINCT FROM h.expires_at"),
        ("only_allowed_decisions_hold", "SELECT d.entry, d.status FROM hold h JOIN decision d ON d.entry = h.entry WHERE d.status NOT IN (1, 2)"),
        ("only_allowed_decisions_book", "SELECT d.entry FROM decision d JOIN posting p ON p.entry = d.entry WHERE d.hold_expires_at IS NULL"),
        ("lots_equal_balances", """
            SELECT a.id, a.owner, a.free, a.held, coalesce(sum(l.remaining), 0) AS remaining, coalesce(sum(l.held), 0) AS lots_held FROM account a LEFT JOIN lot l ON l.account = a.id
            WHERE a.kind = 10 AND a.member IN ('points', 'gift') GROUP BY a.id HAVING a.free <> coalesce(sum(l.remaining), 0) OR a.held <> coalesce(sum(l.held), 0)
            """),
        ("ids_and_entries_agree", """
            SELECT c.id, c.entry, e.command_id, e.refusal FROM command c LEFT JOIN entry e ON e.id = c.entry
            WHERE c.entry IS NOT NULL AND (e.command_id IS DISTINCT FROM c.id OR e.refusal NOT IN (0, 8))
            """),
        ("ids_and_entries_agree", "SELECT e.id, e.command_id FROM entry e WHERE e.refusal IN (0, 8) AND e.kind BETWEEN 1 AND 15 AND NOT EXISTS (SELECT 1 FROM command c WHERE c.id = e.command_id AND c.entry = e.id)"),
        ("effects_belong_to_accepted_entries", "SELECT e.id FROM entry e WHERE e.refusal NOT IN (0, 8) AND (EXISTS (SELECT 1 FROM posting p WHERE p.entry = e.id) OR EXISTS (SELECT 1 FROM decision d WHERE d.entry = e.id))"),
        ("each_redemption_has_a_decision", "SELECT e.id FROM entry e WHERE e.kind = 1 AND e.refusal IN (0, 8) AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.entry = e.id)"),
        ("voids_are_entries", "SELECT c.id, c.voided_by FROM command c LEFT JOIN entry e ON e.id = c.voided_by AND e.kind = 4 WHERE c.voided_by IS NOT NULL AND e.id IS NULL"),
        ("each_decision_is_told_once", "SELECT d.entry, count(o.entry) AS told FROM decision d LEFT JOIN outbox o ON o.entry = d.entry AND o.type = 'decision' GROUP BY d.entry HAVING count(o.entry) <> 1"),
        ("flags_equal_decisions", "SELECT d.entry, d.status, f.entry AS flag FROM decision d FULL JOIN flag f ON f.entry = d.entry WHERE coalesce(d.status IN (2, 3), false) <> (f.entry IS NOT NULL)"),
        ("campaigns_equal_their_commands", "SELECT e.id FROM entry e WHERE e.kind = 12 AND e.refusal = 0 AND NOT EXISTS (SELECT 1 FROM campaign c WHERE c.entry = e.id)"),
        ("flags_equal_labels", """
            SELECT f.entry, f.answer, b.abuse FROM flag f JOIN decision d ON d.entry = f.entry LEFT JOIN LATERAL (
                SELECT abuse FROM label b LEFT JOIN leaf l ON l.entry = b.entry LEFT JOIN pending w ON w.entry = b.entry
                WHERE b.redemption_id = d.redemption_id AND b.source = 'review' ORDER BY l.position DESC NULLS FIRST, w.ord DESC LIMIT 1) b ON true
            WHERE f.answer IS DISTINCT FROM b.abuse
            """),
        ("each_decision_has_a_place_or_waits", "SELECT d.entry FROM decision d WHERE NOT EXISTS (SELECT 1 FROM leaf l WHERE l.entry = d.entry) AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.entry = d.entry)"),
        ("every_entry_has_a_place_or_waits", "SELECT e.id FROM entry e LEFT JOIN leaf l ON l.entry = e.id LEFT JOIN pending p ON p.entry = e.id WHERE (l.entry IS NULL) = (p.entry IS NULL)"),
        ("places_are_given_in_time", $"SELECT entry, since FROM pending WHERE since < clock_timestamp() - interval '{PostgresVerifier.LagMax.TotalSeconds} s'"),
        ("outbox_places_are_dense", """
            SELECT l.position, l.outbox_before, l.outbox_through, o.told FROM (SELECT *, lag(outbox_through, 1, 0::bigint) OVER (ORDER BY position) AS before FROM leaf) l
            LEFT JOIN (SELECT entry, count(*) AS told, max(line) AS last FROM outbox GROUP BY entry) o ON o.entry = l.entry
            WHERE l.outbox_before <> l.before OR l.outbox_through - l.outbox_before <> coalesce(o.told, 0) OR coalesce(o.last + 1, 0) <> coalesce(o.told, 0)
            """),
        ("head_is_the_last_leaf", """
            SELECT h.size, h.outbox, m.* FROM head h, (SELECT coalesce(max(position), 0) AS leaves, count(*) AS rows, coalesce(max(outbox_through), 0) AS through FROM leaf) m
            WHERE h.size <> m.leaves OR m.rows <> m.leaves OR h.outbox <> m.through
            """),
    ];
}
