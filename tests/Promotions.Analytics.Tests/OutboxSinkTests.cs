using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Promotions.Analytics.Results;
using Promotions.Analytics.Schema;
using Promotions.Analytics.Sink;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using static Promotions.Analytics.Tests.OutboxLedger;

namespace Promotions.Analytics.Tests;

public sealed class OutboxSinkTests(EngineFixture engine)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static readonly string[] Tables =
        ["outbox", "decisions", "redemptions", "hold_endings", "sales", "arms", "labels", "coupons", "campaigns", "campaign_customer_sales", "would_be_blocks", "sink_batches"];

    private static OutboxSink Sink(OutboxLedger ledger, MemorySettings settings, AnalyticsDatabase database, int rowsMax = 20_000) =>
        new(ledger, settings, database, new() { RowsMax = rowsMax }, TimeProvider.System, NullLogger<OutboxSink>.Instance);

    /// <summary>A shop's little history: some of everything, and customers whose facts arrive in any order.</summary>
    internal static OutboxLedger History(int customers = 60)
    {
        var ledger = new OutboxLedger().Campaign("spring", 2_000).Campaign("welcome", 0, Distribution.Private);
        for (var i = 0; i < customers; i++)
        {
            var customer = Ids.Customer(i);
            var arm = i % 5 == 0 ? Arm.Control : Arm.Treated;
            ledger.Order($"early-{i}", customer, 700, At(0.1));
            ledger.Triggered("spring", customer, arm, At(1 + i % 7), ghost: arm is Arm.Control);
            ledger.Coupon("welcome", $"W{i}", customer, 1, At(0.2));
            ledger.Order($"order-{i}", customer, 1_000 + 10 * i, At(2 + i % 7));
            if (arm is Arm.Treated) ledger.Redemption($"r-{i}", "spring", customer, "SPRING", i % 11 == 0 ? RedemptionStatus.Blocked : RedemptionStatus.Approved, 100, At(2 + i % 7), captured: i % 2 == 0, draw: i % 11 == 0 ? new(0.1, false, 100, 1_000) : null);
            if (i % 6 == 0) ledger.Return($"return-{i}", $"order-{i}", customer, 300, At(9));
            if (i % 11 == 0) ledger.Label($"r-{i}", true, At(9.5));
        }

        return ledger;
    }

    private static async Task<Dictionary<string, (long Rows, ulong Hash)>> ContentAsync(AnalyticsDatabase database)
    {
        var content = new Dictionary<string, (long, ulong)>();
        foreach (var table in Tables)
        {
            // The time of the insert is the one thing that may differ. Rollup rows are summed first: merges do it at any moment.
            var from = table switch
            {
                "campaign_customer_sales" => "(SELECT campaign_id, currency, customer_id, arm, day, sum(sales) AS sales, sum(orders) AS orders FROM $database.campaign_customer_sales GROUP BY ALL)",
                "sink_batches" => "(SELECT max(last) AS last, max(newest_at) AS newest_at FROM $database.sink_batches)",
                _ => "$database." + table,
            };
            var rows = await database.QueryAsync($"SELECT toInt64(count()), toString(groupBitXor(cityHash64(tuple(*)) * 2 + 1)), toString(sum(cityHash64(tuple(*)))) FROM {from}", null,
                static row => (row.GetInt64(0), ulong.Parse(row.GetString(1), CultureInfo.InvariantCulture) ^ ulong.Parse(row.GetString(2), CultureInfo.InvariantCulture)), Stop);
            content[table] = rows[0];
        }

        return content;
    }

    [Fact]
    public async Task Every_batch_sent_twice_leaves_the_same_content_as_once()
    {
        using var once = engine.NewDatabase();
        using var twice = engine.NewDatabase();
        var ledger = History(40);
        using (var sink = Sink(ledger, new(), once, rowsMax: 37)) await sink.CatchUpAsync(null, Stop);

        // A new sink per try knows nothing of the try before but what was written down, and "sink_batches" without its newest row says
        // that the batch never ended: exactly what a crash in front of the last statement leaves behind.
        var settings = new MemorySettings();
        long position = 0;
        while (position < ledger.LastOutboxPosition)
        {
            using (var sink = Sink(ledger, settings, twice, rowsMax: 37)) await sink.StepAsync(Stop);
            await twice.ExecuteAsync($"ALTER TABLE $database.sink_batches DELETE WHERE last > {position} SETTINGS mutations_sync = 2", cancellationToken: Stop);
            await twice.ExecuteAsync("ALTER TABLE $database.sink_batches MODIFY SETTING non_replicated_deduplication_window = 0", cancellationToken: Stop);
            using (var sink = Sink(ledger, settings, twice, rowsMax: 37))
            {
                await sink.StepAsync(Stop);
                position = sink.Position;
            }
        }

        Assert.Equal(await ContentAsync(once), await ContentAsync(twice));
    }

    [Fact]
    public async Task Any_size_of_batch_ends_in_the_same_content()
    {
        using var small = engine.NewDatabase();
        using var large = engine.NewDatabase();
        var ledger = History(12);
        using (var sink = Sink(ledger, new(), small, rowsMax: 5)) await sink.CatchUpAsync(null, Stop);
        using (var sink = Sink(ledger, new(), large)) await sink.CatchUpAsync(null, Stop);

        Assert.Equal(await ContentAsync(large), await ContentAsync(small));
    }

    [Fact]
    public async Task A_batch_begun_before_a_crash_is_sent_again_as_it_was_although_more_rows_have_come()
    {
        using var database = engine.NewDatabase();
        var ledger = History(10);
        var settings = new MemorySettings();
        using (var sink = Sink(ledger, settings, database, rowsMax: 25)) await sink.StepAsync(Stop);
        await settings.PutAsync(OutboxSink.SettingsScope, "in-flight", "26-30", Promotions.Ledger.Actor.System, Stop);

        using (var sink = Sink(ledger, settings, database))
        {
            Assert.Equal(5, await sink.StepAsync(Stop));
            Assert.Equal(30, sink.Position);
            Assert.Equal(ledger.LastOutboxPosition - 30, await sink.StepAsync(Stop));
        }
    }

    [Fact]
    public async Task Rebuild_refills_everything_from_the_ledger()
    {
        using var database = engine.NewDatabase();
        var ledger = History(15);
        using var sink = Sink(ledger, new(), database);
        await sink.CatchUpAsync(null, Stop);
        var before = await ContentAsync(database);
        await database.ExecuteAsync("TRUNCATE TABLE $database.sales", cancellationToken: Stop);
        Assert.NotEqual(before, await ContentAsync(database));

        await sink.RebuildAsync(null, Stop);
        Assert.Equal(before, await ContentAsync(database));
        Assert.Equal(0, sink.Behind);
    }

    [Fact]
    public async Task An_emptied_ClickHouse_fills_itself_again()
    {
        using var database = engine.NewDatabase();
        var ledger = History(15);
        var settings = new MemorySettings();
        using (var sink = Sink(ledger, settings, database)) await sink.CatchUpAsync(null, Stop);
        var before = await ContentAsync(database);
        await AnalyticsSchema.DropAsync(database, Stop);

        using (var sink = Sink(ledger, settings, database)) await sink.CatchUpAsync(null, Stop);
        Assert.Equal(before, await ContentAsync(database));
    }

    [Fact]
    public async Task A_ledger_that_was_set_back_is_not_mixed_with_what_ClickHouse_remembers()
    {
        using var database = engine.NewDatabase();
        using var expected = engine.NewDatabase();
        var ledger = History(15);
        using (var sink = Sink(ledger, new(), database)) await sink.CatchUpAsync(null, Stop);
        ledger.SetBackTo(40);

        using (var sink = Sink(ledger, new(), database)) await sink.CatchUpAsync(null, Stop);
        using (var sink = Sink(ledger, new(), expected)) await sink.CatchUpAsync(null, Stop);
        Assert.Equal(await ContentAsync(expected), await ContentAsync(database));
    }

    [Fact]
    public async Task A_newer_schema_is_refused_with_a_sentence()
    {
        using var database = engine.NewDatabase();
        await AnalyticsSchema.MigrateAsync(database, Stop);
        await AnalyticsSchema.MigrateAsync(database, Stop);
        await database.ExecuteAsync("INSERT INTO $database.schema_migrations (version) VALUES (99)", cancellationToken: Stop);

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => AnalyticsSchema.MigrateAsync(database, Stop));
        Assert.Contains("schema version 99", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_table_written_sets_the_window_without_which_tokens_do_nothing()
    {
        using var database = engine.NewDatabase();
        await AnalyticsSchema.MigrateAsync(database, Stop);
        var without = await database.QueryAsync(
            "SELECT name FROM system.tables WHERE database = '$database' AND engine LIKE '%MergeTree' AND name != 'schema_migrations' AND create_table_query NOT LIKE '%non_replicated_deduplication_window = 1000%'",
            null, static row => row.GetString(0), Stop);
        Assert.Empty(without);
    }

    [Fact]
    public async Task A_connection_that_breaks_while_the_process_stops_is_a_stop_not_a_fault()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var ended = await Assert.ThrowsAsync<OperationCanceledException>(() => AnalyticsDatabase.GuardedAsync<int>(async () =>
        {
            await stop.CancelAsync();
            throw new HttpRequestException("Connection refused");
        }, stop.Token));
        Assert.Equal(stop.Token, ended.CancellationToken);
        Assert.IsType<HttpRequestException>(ended.InnerException);
    }

    [Fact]
    public async Task A_dead_ClickHouse_is_waited_out_not_thrown_at_the_caller()
    {
        using var database = new AnalyticsDatabase(new("127.0.0.1", 9, Database: "nowhere"));
        using var sink = Sink(History(1), new(), database);
        await Assert.ThrowsAsync<AnalyticsUnavailableException>(() => sink.StepAsync(Stop));

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var run = sink.RunAsync(stop.Token);
        await Task.Yield();
        await stop.CancelAsync();
        await run;
        Assert.True(sink.Behind > 0);
    }
}
