using System.Globalization;
using Promotions.Analytics.Results;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Simulation;

namespace Promotions.Benchmarks;

/// <summary>How often the 95 % interval holds the true effect: simulated shops with new customers per seed, through sink, rollup and results.</summary>
/// <remarks>
/// One customer per household, slack limits, no abuse, half of the customers control. The truth is the simulator's: the mean difference between the worlds in which all are treated
/// and in which none is, over many other draws. PROMOTIONS_BENCH_SEEDS sets how many seeds; 100 by default.
/// </remarks>
internal sealed class CausalSuite : IBenchSuite
{
    private const string Campaign = "season8";
    private const int TruthDraws = 40;

    private static readonly SimulationOptions World = new()
    {
        Seed = 11,
        Start = EventTime.From(new DateTimeOffset(2026, 2, 2, 0, 0, 0, TimeSpan.Zero)),
        Customers = 2_000,
        Days = 40,
        OnePerHousehold = true,
        SlackLimits = true,
        Scenarios = [],
        ControlShare = 5_000,
    };

    public string Name => "causal";

    public async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        var seeds = int.Parse(Environment.GetEnvironmentVariable("PROMOTIONS_BENCH_SEEDS") ?? "100", CultureInfo.InvariantCulture);
        var truth = EffectTruth.Of(World, Campaign, TruthDraws, cancellationToken);
        report.Progress(string.Create(CultureInfo.InvariantCulture, $"the truth: {truth.Difference:F1} ± {truth.StandardError:F1} minor units per customer, {truth.Customers:#,0} customers in {TruthDraws} draws of two worlds"));

        await using var bench = await AnalyticsBench.StartAsync(cancellationToken);
        var outbox = new BenchOutbox();
        for (var seed = 0; seed < seeds; seed++) Draw(outbox, seed);
        using var sink = bench.Sink(outbox);
        await sink.CatchUpAsync(null, cancellationToken);

        var results = new CampaignResults(bench.Database);
        var held = 0;
        double width = 0;
        for (var seed = 0; seed < seeds; seed++)
        {
            var result = await results.ComputeAsync(Id(seed), cancellationToken);
            var interval = result!.Effect.Difference ?? throw new InvalidOperationException($"Seed {seed}: {result.Effect.TooLittleData}");
            width += interval.High - interval.Low;
            if (interval.Low <= truth.Difference && truth.Difference <= interval.High) held++;
        }

        report.Rate("causal.held", (double)held / seeds, "share", note: string.Create(CultureInfo.InvariantCulture,
            $"the true effect, {truth.Difference:F0} minor units per customer, lies in the 95 % interval for {held} of {seeds} seeds; mean width {width / seeds:F0} (reach 0.89 to 0.99)"));
    }

    private static string Id(int seed) => string.Create(CultureInfo.InvariantCulture, $"campaign-{seed}");

    /// <summary>One shop's arms, orders and returns, in a campaign of its own name: what happened to customers that the campaign triggered, until its end.</summary>
    private static void Draw(BenchOutbox outbox, int seed)
    {
        var retailer = new SimulatedRetailer(World with { Seed = 1_000 + (ulong)seed });
        var campaign = retailer.MeasuredCampaigns.First(one => one.Id == Campaign);
        var end = campaign.EndsAt ?? new EventTime(long.MaxValue);
        var triggered = new HashSet<string>(StringComparer.Ordinal);
        var counted = new HashSet<string>(StringComparer.Ordinal);
        outbox.Campaign(Id(seed), World.ControlShare, campaign.StartsAt);
        new ReferenceCheckout().Run(retailer, (happened, feedback) =>
        {
            switch (happened)
            {
                case RedemptionAttempted attempt:
                    foreach (var (id, arm) in feedback!.Arms)
                        if (id == Campaign && triggered.Add(attempt.Request.Customer.Id)) outbox.Arm(Id(seed), Of(attempt.Request.Customer.Id), arm, attempt.At);
                    break;
                case Ordered { Order: var order } when order.At < end && triggered.Contains(order.Customer.Id):
                    counted.Add(order.Id);
                    outbox.Order(Of(order.Id), Of(order.Customer.Id), order.Total, order.At);
                    break;
                case Returned { Return: var back } when counted.Contains(back.OrderId):
                    outbox.Return(Of(back.Id), Of(back.OrderId), Of(back.CustomerId), back.Amount, back.At);
                    break;
            }
        });

        string Of(string id) => string.Create(CultureInfo.InvariantCulture, $"s{seed}-{id}");
    }
}
