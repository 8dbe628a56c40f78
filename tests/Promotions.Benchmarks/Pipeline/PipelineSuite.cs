using System.Diagnostics;
using System.Globalization;
using Promotions.Domain.Decisions;
using Promotions.Processing.Records;
using Promotions.Processing.Topologies;
using Promotions.Streams;
using Promotions.Streams.Embedded;
using Promotions.Streams.RocksDb;
using Promotions.Streams.State;

namespace Promotions.Benchmarks.Pipeline;

/// <summary>From encoded bytes to verdict through the redemption topology, ledger apart: decode, observe seven entities, gather, price, score with the shipped model, decide, fold the outcome.</summary>
/// <remarks>
/// <see cref="BenchShop"/> says what comes. One thread processes; another makes the requests, and RocksDB has its own. PROMOTIONS_BENCH_REQUESTS (default 3,000,000) shortens it.
/// Beside pipeline.rate stands the same work over state in memory (pipeline.pure). The first tenth is not counted; the last checkpoint is.
/// </remarks>
internal sealed class PipelineSuite : IBenchSuite
{
    private const int Customers = 50_000;
    private const int InFlight = 2_048;
    private const int BatchMax = 256;
    private static readonly int Requests = int.Parse(Environment.GetEnvironmentVariable("PROMOTIONS_BENCH_REQUESTS") ?? "3000000", CultureInfo.InvariantCulture);

    public string Name => "pipeline";

