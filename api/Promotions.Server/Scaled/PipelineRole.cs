using System.Globalization;
using Promotions.Api.Observing;
using Promotions.Api.Problems;
using Promotions.Contracts.Intake;
using Promotions.Processing;
using Promotions.Processing.Decisions;
using Promotions.Processing.Embedded;
using Promotions.Processing.Kafka;
using Promotions.Processing.Kafka.Effects;
using Promotions.Processing.State;
using Promotions.Processing.Topologies;
using Promotions.Server.Metrics;
using Promotions.Streams.Kafka;
using Promotions.Streams.Kafka.Commit;
using Promotions.Streams.Kafka.Status;
using Promotions.Streams.RocksDb;

namespace Promotions.Server.Scaled;

/// <summary>The topologies in this process: a member of the group, with its state beside it.</summary>
internal sealed class PipelineRole : IAsyncDisposable, IReadinessCheck
{
    /// <summary>Entities in memory, per partition. Unit: bytes.</summary>
    private const long EntityCacheBytes = 32L << 20;
    private static readonly RocksDbSettings Rocks = new(BlockCacheBytes: 64L << 20, WriteBufferBytes: 32L << 20, Sync: false);

    private readonly KafkaRedemptions _redemptions;

    private PipelineRole(KafkaRedemptions redemptions) => _redemptions = redemptions;

    public string Name => "pipeline";

    /// <summary>What this member says of itself.</summary>
    public MemberStatus Status => _redemptions.Driver.Status();

    /// <summary>Ends when the driver does: faulted where it stopped by itself.</summary>
    public Task Completion => _redemptions.Completion;

    /// <exception cref="StartRefusedException">Topics are missing or wrong, or the brokers cannot be reached.</exception>
    public static async Task<PipelineRole> StartAsync(ScaledOptions options, ScaledSystem system, DataFolder folder, PipelineTelemetry telemetry, IpDirectory? places, TimeProvider time)
    {
        try
        {
            return new(await KafkaRedemptions.StartAsync(DriverOptions(options, folder), Ports(system, telemetry, time), RedemptionsOptions(system, telemetry, places), telemetry, time));
        }
        catch (TopicPlanException missing)
        {
            throw new StartRefusedException(missing.Message, missing);
        }
        catch (Confluent.Kafka.KafkaException fault)
        {
            throw Unusable(options, fault);
        }
    }

    /// <summary>What an operator has to create or to mend where the pipeline may not.</summary>
    /// <exception cref="StartRefusedException">The brokers cannot be reached.</exception>
    public static async Task<int> PrintPlanAsync(ServerOptions server, ScaledOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        using var loggers = WebHosting.CreateLoggers();
        var metrics = new ApiMetrics();
        await using var system = await ScaledSystem.OpenAsync(options, new LedgerMetrics(metrics.Registry), time, loggers.CreateLogger<ScaledSystem>(), cancellationToken);
        var telemetry = new PipelineTelemetry(metrics, new StreamsMetrics(metrics.Registry, () => null), time, loggers.CreateLogger<PipelineTelemetry>());
        try
        {
            Console.Write(await KafkaRedemptions.PlanAsync(DriverOptions(options, DataFolder.Open(server.DataPath)), Ports(system, telemetry, time), RedemptionsOptions(system, telemetry)));
            return 0;
        }
        catch (Confluent.Kafka.KafkaException fault)
        {
            throw Unusable(options, fault);
        }
    }

    public ValueTask<string?> CheckAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(Completion.IsCompleted ? "The pipeline has stopped: " + (Completion.Exception?.InnerException?.Message ?? "it was told to.") : null);

    public ValueTask DisposeAsync() => _redemptions.DisposeAsync();

    private static StartRefusedException Unusable(ScaledOptions options, Confluent.Kafka.KafkaException fault) => new($"Kafka at {options.Bootstrap} cannot be used: {fault.Error.Reason}", fault);

    private static KafkaRedemptionsOptions RedemptionsOptions(ScaledSystem system, PipelineTelemetry telemetry, IpDirectory? places = null) => new()
    {
        Intake = new(Places: places),
        Topology = RedemptionTopologyOptions.Default with { EntityCacheBytes = EntityCacheBytes, Counted = telemetry.Counted, LookAhead = new CampaignLookAhead(system.Ledger) },
    };

    /// <summary>How this process speaks to the brokers as a member of the pipeline, or for it.</summary>
    public static KafkaDriverOptions DriverOptions(ScaledOptions options, DataFolder folder) => new()
    {
        Bootstrap = options.Bootstrap,
        MemberId = options.InstanceId ?? string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}"),
        InstanceId = options.InstanceId,
        StateFolder = folder.FeatureState,
        LayoutHash = RedemptionTopology.LayoutHash,
        Group = options.Group,
        Prefix = options.Prefix,
        Client = options.Client,
        Threads = options.Threads,
        Standbys = options.Standbys,
        Partitions = options.Partitions,
        LingerMs = options.LingerMs,
        FetchWaitMs = options.FetchWaitMs,
        SessionTimeout = TimeSpan.FromMilliseconds(options.SessionTimeoutMs),
        Heartbeat = TimeSpan.FromMilliseconds(options.HeartbeatMs),
        CreateTopics = options.CreateTopics,
        State = Rocks,
    };

    private static EffectsPorts Ports(ScaledSystem system, PipelineTelemetry telemetry, TimeProvider time)
    {
        var catalog = new FeatureCatalog();
        return new(system.Ledger, new LedgerAnswers(system.Ledger, time), system.Ledger, () => new Decider(catalog, time), system.Inputs, EarningRule.Default, RefusalProblems.Of, telemetry);
    }
}
