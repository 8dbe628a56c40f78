using Promotions.Ledger.Contract;

namespace Promotions.Ledger.Postgres.Tests;

/// <summary>One process at a time plays a role; one that lost it writes nothing.</summary>
public sealed class LeaseTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;
    private static Task PutAsync(ISettingsStore settings, string value) => settings.PutAsync("followers", "clickhouse", value, Actor.System, Stop);

    [Fact]
    public async Task A_second_process_waits_until_the_first_gives_the_role_up()
    {
        await using var backend = new PostgresBackend { LeaseTerm = TimeSpan.FromMinutes(1) };
        await using var one = await backend.LedgerAsync(TimeProvider.System);
        await using var two = await backend.LedgerAsync(TimeProvider.System);
        var first = await one.LeaseAsync("sinks", "one", Stop);
        await using var other = await two.LeaseAsync("expiry", "two", Stop);
        using (var soon = CancellationTokenSource.CreateLinkedTokenSource(Stop))
        {
            var waiting = two.LeaseAsync("sinks", "two", soon.Token);
            await PutAsync(first.Settings, "17");
            Assert.False(waiting.IsCompleted);
            await soon.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        Assert.False(first.Lost.IsCancellationRequested);
        await first.DisposeAsync();
        Assert.True(first.Lost.IsCancellationRequested);
        await using var second = await two.LeaseAsync("sinks", "two", Stop);
        Assert.Equal("17", second.Settings.Find("followers", "clickhouse"));   // it goes on where the first one stopped
        await Assert.ThrowsAsync<TaskTakenException>(() => PutAsync(first.Settings, "18"));
        await PutAsync(second.Settings, "19");
        Assert.Equal("19", one.Find("followers", "clickhouse"));
    }

    [Fact]
    public async Task A_holder_that_is_stopped_loses_its_role_and_cannot_write_when_it_wakes()
    {
        await using var backend = new PostgresBackend { LeaseTerm = TimeSpan.FromMilliseconds(300) };
        await using var ledger = await backend.LedgerAsync(TimeProvider.System);
        var asleep = new StoppedTime();
        await using var stopped = await backend.LedgerAsync(asleep);
        var first = await stopped.LeaseAsync("sinks", "stopped", Stop);   // it never renews: its timers do not run
        await PutAsync(first.Settings, "1");
        await using var second = await ledger.LeaseAsync("sinks", "other", Stop);
        await PutAsync(second.Settings, "2");
        Assert.False(first.Lost.IsCancellationRequested);
        await Assert.ThrowsAsync<TaskTakenException>(() => PutAsync(first.Settings, "3"));
        Assert.Equal("2", ledger.Find("followers", "clickhouse"));
        asleep.Wake();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(TimeSpan.FromSeconds(30), first.Lost));
        await first.DisposeAsync();
        Assert.False(second.Lost.IsCancellationRequested);   // what is no longer its own it does not free
    }

    [Fact]
    public async Task A_role_is_kept_for_longer_than_its_term_while_its_holder_lives()
    {
        await using var backend = new PostgresBackend { LeaseTerm = TimeSpan.FromMilliseconds(900) };
        await using var one = await backend.LedgerAsync(TimeProvider.System);
        await using var lease = await one.LeaseAsync("sinks", "one", Stop);
        var end = (DateTime)(await PostgresServer.ExecuteAsync(backend.ConnectionString, "SELECT until FROM lease"))!;
        for (var n = 0; n < 3; n++)
        {
            DateTime later;
            while ((later = (DateTime)(await PostgresServer.ExecuteAsync(backend.ConnectionString, "SELECT until FROM lease"))!) == end)
            {
                Assert.False(lease.Lost.IsCancellationRequested);
                await Task.Delay(10, Stop);
            }

            Assert.True(later > end);
            end = later;
        }
    }

    /// <summary>A process whose timers fire only once it wakes.</summary>
    private sealed class StoppedTime : TimeProvider
    {
        private readonly List<ITimer> _timers = [];
        private bool _awake;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            lock (_timers)
            {
                var timer = base.CreateTimer(callback, state, _awake ? dueTime : Timeout.InfiniteTimeSpan, period);
                _timers.Add(timer);
                return timer;
            }
        }

        public void Wake()
        {
            lock (_timers)
            {
                _awake = true;
                foreach (var timer in _timers) timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }
        }
    }
}
