using System.Runtime.CompilerServices;
using Promotions.Domain;
using Promotions.Streams.Embedded;
using Promotions.Streams.State;
using Promotions.Streams.Tests.State;

namespace Promotions.Streams.Tests.Embedded;

public sealed class InMemoryCrashTests : CrashContract
{
    protected override IStateBackend Create() => new InMemoryBackend();
    protected override IStateBackend Reopen(IStateBackend backend) => backend;
}

public sealed class EmbeddedDriverTests : IDisposable
{
    private readonly MemoryLog _log = new();
    private readonly QuietObserver _observer = new();
    private readonly InMemoryBackend _backend = new();

    public void Dispose() => _backend.Dispose();

    [Fact]
    public async Task Answers_are_the_logs_and_state_is_its_fold()
    {
        await using (var driver = Start())
        {
            Assert.Equal(1L, await Submit(driver, "a", 1, 3));
            Assert.Equal(2L, await Submit(driver, "b", 1, 7));
            Assert.Equal("totals", Assert.Single(_log.LastOutputs).Topic);
            Assert.Equal(new Addition(1, 10), _log.LastOutputs[0].Value);
        }

        Assert.Equal(_log.LastPosition, _backend.Position);
        Assert.Equal(110, CountOf(1));
    }

    [Fact]
    public async Task A_recorded_id_is_answered_and_changes_nothing()
    {
        await using (var driver = Start())
        {
            Assert.Equal(1L, await Submit(driver, "a", 1, 3));
            Assert.Equal(1L, await Submit(driver, "a", 1, 3));
        }

        Assert.Equal((1, 3), (_log.Entries.Count, CountOf(1)));
    }

