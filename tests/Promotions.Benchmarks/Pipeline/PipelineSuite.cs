using System.Diagnostics;
using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Processing.Embedded;
using Promotions.Processing.Records;
using Promotions.Processing.State;
using Promotions.Scoring;
using Promotions.Streams.RocksDb;

namespace Promotions.Benchmarks.Pipeline;

/// <summary>From encoded bytes to verdict on one thread, ledger apart: decode, observe seven entities, price, score with the shipped model, decide, fold the outcome, checkpoint.</summary>
/// <remarks>
/// Cardinalities: 50,000 customers (squared-uniform skew: the busiest tenth make about a third of the requests), a device and payment token each, an address for two,
/// an ip for five, a network for 200 ips, one reusable code of 500. Requests spread evenly over 30 days. PROMOTIONS_BENCH_REQUESTS (default 3,000,000) shortens it.
/// Beside pipeline.rate stands the same work over tiles in memory (pipeline.pure).
/// </remarks>
internal sealed class PipelineSuite : IBenchSuite
{
    private const int Customers = 50_000;
    private const int Campaigns = 500;
    private const long CacheBytes = 256L << 20;
    private const long CheckpointEveryMs = 5_000;
    private static readonly EventTime Start = EventTime.From(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private static readonly int Requests = int.Parse(Environment.GetEnvironmentVariable("PROMOTIONS_BENCH_REQUESTS") ?? "3000000", CultureInfo.InvariantCulture);

    public string Name => "pipeline";

    public Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        report.Progress($"{Requests:#,0} requests a run");
        var pure = Measure(new MemoryTileStore(), Customers, hot: 0);
        report.Rate("pipeline.pure", pure.Rate, "requests/s");
        var rate = OnDisk(Customers, hot: 0);
        report.Rate("pipeline.rate", rate.Rate, "requests/s", note: string.Create(CultureInfo.InvariantCulture, $"checkpoints {rate.CheckpointMs:F0} ms of {rate.TotalMs:F0}, the longest {rate.CheckpointMaxMs:F1} ms"));
        report.Rate("pipeline.hot", OnDisk(Customers, hot: 0.2).Rate, "requests/s", rate.Rate);
        report.Rate("pipeline.growth", OnDisk(Customers * 10, hot: 0).Rate, "requests/s", rate.Rate);
        report.Cost("pipeline.worst", rate.WorstMs, "ms", note: string.Create(CultureInfo.InvariantCulture, $"slowest single record; collections in the run: {rate.Collections}; an entity of 10^6 events after silence is not in this run"));
        report.Cost("pipeline.allocated", rate.AllocatedPerRequest, "B", note: "decoded request, priced cart, vector, risk record, outcome");
        return Task.CompletedTask;
    }

