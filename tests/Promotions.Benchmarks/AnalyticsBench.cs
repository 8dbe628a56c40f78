using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Promotions.Analytics;
using Promotions.Analytics.Hosting;
using Promotions.Analytics.Sink;
using Promotions.Analytics.Tests;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Ledger.Outbox;
using Promotions.Ledger.Sqlite.Storage;

namespace Promotions.Benchmarks;

/// <summary>An engine and a database of their own, gone afterwards. PROMOTIONS_LIBCHDB names the library, else it is fetched.</summary>
internal sealed class AnalyticsBench : IAsyncDisposable
{
    private readonly string _folder;
    private readonly EmbeddedClickHouse _engine;

    private AnalyticsBench(string folder, EmbeddedClickHouse engine) => (_folder, _engine, Database) = (folder, engine, new(engine.Address));

    public AnalyticsDatabase Database { get; }

    /// <summary>For files of the run's own; gone afterwards.</summary>
    public string Folder => _folder;

    /// <summary>Processor time that the engine's process has taken.</summary>
    public TimeSpan EngineTime()
    {
        using var process = Process.GetProcessById(_engine.ProcessId ?? throw new InvalidOperationException("The engine is not running."));
        return process.TotalProcessorTime;
    }

    public static async Task<AnalyticsBench> StartAsync(CancellationToken cancellationToken)
    {
        var library = Environment.GetEnvironmentVariable("PROMOTIONS_LIBCHDB") ?? await FetchAsync(cancellationToken);
        var folder = Directory.CreateTempSubdirectory("promotions-bench-clickhouse-").FullName;
        var engine = EmbeddedClickHouse.Start(new()
        {
            LibraryPath = library,
            DataFolder = Path.Combine(folder, "data"),
            ExecutablePath = Environment.GetEnvironmentVariable("PROMOTIONS_CLICKHOUSE_EXECUTABLE"),
        }, TimeProvider.System, NullLogger<EmbeddedClickHouse>.Instance);
        await engine.WaitReadyAsync(cancellationToken);
        return new(folder, engine);
    }

    /// <summary>From the checkout's root, where <c>deploy/bench</c> starts the benchmarks.</summary>
    private static async Task<string> FetchAsync(CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine("deploy", "lib", "fetch-chdb")) { RedirectStandardOutput = true })!;
        var path = (await process.StandardOutput.ReadToEndAsync(cancellationToken)).Trim();
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0 ? path : throw new InvalidOperationException("deploy/lib/fetch-chdb failed: its own words stand above.");
    }

    /// <summary>With the options that the server uses.</summary>
    public OutboxSink Sink(ILedgerReader ledger, ISettingsStore settings) => new(ledger, settings, Database, new(), TimeProvider.System, NullLogger<OutboxSink>.Instance);

    /// <summary>For an outbox in memory, whose settings nobody reads again.</summary>
    public OutboxSink Sink(ILedgerReader ledger) => Sink(ledger, new MemorySettings());

    public async ValueTask DisposeAsync()
    {
        Database.Dispose();
        await _engine.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>An outbox in memory, written with the ledger's own writer: what is measured is the way from it to queryable.</summary>
internal sealed class BenchOutbox : MemoryOutbox
{
    /// <summary>The rows as the ledger's own file holds them. The file must not be open elsewhere.</summary>
    public void WriteTo(string ledgerFile)
    {
        using var db = Db.Open(ledgerFile, readOnly: false);
        var insert = db.Prepare("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?)");
        db.Execute("BEGIN IMMEDIATE");
        foreach (var row in Rows)
            insert.Bind(1, row.Position).Bind(2, row.Position).Bind(3, row.At.UnixMilliseconds).Bind(4, row.Type).Bind(5, row.Key).Bind(6, row.Payload.Span).Run();
        db.Execute("COMMIT");
    }

    public void Campaign(string id, int controlShare, EventTime at) => Add(OutboxTypes.Campaign, id, at, OutboxWriter.Campaign(
        new(id, 1, id, Distribution.Public, "EUR", new(BenefitType.PercentOff, 1_000, 0, false, null), Conditions.None, Limits.None, at, null, [], controlShare, "salt", true, at), Next, at));

    public void Arm(string campaign, string customer, Arm arm, EventTime at) =>
        Add(OutboxTypes.Arm, customer, at, OutboxWriter.Arm(new(campaign, 1, customer, arm, arm is Domain.Campaigns.Arm.Control, at), true, Next));

    public void Order(string id, string customer, long total, EventTime at) => Add(OutboxTypes.Order, id, at, OutboxWriter.Order(
        new(id, "web", "key", new(customer, null), new(id, "EUR", [new("1", "sku", null, 1, total)], 0), total, null, at, null, default), 0, Next));

    public void Return(string id, string order, string customer, long amount, EventTime at) =>
        Add(OutboxTypes.Return, id, at, OutboxWriter.Return(new(id, order, customer, amount, at, default), "EUR", Next));

    public void Decision(string id, string customer, EventTime at, double probability)
    {
        var redeemable = new Redeemable(RedeemableType.Coupon, "SPRING", 0);
        var request = new RedemptionRequest(AttemptKind.Redemption, id, "web", "key", new(customer, null), new("order-" + id, "EUR", [new("1", "sku", null, 1, 5_000)], 0), [redeemable],
            AttemptContext.None, at, null, null, default);
        var priced = new PricedCart(RefusalCode.None,
            [new(redeemable, "spring", 1, new("SPRING", "spring", null, null, false, at), RefusalCode.None, 500, 0, Domain.Campaigns.Arm.Treated, false, false)], [new("1", "SPRING", "spring", 500)], 5_000, 500, 4_500, 4_500);
        var risk = new RiskAssessment(probability, 0, RedemptionStatus.Approved, [], default, 0, "model", 1, 1, null, null);
        var proposal = new DecisionProposal(request, new(customer, "device-" + customer, "203.0.113.7", "203.0.113.0/24", ["SPRING"], "token-" + customer, "address-" + customer),
            priced, RedemptionStatus.Approved, RefusalCode.None, risk, [], TimeSpan.FromMinutes(30));
        var decision = new Decision(Next, proposal, RedemptionStatus.Approved, RefusalCode.None, HoldState.Held, at.Plus(TimeSpan.FromMinutes(30)), at);
        Add(OutboxTypes.Decision, id, at, OutboxWriter.Decision(decision));
        Add(OutboxTypes.HoldCaptured, id, at, OutboxWriter.Hold(decision, Next, at, null));
    }
}
