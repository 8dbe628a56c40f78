using System.Globalization;
using Promotions.Analytics.Results;
using Promotions.Domain;
using Promotions.Domain.Campaigns;

namespace Promotions.Benchmarks;

/// <summary>How often the 95 % interval holds the true effect, through sink, rollup and results: one campaign with new customers per seed.</summary>
/// <remarks>The population is drawn here, its true effect known by construction: a treated customer spends 400 minor units more in the mean on orders of
/// skewed size. PROMOTIONS_BENCH_SEEDS sets how many seeds; 100 by default.</remarks>
internal sealed class CausalSuite : IBenchSuite
{
    private const int Customers = 400;
    private const double OrdersMean = 2, SpendMean = 2_000, EffectPerCustomer = 400;

    public string Name => "causal";

    public async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        var seeds = int.Parse(Environment.GetEnvironmentVariable("PROMOTIONS_BENCH_SEEDS") ?? "100", CultureInfo.InvariantCulture);
        await using var bench = await AnalyticsBench.StartAsync(cancellationToken);
        var outbox = new BenchOutbox();
        for (var seed = 0; seed < seeds; seed++) Draw(outbox, seed);
        using var sink = bench.Sink(outbox);
        await sink.CatchUpAsync(null, cancellationToken);

        var results = new CampaignResults(bench.Database);
        var held = 0;
        for (var seed = 0; seed < seeds; seed++)
        {
            var result = await results.ComputeAsync(Id(seed), cancellationToken);
            var interval = result!.Effect.Difference ?? throw new InvalidOperationException($"Seed {seed}: {result.Effect.TooLittleData}");
            if (interval.Low <= EffectPerCustomer && EffectPerCustomer <= interval.High) held++;
        }

        report.Rate("causal.held", (double)held / seeds, "share", note: $"the true effect lies in the 95 % interval for {held} of {seeds} seeds, {Customers} customers each (reach 0.89 to 0.99)");
    }

    private static string Id(int seed) => string.Create(CultureInfo.InvariantCulture, $"campaign-{seed}");

    private static void Draw(BenchOutbox outbox, int seed)
    {
        var random = new Random(seed);
        var start = EventTime.From(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero));
        outbox.Campaign(Id(seed), 5_000, start);
        for (var i = 0; i < Customers; i++)
        {
            var customer = string.Create(CultureInfo.InvariantCulture, $"s{seed}-c{i}");
            var treated = random.Next(2) == 0;
            var triggered = start.Plus(TimeSpan.FromHours(random.Next(240)));
            outbox.Arm(Id(seed), customer, treated ? Arm.Treated : Arm.Control, triggered);
            // Poisson orders of exponential size: the mean per customer is their product, in either world.
            var size = treated ? SpendMean + EffectPerCustomer / OrdersMean : SpendMean;
            var order = 0;
            for (var time = Exponential(random); time < OrdersMean; time += Exponential(random), order++)
                outbox.Order(string.Create(CultureInfo.InvariantCulture, $"{customer}-{order}"), customer, (long)Math.Round(size * Exponential(random)), triggered.Plus(TimeSpan.FromHours(24 * time)));
        }
    }

    private static double Exponential(Random random) => -Math.Log(1 - random.NextDouble());
}
