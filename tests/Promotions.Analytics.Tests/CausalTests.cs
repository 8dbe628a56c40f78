using System.Globalization;
using MathNet.Numerics.Distributions;
using Microsoft.Extensions.Logging.Abstractions;
using Promotions.Analytics.Results;
using Promotions.Analytics.Sink;
using Promotions.Domain.Campaigns;
using static Promotions.Analytics.Tests.OutboxLedger;

namespace Promotions.Analytics.Tests;

/// <summary>The short form of <c>./deploy/bench causal</c>.</summary>
public sealed class CausalTests(EngineFixture engine)
{
    private const int Seeds = 20, Customers = 200;
    private const double Effect = 500;

    [Fact]
    public async Task The_interval_holds_the_true_effect_about_as_often_as_it_says()
    {
        var ledger = new OutboxLedger();
        for (var seed = 0; seed < Seeds; seed++) Draw(ledger, seed);
        using var database = engine.NewDatabase();
        using var sink = new OutboxSink(ledger, new MemorySettings(), database, new(), TimeProvider.System, NullLogger<OutboxSink>.Instance);
        await sink.CatchUpAsync(null, TestContext.Current.CancellationToken);

        var results = new CampaignResults(database);
        var held = 0;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var result = await results.ComputeAsync(Id(seed), TestContext.Current.CancellationToken);
            var interval = result!.Effect.Difference;
            Assert.True(interval is not null, result.Effect.TooLittleData);
            if (interval.Low <= Effect && Effect <= interval.High) held++;
        }

        // Fewer than this would happen to a right interval less than once in a million draws of seeds.
        var least = Enumerable.Range(0, Seeds).First(static count => Binomial.CDF(0.95, Seeds, count) >= 1e-6);
        Assert.InRange(held, least, Seeds);
    }

    private static string Id(int seed) => string.Create(CultureInfo.InvariantCulture, $"campaign-{seed}");

    private static void Draw(OutboxLedger ledger, int seed)
    {
        var random = new Random(seed);
        ledger.Campaign(Id(seed), 5_000);
        for (var i = 0; i < Customers; i++)
        {
            var customer = string.Create(CultureInfo.InvariantCulture, $"s{seed}-c{i}");
            var treated = random.Next(2) == 0;
            ledger.Triggered(Id(seed), customer, treated ? Arm.Treated : Arm.Control, At(random.Next(10)));
            // Half of the customers buy, for an exponential amount: the mean difference is half of the difference in size.
            if (random.Next(2) == 0) ledger.Order("o-" + customer, customer, (long)Math.Round((2_000 + (treated ? 2 * Effect : 0)) * -Math.Log(1 - random.NextDouble())), At(10 + random.Next(5)));
        }
    }
}
