using System.Diagnostics;
using System.Globalization;
using Promotions.Analytics.Schema;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Ledger.Sqlite;

namespace Promotions.Benchmarks;

/// <summary>Outbox rows to queryable: read from the ledger's file, written down, encoded, inserted with fsync, spread over the tables, rolled up, confirmed.</summary>
internal sealed class ClickHouseSuite : IBenchSuite
{
    private const int Customers = 50_000;
    private const int Redemptions = 200_000;

    public string Name => "clickhouse";

    public async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        await using var bench = await AnalyticsBench.StartAsync(cancellationToken);
        var file = Path.Combine(bench.Folder, "ledger.db");
        report.Progress("writing the outbox");
        await using (SqliteLedger.Open(new() { Path = file }, TimeProvider.System)) { }   // makes the file and its schema
        History().WriteTo(file);

        await using var ledger = SqliteLedger.Open(new() { Path = file }, TimeProvider.System);
        await AnalyticsSchema.MigrateAsync(bench.Database, cancellationToken);
        using var sink = bench.Sink(ledger.Reader, ledger);
        report.Progress("sending it");
        var engine = bench.EngineTime();
        var clock = Stopwatch.StartNew();
        await sink.CatchUpAsync(null, cancellationToken);
        var seconds = clock.Elapsed.TotalSeconds;
        engine = bench.EngineTime() - engine;
        if (sink.Behind != 0) throw new InvalidOperationException($"{sink.Behind} rows are missing.");
        var rows = ledger.Reader.LastOutboxPosition;
        report.Rate("clickhouse.sink", rows / seconds, "rows/s", note: string.Create(CultureInfo.InvariantCulture,
            $"{rows} rows (decisions, captures, orders, arms) of {Customers} customers from the ledger's file, the server's options, schema made first; the engine took {engine.TotalMicroseconds / rows:F1} µs of processor time a row"));
    }

    private static BenchOutbox History()
    {
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
            if (seen.Add(customer)) outbox.Arm("spring", name, customer % 10 == 0 ? Arm.Control : Arm.Treated, at);
            outbox.Decision(string.Create(CultureInfo.InvariantCulture, $"r-{i}"), name, at, random.NextDouble());
            outbox.Order(string.Create(CultureInfo.InvariantCulture, $"o-{i}"), name, 1_000 + random.Next(9_000), at);
        }

        return outbox;
    }
}
