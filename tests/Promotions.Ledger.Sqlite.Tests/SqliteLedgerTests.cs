using Promotions.Ledger.Contract;
using Promotions.Ledger.Sqlite.Verification;

namespace Promotions.Ledger.Sqlite.Tests;

public sealed class RedemptionTests() : RedemptionContract(() => new SqliteBackend());

public sealed class BalanceTests() : BalanceContract(() => new SqliteBackend());

public sealed class LogTests() : LogContract(() => new SqliteBackend());

public sealed class LetThroughTests() : LetThroughContract(() => new SqliteBackend());

public sealed class ReviewTests() : ReviewContract(() => new SqliteBackend());

public sealed class ModelTests() : ModelContract(() => new SqliteBackend());

/// <summary>A ledger file in a folder of its own.</summary>
internal sealed class SqliteBackend : ILedgerBackend
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ledger-").FullName;
    private string FilePath => Path.Combine(_folder, "ledger.db");

    public Task<OpenLedger> OpenAsync(TimeProvider time)
    {
        var ledger = SqliteLedger.Open(new() { Path = FilePath, Readers = 1 }, time);
        return Task.FromResult(new OpenLedger(ledger, ledger));
    }

    public Task<IReadOnlyList<string>> VerifyAsync() =>
        Task.FromResult<IReadOnlyList<string>>([.. LedgerVerifier.Verify(FilePath, cancellationToken: TestContext.Current.CancellationToken).Findings.Select(f => f.ToString())]);

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, true);
        return ValueTask.CompletedTask;
    }
}
