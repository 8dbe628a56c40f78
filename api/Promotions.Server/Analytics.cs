using Promotions.Analytics;
using Promotions.Analytics.Hosting;
using Promotions.Analytics.Results;
using Promotions.Analytics.Sink;
using Promotions.Ledger;
using Promotions.Ledger.Sqlite;

namespace Promotions.Server;

/// <summary>The embedded engine, the sink that follows the outbox into it, and the results asked of it. Starts beside intake and is never waited for by a decision.</summary>
internal sealed class AnalyticsSystem : IAsyncDisposable
{
    private readonly EmbeddedClickHouse _engine;
    private readonly AnalyticsDatabase _database;

    private AnalyticsSystem(EmbeddedClickHouse engine, AnalyticsDatabase database, OutboxSink sink, ICampaignResults results)
    {
        _engine = engine;
        _database = database;
        Sink = sink;
        Results = results;
    }

    public OutboxSink Sink { get; }
    public ICampaignResults Results { get; }
    public AnalyticsAddress Address => _engine.Address;
    public bool EngineAnswers => _engine.Ready;

    public static AnalyticsSystem Start(DataFolder folder, string libraryPath, SqliteLedger ledger, TimeProvider time, ILoggerFactory loggers)
    {
        var engine = EmbeddedClickHouse.Start(
            new EmbeddedClickHouseOptions { LibraryPath = libraryPath, DataFolder = folder.ClickHouse }, time, loggers.CreateLogger<EmbeddedClickHouse>());
        var database = new AnalyticsDatabase(engine.Address);
        var sink = new OutboxSink(ledger.Reader, ledger, database, new OutboxSinkOptions(), time, loggers.CreateLogger<OutboxSink>());
        return new(engine, database, sink, new CampaignResults(database, () => ledger.Reader.LastOutboxPosition));
    }

    /// <summary>Waits for the engine, brings its schema up to date, then follows the outbox until cancelled.</summary>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        await _engine.WaitReadyAsync(cancellationToken);
        await Sink.RunAsync(cancellationToken);
    }

    public async Task RebuildAsync(IProgress<long> progress, CancellationToken cancellationToken)
    {
        await _engine.WaitReadyAsync(cancellationToken);
        await Sink.RebuildAsync(progress, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Sink.Dispose();
        _database.Dispose();
        await _engine.DisposeAsync();
    }
}

/// <summary>Where there is no analytics store, results say so; decisions are the same.</summary>
internal sealed class NoResults : ICampaignResults
{
    public Task<CampaignResult?> ComputeAsync(string campaignId, CancellationToken cancellationToken) =>
        throw new AnalyticsUnavailableException("This system runs without ClickHouse (--no-analytics), so it cannot say what a campaign caused.");
}

/// <summary>Runs the follower for as long as the host runs; a failed start is tried again.</summary>
internal sealed class AnalyticsFollower(AnalyticsSystem analytics, TimeProvider time, ILogger<AnalyticsFollower> logger) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await analytics.FollowAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is AnalyticsUnavailableException or global::ClickHouse.Driver.ClickHouseServerException or LedgerFaultException or InvalidOperationException)
            {
                ServerLog.AnalyticsFault(logger, fault);
                await Task.WhenAny(Task.Delay(RetryAfter, time, stoppingToken));
            }
        }
    }
}
