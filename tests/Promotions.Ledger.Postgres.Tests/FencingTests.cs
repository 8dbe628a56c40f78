using System.Diagnostics;
using Npgsql;
using Promotions.Ledger.Contract;

namespace Promotions.Ledger.Postgres.Tests;

/// <summary>Two processes that both believe they own a task: only the later one writes.</summary>
public sealed class FencingTests
{
    private const string Task1 = "decide/3";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
    private static LogAppend[] Deposit(string id) => [new("deposits", id, new byte[] { 1 }, Make.Start, 0, new DepositCash(id, Make.Admin, Make.Start, "ann", "EUR", 1, null))];
    private static Task<CommitReceipt> CommitAsync(PostgresLedger ledger, TaskEpoch owner, string id) => ledger.CommitAsync(owner, Deposit(id), _ => [], Stop);
    private static long BalanceOf(PostgresLedger ledger) => ledger.Reader.BalancesOf("ann").SingleOrDefault()?.Available ?? 0;

    [Fact]
    public async Task An_owner_that_wakes_after_another_acquired_is_refused_and_books_nothing()
    {
        await using var backend = new PostgresBackend();
        await using (var sleeper = await backend.LedgerAsync(TimeProvider.System))
        await using (var other = await backend.LedgerAsync(TimeProvider.System))
        {
            var first = await sleeper.AcquireAsync(Task1, Stop);
            var beside = await sleeper.AcquireAsync("decide/4", Stop);
            Assert.True((await CommitAsync(sleeper, first, "d-1")).Outcomes[0]!.Accepted);
            var second = await other.AcquireAsync(Task1, Stop);
            Assert.Equal((1, 2), (first.Epoch, second.Epoch));
            var taken = await Assert.ThrowsAsync<TaskTakenException>(() => CommitAsync(sleeper, first, "d-2"));
            Assert.Equal(first, taken.Owner);
            Assert.Equal(1, BalanceOf(other));
            Assert.True((await CommitAsync(other, second, "d-2")).Outcomes[0]!.Accepted);
            Assert.True((await CommitAsync(sleeper, beside, "d-3")).Outcomes[0]!.Accepted);   // its other task is still its own
            await Assert.ThrowsAsync<TaskTakenException>(() => CommitAsync(sleeper, new("never acquired", 1), "d-4"));
            Assert.Equal(3, BalanceOf(other));
        }

        Assert.Empty(await backend.VerifyAsync());
    }

    [Fact]
    public async Task Those_who_share_a_transaction_with_a_refused_owner_are_booked()
    {
        await using var backend = new PostgresBackend();
        await using var one = await backend.LedgerAsync(TimeProvider.System);
        await using var two = await backend.LedgerAsync(TimeProvider.System);
        var passed = await one.AcquireAsync(Task1, Stop);
        var kept = await one.AcquireAsync("decide/4", Stop);
        await two.AcquireAsync(Task1, Stop);
        using var gate = new ManualResetEventSlim();
        var before = one.CommitAsync(Deposit("first"), _ => { gate.Wait(Stop); return []; }, Stop);   // while it holds the writer, the others gather behind it
        var refused = CommitAsync(one, passed, "refused");
        var booked = CommitAsync(one, kept, "booked");
        gate.Set();
        await before;
        await Assert.ThrowsAsync<TaskTakenException>(() => refused);
        Assert.True((await booked).Outcomes[0]!.Accepted);
        Assert.Equal(2, BalanceOf(two));
    }

    [Fact]
    public async Task An_acquisition_waits_for_the_commit_that_is_under_way()
    {
        await using var backend = new PostgresBackend();
        await using var one = await backend.LedgerAsync(TimeProvider.System);
        await using var two = await backend.LedgerAsync(TimeProvider.System);
        var first = await one.AcquireAsync(Task1, Stop);
        using var gate = new ManualResetEventSlim();
        var (commit, inside) = Stopped(one, first, gate);
        await inside;
        var acquiring = two.AcquireAsync(Task1, Stop);
        await WaitAsync(backend, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
        Assert.False(acquiring.IsCompleted);
        gate.Set();
        Assert.True((await commit).Outcomes[0]!.Accepted);
        Assert.Equal(2, (await acquiring).Epoch);
        Assert.Equal(1, BalanceOf(two));
    }

    [Fact]
    public async Task A_commit_that_meets_an_acquisition_under_way_waits_and_is_refused()
    {
        await using var backend = new PostgresBackend();
        await using var ledger = await backend.LedgerAsync(TimeProvider.System);
        var first = await ledger.AcquireAsync(Task1, Stop);
        await using var connection = new NpgsqlConnection(backend.ConnectionString);
        await connection.OpenAsync(Stop);
        await using var raising = await connection.BeginTransactionAsync(Stop);
        await using (var raise = new NpgsqlCommand("UPDATE partition_epoch SET epoch = epoch + 1", connection)) await raise.ExecuteNonQueryAsync(Stop);
        var commit = CommitAsync(ledger, first, "d-1");
        await WaitAsync(backend, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
        await raising.CommitAsync(Stop);
        await Assert.ThrowsAsync<TaskTakenException>(() => commit);
        Assert.Equal(0, BalanceOf(ledger));
    }

    [Fact]
    public async Task An_owner_stopped_inside_its_transaction_loses_it_and_its_task()
    {
        await using var backend = new PostgresBackend { IdleInTransactionTimeout = TimeSpan.FromMilliseconds(200) };
        await using (var stopped = await backend.LedgerAsync(TimeProvider.System))
        await using (var other = await backend.LedgerAsync(TimeProvider.System))
        {
            var first = await stopped.AcquireAsync(Task1, Stop);
            using var gate = new ManualResetEventSlim();
            var (commit, inside) = Stopped(stopped, first, gate);
            await inside;
            var second = await other.AcquireAsync(Task1, Stop);   // the server ends the stopped transaction for it
            Assert.True((await CommitAsync(other, second, "d-2")).Outcomes[0]!.Accepted);
            gate.Set();
            await Assert.ThrowsAsync<TaskTakenException>(() => commit);
            Assert.Equal(1, BalanceOf(other));
        }

        Assert.Empty(await backend.VerifyAsync());
    }

    /// <summary>A commit that stands still inside its transaction, its rows locked, until the gate opens.</summary>
    private static (Task<CommitReceipt> Commit, Task Inside) Stopped(PostgresLedger ledger, TaskEpoch owner, ManualResetEventSlim gate)
    {
        var inside = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (ledger.CommitAsync(owner, Deposit("d-1"), _ =>
        {
            inside.TrySetResult();
            gate.Wait(Stop);
            return [];
        }, Stop), inside.Task);
    }

    private static async Task WaitAsync(PostgresBackend backend, string countSql)
    {
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20);)
        {
            if ((long)(await PostgresServer.ExecuteAsync(backend.ConnectionString, countSql))! > 0) return;
            await Task.Delay(5, Stop);
        }

        Assert.Fail("Never so: " + countSql);
    }
}
