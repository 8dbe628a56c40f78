using System.Diagnostics;
using System.Globalization;
using Promotions.Domain;

namespace Promotions.Benchmarks;

/// <summary>Outbox rows to queryable: read, written down, encoded, inserted with fsync, spread over the tables, rolled up, confirmed.</summary>
internal sealed class ClickHouseSuite : IBenchSuite
{
    private const int Customers = 50_000;
    private const int Redemptions = 200_000;

    public string Name => "clickhouse";

    public async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        await using var bench = await AnalyticsBench.StartAsync(cancellationToken);
        var start = EventTime.From(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero));
        var outbox = new BenchOutbox();
        outbox.Campaign("spring", 1_000, start);
        var random = new Random(11);
        var seen = new HashSet<int>();
        for (var i = 0; i < Redemptions; i++)
        {
            var at = start.Plus(TimeSpan.FromSeconds(10 * i));
            var customer = random.Next(Customers);
            var name = string.Create(CultureInfo.InvariantCulture, $"c-{customer}");
            if (seen.Add(customer)) outbox.Arm("spring", name, customer % 10 == 0 ? Domain.Campaigns.Arm.Control : Domain.Campaigns.Arm.Treated, at);
            outbox.Decision(string.Create(CultureInfo.InvariantCulture, $"r-{i}"), name, at, random.NextDouble());
            outbox.Order(string.Create(CultureInfo.InvariantCulture, $"o-{i}"), name, 1_000 + random.Next(9_000), at);
        }

        using var sink = bench.Sink(outbox, rowsMax: 100_000);
        var clock = Stopwatch.StartNew();
        await sink.CatchUpAsync(null, cancellationToken);
        var seconds = clock.Elapsed.TotalSeconds;
        report.Rate("clickhouse.sink", outbox.LastOutboxPosition / seconds, "rows/s",
            note: $"{outbox.LastOutboxPosition} rows (decisions, captures, orders, arms) of {Customers} customers, 100,000 a batch, schema made first, outbox in memory");
    }
}
