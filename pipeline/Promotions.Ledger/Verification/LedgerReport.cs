namespace Promotions.Ledger.Verification;

/// <summary>A broken invariant.</summary>
/// <param name="Invariant">A short stable name, <c>balance_equals_postings</c>.</param>
/// <param name="Detail">What was found, with numbers.</param>
public sealed record LedgerFinding(string Invariant, string Detail);

/// <summary>What a backend's verifier found.</summary>
/// <param name="Findings">Empty for a sound ledger; at most <see cref="FindingsMax"/>.</param>
/// <param name="Checked">How many rows each check looked at.</param>
public sealed record LedgerReport(IReadOnlyList<LedgerFinding> Findings, IReadOnlyList<KeyValuePair<string, long>> Checked)
{
    public const int FindingsMax = 100;

    public bool IsSound => Findings.Count == 0;
}

/// <summary>Collects what is wrong and how much was looked at.</summary>
internal sealed class Findings(CancellationToken cancellationToken)
{
    private readonly List<LedgerFinding> _found = [];
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);

    public IReadOnlyList<LedgerFinding> Found => _found;
    public IReadOnlyList<KeyValuePair<string, long>> Counts => [.. _counts.OrderBy(c => c.Key, StringComparer.Ordinal)];

    public void Count(string invariant, long rows = 1)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _counts[invariant] = _counts.GetValueOrDefault(invariant) + rows;
    }

    public void Add(string invariant, string detail)
    {
        if (_found.Count < LedgerReport.FindingsMax) _found.Add(new(invariant, detail));
    }
}
