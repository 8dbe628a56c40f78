using Microsoft.Extensions.Time.Testing;
using Promotions.Domain;
using Promotions.Streams.Embedded;
using Promotions.Streams.State;
using Promotions.Streams.Tests.State;

namespace Promotions.Streams.Tests.Embedded;

/// <summary>A driver dies between any two steps; what comes after equals an uninterrupted run.</summary>
public abstract class CrashContract : IDisposable
{
    private const int Records = 96;       // a checkpoint for each few of them: the third comes before the end, however busy the machine
    private const int InFlight = 8;

    protected abstract IStateBackend Create();
    protected abstract IStateBackend Reopen(IStateBackend backend);
    public virtual void Dispose() => GC.SuppressFinalize(this);

    [Theory]
    [InlineData("after_accept")]
    [InlineData("after_process")]
    [InlineData("before_commit")]
    [InlineData("after_commit")]
    [InlineData("before_answer")]
    [InlineData("after_answer")]
    [InlineData("before_checkpoint")]
    [InlineData("in_checkpoint")]
    [InlineData("after_checkpoint")]
    public async Task After_a_crash_state_and_log_equal_those_of_an_uninterrupted_run(string point)
    {
        foreach (var nth in new[] { 1, 2, 3 }) await CrashAt(point, nth);
    }

    private async Task CrashAt(string point, int nth)
    {
        var log = new MemoryLog();
        var backend = Create();
        var crash = new Crash(point, nth);
        var acknowledged = new HashSet<string>();
        await Run(log, backend, crash, acknowledged);
        Assert.True(crash.Dead, $"{point}:{nth} was never passed.");
        Assert.All(acknowledged, id => Assert.Contains(log.Entries, e => e.Id == id));

        backend = Reopen(backend);
        Assert.InRange(backend.Position, 0, log.LastPosition);
        await Run(log, backend, new Crash("nowhere", 1), acknowledged);
        Assert.Equal(Records, acknowledged.Count);
        Assert.Equal(log.Entries.Count, log.Entries.Select(e => e.Id).Distinct().Count());
        Assert.Equal(Records, log.Entries.Count(e => e.Topic == "additions"));

        backend = Reopen(backend);
        Assert.Equal(log.LastPosition, backend.Position);
        Assert.Equal(Uninterrupted(log), Contents(backend));
        backend.Dispose();
    }

    /// <summary>Sends what is not acknowledged yet, a few at a time, until done or dead.</summary>
    private static async Task Run(MemoryLog log, IStateBackend backend, Crash crash, HashSet<string> acknowledged)
    {
        var time = new FakeTimeProvider();
        var options = new EmbeddedDriverOptions(LayoutHash: 1, BatchMax: 5, CheckpointEvery: TimeSpan.FromMilliseconds(10));
        await using var driver = EmbeddedDriver.Start(Counting.Topology(), backend, log, log, new QuietObserver(), options, time, crash.Hit);
        for (var first = 0; first < Records && !crash.Dead; first += InFlight)
        {
            time.Advance(TimeSpan.FromMilliseconds(11));
            var waiting = Enumerable.Range(first, InFlight).Select(i => Submit(driver, i)).ToList();
            foreach (var (id, answer) in waiting)
            {
                try
                {
                    await answer;
                    acknowledged.Add(id);
                }
                catch (Exception fault) when (fault is DriverFaultException or SimulatedCrashException)
                {
                    Assert.True(crash.Dead);
                }
            }
        }
    }

    private static (string Id, Task<object?> Answer) Submit(EmbeddedDriver driver, int i)
    {
        return ($"r{i}", SendAsync());

        async Task<object?> SendAsync() => await driver.SubmitAsync(new("additions", $"r{i}", new Addition(i % 7, i % 11).ToBytes(), new EventTime(1_000 + i)), CancellationToken.None);
    }

    private static Dictionary<int, (long, EventTime)> Uninterrupted(MemoryLog log)
    {
        using var driver = new TopologyDriver(Counting.Topology(), hopsAreBytes: true);
        foreach (var entry in log.Entries) driver.Pipe(entry.Topic, entry.Value, entry.At);
        var store = driver.Store<int, Counter>("counters");
        return store.Keys().ToDictionary(key => key, key => (store.Get(key).Count, store.Get(key).LastAt));
    }

    private static Dictionary<int, (long, EventTime)> Contents(IStateBackend backend)
    {
        using var stores = new StateStores(new Undisposed(backend), 1);
        var store = stores.Open(new StoreDefinition<int, Counter>("counters", 1, new CounterSerde()));
        return store.Keys().ToDictionary(key => key, key => (store.Get(key).Count, store.Get(key).LastAt));
    }

    private sealed class Undisposed(IStateBackend inner) : IStateBackend
    {
        public long Position => inner.Position;
        public ulong LayoutHash => inner.LayoutHash;
        public int Read(ReadOnlySpan<byte> key, Span<byte> destination) => inner.Read(key, destination);
        public int Scan(ReadOnlySpan<byte> from, int max, StateVisitor visitor) => inner.Scan(from, max, visitor);
        public IStateBatch Begin() => inner.Begin();
        public void Clear() => inner.Clear();
        public void Dispose() { }
    }

    /// <summary>From its point on every step fails, as in a process that is gone.</summary>
    private sealed class Crash(string point, int nth)
    {
        private int _passed;
        private volatile bool _dead;

        public bool Dead => _dead;

        public void Hit(string name)
        {
            if (!_dead && name == point && Interlocked.Increment(ref _passed) == nth) _dead = true;
            if (_dead) throw new SimulatedCrashException();
        }
    }

    private sealed class SimulatedCrashException : Exception;
}