    private static Result OnDisk(int customers, double hot)
    {
        var folder = Directory.CreateTempSubdirectory("promotions-bench-pipeline-").FullName;
        try
        {
            using var tiles = RocksTileStore.Open(folder, 64L << 20);
            return Measure(tiles, customers, hot);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Result Measure(ITileStore tiles, int customers, double hot)
    {
        var scorer = TreeScorer.Load(File.ReadAllBytes(Path.Combine("ml", "models", "default.json")), FeatureRegistry.LayoutHash);
        var features = new FeatureFold(tiles, CacheBytes);
        var policy = new FraudPolicy(1, FraudCosts.Default, 0.05, [], [], TimeSpan.FromMinutes(30));
        var snapshot = new Catalogue();
        var inputs = new DecisionInputs(scorer, null, policy, snapshot);
        var processor = new AttemptProcessor(features, new Decider(new FeatureCatalog()), () => inputs);
        var random = new Random(17);
        var first = Requests / 10;
        var result = new Result();
        long started = 0, allocated = 0, lastCheckpoint = Stopwatch.GetTimestamp(), generating = 0;
        var collections = 0;
        var block = new byte[10_000][];
        for (var done = 0; done < Requests; done += block.Length)
        {
            var generate = Stopwatch.GetTimestamp();
            for (var i = 0; i < block.Length; i++) block[i] = RecordCodec.Encode(Request(done + i, customers, hot, random));
            if (done >= first)
            {
                if (started == 0) (started, allocated, collections) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread(), GC.CollectionCount(0));
                else (generating, allocated) = (generating + Stopwatch.GetTimestamp() - generate, allocated + GeneratedBytes(block));
            }

            for (var i = 0; i < block.Length; i++)
            {
                var one = Stopwatch.GetTimestamp();
                var item = new AttemptItem(RecordCodec.DecodeRequest(block[i]), one);
                processor.ObserveAndDecide(item);
                features.Fold(new RedemptionOutcome(item.Request.Id, AttemptKind.Redemption, item.Proposal!.Proposed, "", false, item.Proposal.Priced.Discount, item.At, item.Entities!));
                if (started != 0) result.WorstMs = Math.Max(result.WorstMs, Stopwatch.GetElapsedTime(one).TotalMilliseconds);
                if (!features.WantsCheckpoint && ((i & 255) != 0 || Stopwatch.GetElapsedTime(lastCheckpoint).TotalMilliseconds < CheckpointEveryMs)) continue;
                Checkpoint(features, done + i + 1, started != 0, result);
                lastCheckpoint = Stopwatch.GetTimestamp();
            }
        }

        Checkpoint(features, Requests, true, result);
        result.TotalMs = Stopwatch.GetElapsedTime(started + generating).TotalMilliseconds;
        result.Rate = (Requests - first) / result.TotalMs * 1_000;
        result.AllocatedPerRequest = (GC.GetAllocatedBytesForCurrentThread() - allocated) / (double)(Requests - first);
        result.Collections = GC.CollectionCount(0) - collections;
        return result;
    }

    private static void Checkpoint(FeatureFold features, long position, bool counted, Result result)
    {
        var started = Stopwatch.GetTimestamp();
        features.Checkpoint(position);
        if (!counted) return;
        var took = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        result.CheckpointMs += took;
        result.CheckpointMaxMs = Math.Max(result.CheckpointMaxMs, took);
    }

    /// <summary>What making the block allocated is about three times its bytes (request object, writer's buffer, copy); taken off so that the row is the pipeline's own.</summary>
    private static long GeneratedBytes(byte[][] block) => block.Sum(b => 3L * b.Length);

    private static RedemptionRequest Request(int number, int customers, double hot, Random random)
    {
        var skew = random.NextDouble();
        var customer = (int)(skew * skew * customers);
        var code = random.NextDouble() < hot ? 0 : random.Next(Campaigns);
        return new(
            AttemptKind.Redemption, $"r-{number}", "web-de", "bench", new($"c-{customer}", null),
            new($"o-{number}", "EUR", [new("1", $"sku-{random.Next(500)}", "kitchen", random.Next(1, 4), random.Next(500, 9_000))], 0),
            [new(RedeemableType.Coupon, $"CAMPAIGN-{code}", 0)],
            new($"d-{customer}", $"10.{customer / 1_000 % 250}.{customer / 5 / 200 % 250}.{customer / 5 % 200}", null, $"p-{customer}", $"a-{customer / 2}", null),
            Start.Plus(TimeSpan.FromMilliseconds(30.0 * 86_400_000 * number / Requests)), null, null, ReadOnlyMemory<byte>.Empty);
    }

    private sealed class Result
    {
        public double Rate, TotalMs, CheckpointMs, CheckpointMaxMs, WorstMs, AllocatedPerRequest;
        public int Collections;
    }

    private sealed class Catalogue : ICampaignSnapshot
    {
        private readonly Dictionary<string, Campaign> _campaigns = Enumerable.Range(0, Campaigns).Select(i => new Campaign(
            $"CAMPAIGN-{i}", 1, $"Campaign {i}", Distribution.CodeBased, "EUR", new(BenefitType.PercentOff, 1_000, 0, false, null), Conditions.None, Limits.None, new(0), null, [], 0, "salt", true, new(0)))
            .ToDictionary(c => c.Id, StringComparer.OrdinalIgnoreCase);

        private readonly Dictionary<string, Coupon> _coupons = Enumerable.Range(0, Campaigns)
            .Select(i => new Coupon($"CAMPAIGN-{i}", $"CAMPAIGN-{i}", null, null, false, new(0))).ToDictionary(c => c.Code, StringComparer.Ordinal);

        public long Revision => 1;
        public IReadOnlyList<Campaign> PublicCampaigns => [];
        public Campaign? FindCampaign(string campaignId) => _campaigns.GetValueOrDefault(campaignId);
        public Coupon? FindCoupon(string code) => _coupons.GetValueOrDefault(code);
        public IReadOnlyList<Coupon> CouponsOf(string customerId) => [];
        public Arm FindArm(string campaignId, string customerId) => Arm.None;
    }
}