    [Fact]
    public async Task The_same_id_twice_in_a_batch_is_one_record_with_one_answer()
    {
        await using (var driver = Start())
        {
            var gate = Gate();
            var first = Submit(driver, "x", 9, 1);
            await gate.Entered.Task;
            var twins = new[] { Submit(driver, "a", 1, 3), Submit(driver, "a", 1, 3), Submit(driver, "a", 1, 4), Submit(driver, "b", 1, 1) };
            gate.Leave.SetResult();
            await first;
            Assert.Equal([2L, 2L, 2L, 3L], await Task.WhenAll(twins));
        }

        Assert.Equal([1, 1, 1], _log.BatchSizes);
        Assert.Equal(4, CountOf(1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_failed_commit_leaves_state_as_the_log_has_it(bool appended)
    {
        await using (var driver = Start())
        {
            await Submit(driver, "a", 1, 3);
            Func<Task> fail = () => throw new IOException("disk full");
            _log.BeforeAppend = appended ? null : fail;
            _log.AfterAppend = appended ? fail : null;
            await Assert.ThrowsAsync<DriverFaultException>(() => Submit(driver, "b", 1, 7));
            (_log.BeforeAppend, _log.AfterAppend) = (null, null);
            Assert.Equal(2L, await Submit(driver, "b", 1, 7));
            await Submit(driver, "c", 1, 1);
            Assert.Null(driver.StoppedBecause);
        }

        Assert.Equal(4, _log.Entries.Count);
        Assert.Equal(111, CountOf(1));
    }

    [Theory]
    [InlineData(Addition.GivenUp, "given up")]
    [InlineData(Addition.FailsLate, "failed late")]
    [InlineData(0, "An addition has 12 bytes, not 1.")]
    public async Task A_poison_record_becomes_a_dead_letter_and_blocks_nothing(long amount, string reason)
    {
        await using (var driver = Start())
        {
            var gate = Gate();
            var first = Submit(driver, "a", 1, 1);
            await gate.Entered.Task;
            var before = Submit(driver, "b", 1, 2);
            var poison = driver.SubmitAsync(new("additions", "p", amount == 0 ? new byte[1] : new Addition(1, amount).ToBytes(), new(99_999)), CancellationToken.None);
            var after = Submit(driver, "c", 1, 3);
            gate.Leave.SetResult();
            await Task.WhenAll(first, before, after);
            Assert.Equal(reason, (await Assert.ThrowsAsync<DeadLetterException>(() => poison)).Letter!.Reason);
        }

        Assert.Equal(["a", "b", "c"], _log.Entries.Where(e => e.Topic == "additions").Select(e => e.Id));
        var kept = Assert.Single(_log.Entries, e => e.Topic == DeadLetter.LettersTopic);
        var letter = DeadLetter.FromRecord(kept.Id, kept.Value, kept.At);
        Assert.Equal(("additions", "p", reason), (letter.Topic, letter.Id, letter.Reason));
        Assert.Equal(_observer.DeadLetters[0].Value.ToArray(), letter.Value.ToArray());
        Assert.Equal("p", Assert.Single(_observer.DeadLetters).Id);
        Assert.Equal(6, CountOf(1));
        await using var again = Start();
        Assert.Null(again.StoppedBecause);
    }

    [Fact]
    public async Task Callers_wait_while_the_queue_is_full()
    {
        var accepted = 0;
        await using var driver = Start(queueMax: 1, crashPoint: name => accepted += name == "after_accept" ? 1 : 0);
        var gate = Gate();
        var first = Submit(driver, "a", 1, 1);
        await gate.Entered.Task;
        var second = Submit(driver, "b", 1, 1);
        var third = Submit(driver, "c", 1, 1);
        Assert.Equal((2, 1, false), (accepted, driver.Queued, third.IsCompleted));
        gate.Leave.SetResult();
        await Task.WhenAll(first, second, third);
        Assert.Equal(3, CountOfLog());
    }

    [Fact]
    public async Task Lost_state_is_a_longer_replay_and_its_progress_is_told()
    {
        await using (var driver = Start()) await Submit(driver, "a", 1, 7);
        _backend.Clear();
        await using (Start())
        {
        }

        Assert.Equal((2, 2), _observer.Replays[^1]);
        Assert.Equal(107, CountOf(1));
    }

    [Fact]
    public async Task A_replay_goes_without_what_is_there_for_effects_alone()
    {
        await using (var driver = Start()) await Submit(driver, "a", 1, 3);
        _backend.Clear();
        var told = new StrongBox<int>();
        await using (var driver = EmbeddedDriver.Start(Counting.Topology(told: told), _backend, _log, _log, _observer, new(1), TimeProvider.System, _ => { }))
        {
            Assert.Equal(0, told.Value);
            await Submit(driver, "b", 1, 1);
            Assert.Equal(1, told.Value);
        }

        Assert.Equal(4, CountOf(1));
    }

    [Fact]
    public async Task A_deferred_record_counts_once_the_log_took_it_and_never_when_it_was_refused()
    {
        await using (var driver = Start())
        {
            var gate = Gate();
            var first = Submit(driver, "x", 1, 1);
            await gate.Entered.Task;
            var batch = new[] { Defer(driver, "d1", 1, 20), Submit(driver, "a", 1, 3), Defer(driver, "d2", 1, Addition.Refused) };
            gate.Leave.SetResult();
            await first;
            Assert.Equal([3L, 2L, null], await Task.WhenAll(batch));
        }

        Assert.Equal(["x", "a", "d1"], _log.Entries.Select(e => e.Id));       // the order of the log is the order of folding
        Assert.Equal(24, CountOf(1));
        _backend.Clear();
        await using (Start())
        {
        }

        Assert.Equal(24, CountOf(1));

        static Task<object?> Defer(EmbeddedDriver driver, string id, int key, long amount) =>
            driver.SubmitAsync(new("additions", id, new Addition(key, amount).ToBytes(), new EventTime(1)) { IsDeferred = true }, CancellationToken.None);
    }

    [Fact]
    public async Task A_replay_that_gives_another_hash_keeps_intake_closed()
    {
        await using (var driver = Start()) await Submit(driver, "a", 1, 3);
        _backend.Clear();
        _log.Tamper(0, e => e with { StateHash = e.StateHash + 1 });
        var fault = Assert.Throws<ReplayMismatchException>(() => Start());
        Assert.Contains("'a'", fault.Message, StringComparison.Ordinal);
        Assert.Contains("counters", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_layout_rebuilds_state_and_compares_nothing_old()
    {
        await using (var driver = Start()) await Submit(driver, "a", 1, 3);
        _log.Tamper(0, e => e with { StateHash = e.StateHash + 1 });
        await using (var driver = Start(layoutHash: 2)) await Submit(driver, "b", 1, 1);
        Assert.Equal((2UL, 2L), (_backend.LayoutHash, _backend.Position));
        Assert.Equal(4, CountOf(1, layoutHash: 2));
    }

    [Fact]
    public void State_ahead_of_the_log_is_refused()
    {
        using (var batch = _backend.Begin()) batch.Commit(5, 1);
        Assert.Contains("another log", Assert.Throws<ReplayMismatchException>(() => Start()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failing_disk_closes_intake_and_says_why()
    {
        var driver = Start(crashPoint: name =>
        {
            if (name == "in_checkpoint") throw new IOException("disk full");
        });
        await Submit(driver, "a", 1, 3);
        await driver.DisposeAsync();
        Assert.IsType<IOException>(driver.StoppedBecause);
        Assert.Equal(0, _backend.Position);
        var refused = await Assert.ThrowsAsync<DriverFaultException>(() => Submit(driver, "b", 1, 3));
        Assert.Contains("Intake is closed", refused.Message, StringComparison.Ordinal);
    }

    private EmbeddedDriver Start(int queueMax = 100, ulong layoutHash = 1, Action<string>? crashPoint = null) => EmbeddedDriver.Start(
        Counting.Topology(), _backend, _log, _log, _observer, new(layoutHash, queueMax), TimeProvider.System, crashPoint ?? (_ => { }));

    private static Task<object?> Submit(EmbeddedDriver driver, string id, int key, long amount) =>
        driver.SubmitAsync(new("additions", id, new Addition(key, amount).ToBytes(), new EventTime(1)), CancellationToken.None);

    /// <summary>Holds the next commit until told to leave.</summary>
    private (TaskCompletionSource Entered, TaskCompletionSource Leave) Gate()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var leave = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _log.BeforeAppend = async () =>
        {
            _log.BeforeAppend = null;
            entered.SetResult();
            await leave.Task;
        };
        return (entered, leave);
    }

    private int CountOfLog() => _log.Entries.Count;

    private long CountOf(int key, ulong layoutHash = 1)
    {
        var store = new StateStores(_backend, layoutHash).Open(new StoreDefinition<int, Counter>("counters", 1, new CounterSerde()));
        return store.Get(key).Count;
    }
}
