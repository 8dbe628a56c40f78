using Microsoft.Extensions.Logging.Abstractions;
using Promotions.Analytics.Results;
using Promotions.Analytics.Schema;
using Promotions.Analytics.Sink;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Processing.Costs;
using static Promotions.Analytics.Tests.OutboxLedger;

namespace Promotions.Analytics.Tests;

/// <summary>Would-be blocks go from the outbox to the estimate whole, with the last label of each.</summary>
public sealed class WouldBeBlocksTests(EngineFixture engine)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_are_read_by_currency_in_order_with_the_last_label_of_each_and_nothing_else_is()
    {
        using var database = engine.NewDatabase();
        var ledger = new OutboxLedger().Campaign("spring", 0)
            .Redemption("plain", "spring", "c-1", "SPRING", RedemptionStatus.Blocked, 100, At(1))
            .Redemption("early", "spring", "c-1", "SPRING", RedemptionStatus.Blocked, 100, At(1), draw: new(0.1, false, 100, 1_000))
            .Redemption("passed", "spring", "c-2", "SPRING", RedemptionStatus.Approved, 250, At(3), draw: new(0.1, true, 300, 1_000))
            .Redemption("full", "spring", "c-3", "SPRING", RedemptionStatus.Blocked, 900, At(3.1), draw: new(0.1, true, 900, 1_000))
            .Redemption("francs", "spring", "c-4", "SPRING", RedemptionStatus.Rejected, 100, At(3.2), draw: new(0.2, true, 100, 1_000), currency: "CHF")
            .Label("passed", true, At(4)).Label("passed", false, At(5)).Label("full", true, At(5));
        await FollowAsync(ledger, database);

        var read = await new WouldBeBlocks(database).ReadAsync(At(2), Stop);
        Assert.Equal(["CHF", "EUR"], read.Keys.Order());
        Assert.Equal((RedemptionStatus.Rejected, 0.2, null), (read["CHF"].Single().Status, read["CHF"].Single().Propensity, read["CHF"].Single().Abuse));
        Assert.Collection(
            read["EUR"],
            passed => Assert.Equal(new(passed.Position, At(3), "device:device", RedemptionStatus.Approved, 0.1, true, 300, 1_000, 250, 9_750, false), passed),
            full => Assert.Equal((true, RedemptionStatus.Blocked, true), (full.Drawn, full.Status, full.Abuse!.Value)));
        Assert.True(read["EUR"][0].Position < read["EUR"][1].Position);

        var told = LetThroughOutcome.Of(read["EUR"], Processing.Decisions.FraudCosts.Default, At(100), TimeSpan.FromDays(45), 1);
        Assert.Equal((2, 1, 1, 300, 1), (told.WouldBe, told.WithoutRoom, told.Passed, told.ValuePassed, told.Judged));
    }

    [Fact]
    public async Task A_database_of_the_first_schema_gets_the_table_and_one_without_tables_says_so()
    {
        using var database = engine.NewDatabase();
        await Assert.ThrowsAsync<AnalyticsUnavailableException>(() => new WouldBeBlocks(database).ReadAsync(Start, Stop));
        await AnalyticsSchema.MigrateAsync(database, Stop);
        await database.ExecuteAsync("DROP VIEW $database.would_be_blocks_from_outbox", cancellationToken: Stop);
        await database.ExecuteAsync("DROP TABLE $database.would_be_blocks", cancellationToken: Stop);
        await database.ExecuteAsync("ALTER TABLE $database.schema_migrations DELETE WHERE version >= 2 SETTINGS mutations_sync = 2", cancellationToken: Stop);

        await FollowAsync(new OutboxLedger().Campaign("spring", 0).Redemption("r", "spring", "c", "SPRING", RedemptionStatus.Blocked, 100, At(1), draw: new LetThroughDraw(0.1, false, 100, 1_000)), database);
        Assert.Single((await new WouldBeBlocks(database).ReadAsync(Start, Stop))["EUR"]);
    }

    private static async Task FollowAsync(OutboxLedger ledger, AnalyticsDatabase database)
    {
        using var sink = new OutboxSink(ledger, new MemorySettings(), database, new(), TimeProvider.System, NullLogger<OutboxSink>.Instance);
        await sink.CatchUpAsync(null, Stop);
    }
}
