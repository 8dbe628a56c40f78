using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Promotions.Analytics.Hosting;
using Promotions.Analytics.Results;
using Promotions.Analytics.Sink;
using Promotions.ClickHouse.Tests;

namespace Promotions.Analytics.Tests;

public sealed class EngineCrashTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_engine_killed_again_and_again_while_it_inserts_ends_equal_to_the_ledger()
    {
        var (library, reason) = await ChdbLibrary.FindAsync();
        if (library is null && Environment.GetEnvironmentVariable("CI") != "true") Assert.Skip(reason!);
        Assert.NotNull(library);
        var folder = Directory.CreateTempSubdirectory("promotions-clickhouse-crash-").FullName;
        try
        {
            await using var engine = EmbeddedClickHouse.Start(
                new() { LibraryPath = library, DataFolder = Path.Combine(folder, "data"), RestartMax = TimeSpan.FromMilliseconds(640) }, TimeProvider.System, NullLogger<EmbeddedClickHouse>.Instance);
            await engine.WaitReadyAsync(Stop);
            using var database = new AnalyticsDatabase(engine.Address);
            var ledger = OutboxSinkTests.History(60);
            using var sink = new OutboxSink(ledger, new MemorySettings(), database, new() { RowsMax = 20, RetryMax = TimeSpan.FromMilliseconds(500), Linger = TimeSpan.Zero, BusyShare = 1 }, TimeProvider.System, NullLogger<OutboxSink>.Instance);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            var run = sink.RunAsync(stop.Token);

            // Seeded pauses: the kill falls into any statement of a batch, and the outcome must be the same for all.
            // Each kill takes another process: the one killed before may still be named until its end is noticed.
            var random = new Random(7);
            var killed = 0;
            for (var kill = 0; kill < 4; kill++)
            {
                var before = sink.Position;
                while (sink.Position == before && sink.Behind > 0) await Task.Delay(10, Stop);
                await Task.Delay(random.Next(60), Stop);
                int? living;
                while ((living = engine.ProcessId) is null || living == killed) await Task.Delay(10, Stop);
                killed = living.Value;
                using var process = Process.GetProcessById(killed);
                process.Kill();
            }

            while (sink.Position < ledger.LastOutboxPosition) await Task.Delay(20, Stop);
            await stop.CancelAsync();
            await run;

            var rows = await database.QueryAsync("SELECT toInt64(count()), toInt64(uniqExact(position)), toInt64(max(position)) FROM $database.outbox", null,
                static row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), Stop);
            Assert.Equal((ledger.LastOutboxPosition, ledger.LastOutboxPosition, ledger.LastOutboxPosition), rows[0]);
            var counts = await database.QueryAsync("SELECT type, toInt64(count()) FROM $database.outbox GROUP BY type ORDER BY type", null, static row => (row.GetString(0), row.GetInt64(1)), Stop);
            Assert.Equal(ledger.Rows.GroupBy(static row => row.Type).OrderBy(static group => group.Key, StringComparer.Ordinal).Select(static group => (group.Key, (long)group.Count())), counts);
            var sales = await database.QueryAsync("SELECT toInt64(count()) FROM $database.sales", null, static row => Convert.ToInt64(row.GetValue(0), CultureInfo.InvariantCulture), Stop);
            Assert.Equal(ledger.Rows.Count(static row => row.Type is "order" or "return"), sales[0]);

            // The rollup, too, against sums over the facts themselves.
            var result = (await new CampaignResults(database).ComputeAsync("spring", Stop))!;
            long Expected(bool control) => Enumerable.Range(0, 60).Where(i => i % 5 == 0 == control).Sum(i => 1_000L + 10 * i - (i % 6 == 0 ? 300 : 0));
            Assert.Equal((Expected(false), Expected(true)), (result.Treated.Sales, result.Control.Sales));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
