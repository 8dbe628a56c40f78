using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Ledger.Contract;
using Promotions.Ledger.Sqlite.Storage;
using Promotions.Ledger.Sqlite.Tests.Disk;
using Promotions.Ledger.Sqlite.Verification;

namespace Promotions.Ledger.Sqlite.Tests;

/// <summary>What the file and the disk can do to us.</summary>
[Trait("kind", "faults")]
public sealed class SqliteFaultTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("faults-").FullName;
    private readonly FakeTimeProvider _time = new(Make.Start.ToDateTimeOffset());
    private string FilePath => Path.Combine(_folder, "ledger.db");

    public void Dispose() => Directory.Delete(_folder, true);

    private SqliteLedger Open(string? path = null) => SqliteLedger.Open(new() { Path = path ?? FilePath }, _time);
    private static Task<LedgerOutcome> Do(SqliteLedger ledger, LedgerCommand command) => ledger.ExecuteAsync(command, Lane.Decision, TestContext.Current.CancellationToken);
    private static DepositCash Deposit(string id, long amount = 1) => new(id, Make.Admin, Make.Start, "ann", "EUR", amount, null);

    [Fact]
    public async Task What_was_answered_is_there_after_the_files_are_taken_away_from_a_running_ledger()
    {
        await using var ledger = Open();
        var copies = new List<(string Path, int Answered)>();
        for (var i = 0; i < 30; i++)
        {
            await Do(ledger, Deposit("d-" + i));
            if (i % 7 != 0) continue;
            // As after a kill: the database and its write-ahead log as they lie there, without a close.
            var path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"killed-{i}.db"));
            File.Copy(FilePath, path);
            File.Copy(FilePath + "-wal", path + "-wal");
            File.Copy(FilePath + ".audit-key", path + ".audit-key");
            copies.Add((path, i + 1));
        }

        foreach (var (path, answered) in copies)
        {
            await using (var again = Open(path))
            {
                Assert.Equal(answered, again.Reader.BalancesOf("ann").Single().Available);
                Assert.True((await Do(again, Deposit("d-0"))).Repeated);
                Assert.False((await Do(again, Deposit("d-new"))).Repeated);
            }

            Assert.Empty(LedgerVerifier.Verify(path, cancellationToken: TestContext.Current.CancellationToken).Findings);
        }
    }

    [Fact]
    public async Task A_torn_tail_of_the_write_ahead_log_loses_whole_commits_only()
    {
        await using var ledger = Open();
        for (var i = 0; i < 10; i++) await Do(ledger, Deposit("d-" + i));
        var wal = await File.ReadAllBytesAsync(FilePath + "-wal", TestContext.Current.CancellationToken);
        for (var cut = 1; cut <= 12; cut++)
        {
            var path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"torn-{cut}.db"));
            File.Copy(FilePath, path);
            File.Copy(FilePath + ".audit-key", path + ".audit-key");
            await File.WriteAllBytesAsync(path + "-wal", wal[..^Math.Min(wal.Length, cut * 3_001)], TestContext.Current.CancellationToken);
            await using (var again = Open(path)) Assert.Equal(Length(again), again.Reader.BalancesOf("ann").Sum(b => b.Available));
            Assert.Empty(LedgerVerifier.Verify(path, cancellationToken: TestContext.Current.CancellationToken).Findings);
        }

        static long Length(SqliteLedger ledger) => ledger.Audit.Size;
    }

    [Fact]
    public async Task A_full_disk_is_a_clean_fault_and_the_ledger_goes_on_when_there_is_room()
    {
        var disk = new SimulatedDisk();
        using var vfs = new DiskVfs(disk);
        await using (var ledger = SqliteLedger.Open(new() { Path = FilePath, Vfs = vfs.Name }, _time))
        {
            await Do(ledger, Deposit("d-0"));
            var answered = 1;
            for (var room = 20_000; room < 200_000; room += 45_000)   // full at one place of a commit and at another
            {
                disk.Room = room;
                LedgerFaultException? fault = null;
                while (fault is null)
                {
                    try
                    {
                        await Do(ledger, Deposit("d-" + answered));
                        answered++;
                    }
                    catch (LedgerFaultException full)
                    {
                        fault = full;
                    }
                }

                Assert.Contains("SQLite 13", fault.Message, StringComparison.Ordinal);
                Assert.Equal(answered, ledger.Reader.BalancesOf("ann").Single().Available);
                Assert.True((await Do(ledger, Deposit("d-0"))).Repeated, "A look-up needs no room.");

                disk.Room = null;
                Assert.False((await Do(ledger, Deposit("d-" + answered))).Repeated);
                Assert.Equal(++answered, ledger.Reader.BalancesOf("ann").Single().Available);
            }

            Assert.True(disk.Refused >= 4);
        }

        Assert.Empty(LedgerVerifier.Verify(FilePath, cancellationToken: TestContext.Current.CancellationToken).Findings);
    }

    [Fact]
    public async Task A_disk_that_is_full_for_the_file_but_not_for_the_log_keeps_every_answer()
    {
        var disk = new SimulatedDisk();
        using var vfs = new DiskVfs(disk);
        var answered = 0;
        await using (var ledger = SqliteLedger.Open(new() { Path = FilePath, Vfs = vfs.Name, WalPages = 20 }, _time))
        {
            disk.Refuse = path => path == FilePath;
            for (; answered < 80; answered++) Assert.True((await Do(ledger, Deposit("d-" + answered))).Accepted);
            Assert.True(disk.Refused > 0, "Nothing was moved from the log into the file.");
            disk.Refuse = null;
            for (; answered < 110; answered++) Assert.True((await Do(ledger, Deposit("d-" + answered))).Accepted);
            Assert.Equal(answered, ledger.Reader.BalancesOf("ann").Single().Available);
        }

        Assert.Empty(LedgerVerifier.Verify(FilePath, cancellationToken: TestContext.Current.CancellationToken).Findings);
    }

    [Fact]
    public async Task A_file_of_a_newer_version_is_refused_with_a_sentence()
    {
        await Open().DisposeAsync();
        using (var db = Db.Open(FilePath, readOnly: false)) db.Execute("PRAGMA user_version = 99");
        var fault = Assert.Throws<LedgerFaultException>(() => Open());
        Assert.Contains("newer version of Promotions (schema 99", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_of_something_else_is_left_alone()
    {
        using (var db = Db.Open(FilePath, readOnly: false)) db.Execute("CREATE TABLE theirs (x)");
        Assert.Throws<LedgerFaultException>(() => Open());
        using var again = Db.Open(FilePath, readOnly: true);
        Assert.Equal(1, again.Scalar("SELECT count(*) FROM sqlite_schema"));
    }

    [Fact]
    public void Migrations_run_forward_once_and_a_broken_one_leaves_the_version_before()
    {
        using var db = Db.Open(FilePath, readOnly: false);
        Schema.Migrate(db, FilePath, ["CREATE TABLE a (x) STRICT_".Replace(" STRICT_", "", StringComparison.Ordinal)]);
        Assert.Throws<SqliteFaultException>(() => Schema.Migrate(db, FilePath, ["", "CREATE TABLE b (x); CREATE TABLE a (x)"]));
        Assert.Equal((1, 1), ((int)db.Scalar("PRAGMA user_version"), (int)db.Scalar("SELECT count(*) FROM sqlite_schema")));
        Schema.Migrate(db, FilePath, ["", "CREATE TABLE b (x)"]);
        Assert.Equal((2, 2), ((int)db.Scalar("PRAGMA user_version"), (int)db.Scalar("SELECT count(*) FROM sqlite_schema")));
    }

    [Fact]
    public async Task The_tree_takes_up_where_it_stopped_and_proves_every_entry()
    {
        for (var session = 0; session < 3; session++)
        {
            await using var ledger = Open();
            for (var i = 0; i < 150; i++) await Do(ledger, Deposit($"d-{session}-{i}"));
        }

        await using var last = Open();
        var root = last.Audit.Root(450);
        foreach (var position in new long[] { 1, 151, 256, 257, 450 })
            Assert.True(Audit.MerkleVerifier.VerifyInclusion((ulong)position - 1, 450, last.Audit.LeafHash(position), last.Audit.ProveInclusion(position, 450), root));
        Assert.True(Audit.MerkleVerifier.VerifyConsistency(300, 450, last.Audit.Root(300), root, last.Audit.ProveConsistency(300, 450)));
        Assert.NotNull(Audit.SignedCheckpoint.Verify(last.Audit.LatestCheckpoint()!, last.Audit.Origin, last.Audit.PublicKey!));
    }
}
