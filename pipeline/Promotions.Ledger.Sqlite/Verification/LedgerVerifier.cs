using Promotions.Ledger.Sqlite.Storage;

namespace Promotions.Ledger.Sqlite.Verification;

/// <summary>A broken invariant.</summary>
/// <param name="Invariant">A short stable name, <c>balance_equals_postings</c>.</param>
/// <param name="Detail">What was found, with numbers.</param>
public sealed record LedgerFinding(string Invariant, string Detail);

/// <param name="Findings">Empty for a sound ledger; at most <see cref="LedgerVerifier.FindingsMax"/>.</param>
/// <param name="Checked">How many rows each check looked at.</param>
public sealed record LedgerReport(IReadOnlyList<LedgerFinding> Findings, IReadOnlyList<KeyValuePair<string, long>> Checked)
{
    public bool IsSound => Findings.Count == 0;
}

/// <summary>Re-checks every invariant of a ledger from its tables alone, over one moment of the file: closed, copied, or live beside its writer.</summary>
/// <remarks>It trusts nothing that the writer computed: leaves are hashed again from rows, the tree from leaves, balances from postings, coupons, arms and
/// purchases from the outbox, and FEFO is replayed. On a live file its read transaction keeps the write-ahead log from being reset while it runs.</remarks>
public static class LedgerVerifier
{
    public const int FindingsMax = 100;

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

/// <summary>Collects what is wrong and how much was looked at.</summary>
internal sealed class Findings(CancellationToken cancellationToken)
{
    private readonly List<LedgerFinding> _found = [];
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);

    public IReadOnlyList<LedgerFinding> Found => _found;
    public IReadOnlyList<KeyValuePair<string, long>> Counts => [.. _counts.OrderBy(c => c.Key, StringComparer.Ordinal)];

    public void Count(string invariant)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _counts[invariant] = _counts.GetValueOrDefault(invariant) + 1;
    }

    public void Add(string invariant, string detail)
    {
        if (_found.Count < LedgerVerifier.FindingsMax) _found.Add(new(invariant, detail));
    }

    /// <summary>A check that cannot even read its rows is a finding, not the end of the verification.</summary>
    public void Run(string invariant, Action check)
    {
        try
        {
            check();
        }
        catch (Exception fault) when (fault is FormatException or OverflowException or SqliteFaultException or System.Text.Json.JsonException or KeyNotFoundException or ArgumentException)
        {
            Add(invariant, $"The check could not finish: {fault.Message}");
        }
    }
}
