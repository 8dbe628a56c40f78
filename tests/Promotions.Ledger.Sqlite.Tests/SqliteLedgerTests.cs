using Promotions.Ledger.Sqlite.Verification;

namespace Promotions.Ledger.Sqlite.Tests;

/// <summary>The contract on SQLite.</summary>
public sealed class SqliteLedgerTests : LedgerContract
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ledger-").FullName;

    private string FilePath => Path.Combine(_folder, "ledger.db");

    protected override ILedger Open() => SqliteLedger.Open(new() { Path = FilePath }, Time);

    protected override IReadOnlyList<string> Verify() => [.. LedgerVerifier.Verify(FilePath, cancellationToken: CancellationToken.None).Findings.Select(f => f.ToString())];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, true);
    }
}
