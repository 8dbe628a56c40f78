using Promotions.Domain;
using Promotions.Ledger.Contract;
using Promotions.Ledger.Sqlite.Verification;

namespace Promotions.Ledger.Sqlite.Tests;

public sealed class WriteAheadLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("wal-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public async Task The_log_starts_again_instead_of_growing()
    {
        var path = Path.Combine(_folder, "ledger.db");
        await using (var ledger = SqliteLedger.Open(new() { Path = path, WalPages = 50 }, TimeProvider.System))
        {
            var rounds = 0;
            for (; rounds < 60 || new FileInfo(path).Length < 500_000; rounds++)
            {
                Assert.True(rounds < 5_000, "Nothing moves into the file.");
                var round = rounds;
                await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
                    ledger.ExecuteAsync(new DepositCash($"d-{round}-{i}", Make.Admin, Make.Start, "c-" + i, "EUR", 1, null), Lane.Decision, TestContext.Current.CancellationToken)));
            }

            Assert.Equal(rounds, ledger.Reader.BalancesOf("c-7").Single().Available);
        }

        Assert.False(File.Exists(path + "-wal"), "A clean close leaves no log.");
        Assert.Empty(LedgerVerifier.Verify(path, cancellationToken: TestContext.Current.CancellationToken).Findings);
    }
}
