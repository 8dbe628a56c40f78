using Promotions.Analytics;
using Promotions.Analytics.Hosting;
using Promotions.Analytics.Results;
using Promotions.Analytics.Sink;
using Promotions.Ledger;
using Promotions.Processing.Costs;

namespace Promotions.Server;

/// <summary>ClickHouse, embedded or a server; the sink that follows the outbox into it; and the results asked of it. Starts beside intake and is never waited for by a decision.</summary>
internal sealed class AnalyticsSystem : IAsyncDisposable
{
    private readonly EmbeddedClickHouse? _engine;
    private readonly AnalyticsDatabase _database;
    private readonly AnalyticsAddress _address;

    private readonly Func<ISettingsStore, OutboxSink> _sink;
    private volatile OutboxSink? _following;

    private AnalyticsSystem(AnalyticsAddress address, EmbeddedClickHouse? engine, ILedgerReader ledger, TimeProvider time, ILoggerFactory loggers)
    {
        (_address, _engine, _database) = (address, engine, new(address));
        _sink = settings => new(ledger, settings, _database, new OutboxSinkOptions(), time, loggers.CreateLogger<OutboxSink>());
        Results = new CampaignResults(_database, () => ledger.LastOutboxPosition);
        WouldBeBlocks = new WouldBeBlocks(_database);
    }

    public ICampaignResults Results { get; }
    public IWouldBeBlocks WouldBeBlocks { get; }

    /// <summary>Committed rows that ClickHouse does not hold yet; 0 while this process does not follow.</summary>
    public long Behind => _following?.Behind ?? 0;

    /// <summary>For a person: address and database, no secrets.</summary>
    public string Where => $"{_address.Protocol}://{_address.Host}:{_address.Port}/  database {_address.Database}";

    /// <summary>With an engine of this process's own; <see cref="ServerOptions.EnginePath"/> is set.</summary>
    public static AnalyticsSystem Start(DataFolder folder, ServerOptions options, ILedgerReader ledger, TimeProvider time, ILoggerFactory loggers)
    {
        var engine = EmbeddedClickHouse.Start(
            new EmbeddedClickHouseOptions { LibraryPath = options.EnginePath!, DataFolder = folder.ClickHouse, Port = options.EnginePort }, time, loggers.CreateLogger<EmbeddedClickHouse>());
        return new(engine.Address, engine, ledger, time, loggers);
    }

    /// <summary>With a server.</summary>
    public static AnalyticsSystem Connect(AnalyticsAddress address, ILedgerReader ledger, TimeProvider time, ILoggerFactory loggers) => new(address, null, ledger, time, loggers);

    /// <summary>Waits for the engine, brings its schema up to date, then follows the outbox until cancelled.</summary>
    /// <param name="settings">Where the sink notes the batch that it is about to send.</param>
    public async Task FollowAsync(ISettingsStore settings, CancellationToken cancellationToken)
    {
        await ReadyAsync(cancellationToken);
        using var sink = _sink(settings);
        _following = sink;
        try
        {
            await sink.RunAsync(cancellationToken);
        }
        finally
        {
            _following = null;
        }
    }

    public async Task RebuildAsync(ISettingsStore settings, IProgress<long> progress, CancellationToken cancellationToken)
    {
        await ReadyAsync(cancellationToken);
        using var sink = _sink(settings);
        await sink.RebuildAsync(progress, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _database.Dispose();
        if (_engine is not null) await _engine.DisposeAsync();
    }

    private Task ReadyAsync(CancellationToken cancellationToken) => _engine?.WaitReadyAsync(cancellationToken) ?? Task.CompletedTask;
}

/// <summary>Where there is no analytics store, results say so; decisions are the same.</summary>
internal sealed class NoResults : ICampaignResults
{
    public Task<CampaignResult?> ComputeAsync(string campaignId, CancellationToken cancellationToken) =>
        throw new AnalyticsUnavailableException("This system runs without ClickHouse (--no-analytics), so it cannot say what a campaign caused.");
}

/// <summary>Runs the follower; a failed start is tried again.</summary>
internal sealed class AnalyticsFollower(AnalyticsSystem analytics, ISettingsStore settings, TimeProvider time, ILogger<AnalyticsFollower> logger) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => RunAsync(settings, stoppingToken);

    /// <summary>Until cancelled, noting its batches in these settings.</summary>
    public async Task RunAsync(ISettingsStore notes, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await analytics.FollowAsync(notes, stoppingToken);
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
