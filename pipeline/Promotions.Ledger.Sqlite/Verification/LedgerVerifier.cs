using Promotions.Ledger.Sqlite.Storage;
using Promotions.Ledger.Verification;

namespace Promotions.Ledger.Sqlite.Verification;

/// <summary>Re-checks every invariant of a ledger from its tables alone, over one moment of the file: closed, copied, or live beside its writer.</summary>
/// <remarks>It trusts nothing that the writer computed: leaves are hashed again from rows, the tree from leaves, balances from postings, coupons, arms and
/// purchases from the outbox, and FEFO is replayed. On a live file its read transaction keeps the write-ahead log from being reset while it runs.</remarks>
public static class LedgerVerifier
{
    /// <exception cref="LedgerFaultException">The file cannot be read at all.</exception>
    public static LedgerReport Verify(string path, string? origin = null, CancellationToken cancellationToken = default)
    {
        try
        {
            using var db = Db.Open(path, readOnly: true);
            db.Execute("BEGIN");
            var findings = new Findings(cancellationToken);
            findings.Run("file_is_whole", () => CheckFile(db, findings));
            new BookChecks(db, findings).Run();
            new LotChecks(db, findings).Run();
            new RecordChecks(db, findings).Run();
            new AuditChecks(db, findings).Run(path + ".audit-key", origin);
            db.Execute("ROLLBACK");
            return new(findings.Found, findings.Counts);
        }
        catch (SqliteFaultException fault)
        {
            throw new LedgerFaultException($"The ledger at {path} cannot be read: {fault.Message}", fault);
        }
    }

    private static void CheckFile(Db db, Findings findings)
    {
        var version = db.Scalar("PRAGMA user_version");
        if (version != Schema.Current) throw new LedgerFaultException($"The ledger has schema {version}; this build verifies {Schema.Current}.");
        var rows = db.Prepare("PRAGMA integrity_check(20)");
        using (rows.Scope())
            while (rows.Step())
            {
                findings.Count("file_is_whole");
                if (rows.Text(0) != "ok") findings.Add("file_is_whole", rows.Text(0));
            }
    }
}

internal static class Checks
{
    /// <summary>A check that cannot even read its rows is a finding, not the end of the verification.</summary>
    public static void Run(this Findings findings, string invariant, Action check)
    {
        try
        {
            check();
        }
        catch (Exception fault) when (fault is FormatException or OverflowException or SqliteFaultException or System.Text.Json.JsonException or KeyNotFoundException or ArgumentException)
        {
            findings.Add(invariant, $"The check could not finish: {fault.Message}");
        }
    }
}