    public async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        report.Progress($"{Requests:#,0} requests a run");
        var rate = await OnDiskAsync(new(Customers, 0, Requests), BatchMax);
        report.Rate("pipeline.rate", rate.Rate, "requests/s", note: rate.Note);
        var pure = Pure(new(Customers, 0, Requests));
        report.Rate("pipeline.pure", pure.Rate, "requests/s", note: pure.Note);
        var hot = await OnDiskAsync(new(Customers, 0.2, Requests), BatchMax);
        report.Rate("pipeline.hot", hot.Rate, "requests/s", rate.Rate, note: hot.Note);
        var growth = await OnDiskAsync(new(Customers * 10, 0, Requests), BatchMax);
        report.Rate("pipeline.growth", growth.Rate, "requests/s", rate.Rate, note: growth.Note);
        report.Cost("pipeline.allocated", rate.AllocatedPerRequest, "B", note: "decoded request with its texts, keys, priced cart, vector, risk and proposal, answer, outcome and its bytes, growth of state, states loaded");
        var worst = await WorstAsync();
        report.Cost("pipeline.worst", worst.Rate, "ms", note: worst.Note);
    }

    private static async Task<Result> OnDiskAsync(BenchShop shop, int batchMax)
    {
        var folder = Directory.CreateTempSubdirectory("promotions-bench-pipeline-").FullName;
        try
        {
            using var state = RocksDbBackend.Open(folder);
            var times = new StageTimes();
            var driver = EmbeddedDriver.Start(
                BenchShop.Topology(), state, new YesLog(), recorded: null, times, new(RedemptionTopology.LayoutHash, BatchMax: batchMax, CheckpointEvery: TimeSpan.FromSeconds(5)), TimeProvider.System, _ => { });
            var first = Requests / 10;
            var allocated = await SendAsync(driver, shop, 0, first);
            times.Forget();
            var collected = new Collections();
            var (before, started) = (GC.GetTotalAllocatedBytes(true), Stopwatch.GetTimestamp());
            allocated = await SendAsync(driver, shop, first, Requests);
            await driver.DisposeAsync();
            var took = Stopwatch.GetElapsedTime(started);
            if (times.Fault is { } fault) throw new InvalidOperationException("The run failed.", fault);
            var counted = Requests - first;
            return new(counted / took.TotalSeconds, (GC.GetTotalAllocatedBytes(true) - before - allocated) / (double)counted, string.Create(CultureInfo.InvariantCulture,
                $"{took.TotalSeconds:F1} s: process {times.Total("process").TotalSeconds:F1}, commit {times.Total("commit").TotalSeconds:F1}, fold {times.Total("fold").TotalSeconds:F1}, {times.Checkpoints} checkpoints beside; {collected}"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <returns>What making the requests allocated on its own: not the pipeline's. Unit: bytes.</returns>
    private static async Task<long> SendAsync(EmbeddedDriver driver, BenchShop shop, int from, int to)
    {
        var answers = new Task<object?>[InFlight];
        long made = 0;
        for (var number = from; number < to; number++)
        {
            if (answers[number % InFlight] is { IsCompleted: false } oldest) await oldest;
            var before = GC.GetAllocatedBytesForCurrentThread();
            var (id, value, at) = shop.Next(number);
            made += GC.GetAllocatedBytesForCurrentThread() - before;
            answers[number % InFlight] = driver.SubmitAsync(new(Topics.Requests, id, value, at), CancellationToken.None);
        }

        await Task.WhenAll(answers.Where(answer => answer is not null));
        return made;
    }

    private static Result Pure(BenchShop shop)
    {
        using var driver = new TopologyDriver(BenchShop.Topology());
        var block = new (string Id, byte[] Value, Domain.EventTime At)[10_000];
        var (counted, used) = (TimeSpan.Zero, TimeSpan.Zero);
        var collected = new Collections();
        for (var done = 0; done < Requests; done += block.Length)
        {
            for (var i = 0; i < block.Length; i++) block[i] = shop.Next(done + i);
            var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            foreach (var (_, value, at) in block)
            {
                driver.Pipe(Topics.Requests, value, at);
                driver.Pipe(Topics.Outcomes, YesLog.OutcomeOf((DecisionProposal)driver.Outputs[0].Value!), at);
                driver.ClearOutputs();
            }

            if (done < Requests / 10) continue;
            counted += Stopwatch.GetElapsedTime(started);
            used += Environment.CpuUsage.TotalTime - cpu;
        }

        if (driver.DeadLetters.Count > 0) throw new InvalidOperationException("The run failed: " + driver.DeadLetters[0].Reason);
        var requests = Requests - Requests / 10;
        return new(requests / counted.TotalSeconds, 0, string.Create(CultureInfo.InvariantCulture, $"{used.TotalMicroseconds / requests:F1} us of processor a request; {collected}"));
    }

    /// <summary>One record at a time: a coupon gathers a million events, is silent for a month, and comes back.</summary>
    private static async Task<Result> WorstAsync()
    {
        var hotRequests = Math.Min(1_000_000, Requests);
        var folder = Directory.CreateTempSubdirectory("promotions-bench-pipeline-").FullName;
        try
        {
            using var state = RocksDbBackend.Open(folder);
            var times = new StageTimes();
            await using var driver = EmbeddedDriver.Start(
                BenchShop.Topology(), state, new YesLog(), recorded: null, times, new(RedemptionTopology.LayoutHash, BatchMax: 1, CheckpointEvery: TimeSpan.FromSeconds(5)), TimeProvider.System, _ => { });
            var shop = new BenchShop(Customers, 1, hotRequests);
            await SendAsync(driver, shop, 0, hotRequests / 10);
            times.Forget();
            var collected = new Collections();
            await SendAsync(driver, shop, hotRequests / 10, hotRequests);
            var busy = times.Worst;
            var answers = new List<Task<object?>>();
            for (var i = 0; i < 20_000; i++)
            {
                // A quarter of the window later the oldest events are still due, then come all at once: both kinds of "after silence".
                var at = BenchShop.TimeOf(hotRequests * (i < 10_000 ? 1.4 : 2.5) + i, hotRequests);
                var (id, value, time) = shop.Next(hotRequests + i, at);
                answers.Add(driver.SubmitAsync(new(Topics.Requests, id, value, time), CancellationToken.None));
                if (answers.Count == InFlight)
                {
                    await Task.WhenAll(answers);
                    answers.Clear();
                }
            }

            await Task.WhenAll(answers);
            return new(times.Worst.TotalMilliseconds, 0, string.Create(CultureInfo.InvariantCulture,
                $"slowest single record of {hotRequests + 20_000:#,0}, {hotRequests:#,0} of them on one coupon; {busy.TotalMilliseconds:F1} ms before its silence; collections included, {collected}; {times.Checkpoints} checkpoints beside"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What the collector did since it was made.</summary>
    private sealed class Collections
    {
        private readonly int _gen0 = GC.CollectionCount(0);
        private readonly int _gen1 = GC.CollectionCount(1);
        private readonly int _gen2 = GC.CollectionCount(2);
        private readonly TimeSpan _paused = GC.GetTotalPauseDuration();

        public override string ToString() => string.Create(CultureInfo.InvariantCulture,
            $"{GC.CollectionCount(0) - _gen0}/{GC.CollectionCount(1) - _gen1}/{GC.CollectionCount(2) - _gen2} collections, paused {(GC.GetTotalPauseDuration() - _paused).TotalMilliseconds:F0} ms");
    }

    private sealed record Result(double Rate, double AllocatedPerRequest, string Note);
}
