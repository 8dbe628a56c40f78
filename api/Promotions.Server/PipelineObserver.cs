using Promotions.Api.Observing;
using Promotions.Domain.Decisions;
using Promotions.Processing.Embedded;
using Promotions.Processing.Statistics;
using Promotions.Streams;
using Promotions.Streams.Embedded;

namespace Promotions.Server;

/// <summary>Hands what the pipeline did to the live page and the metrics.</summary>
internal sealed class PipelineObserver(LiveStatistics live, ILogger logger) : IRedemptionObserver
{
    /// <summary>Set once the web host has made it; until then (replay at start) nothing is counted.</summary>
    public ApiMetrics? Metrics { get; set; }

    public void Decided(Decision decision, bool repeated, TimeSpan sinceAccepted)
    {
        if (repeated) return;
        live.DecisionObserved(decision, sinceAccepted);
        Metrics?.Decided(decision.Status, decision.Refusal);
        Metrics?.Scored(decision.Proposal.Risk);
    }

    public void Stage(string stage, TimeSpan took, int records) => Metrics?.Stage(stage).Observe(took.TotalSeconds);

    public void DeadLettered(DeadLetter letter) => ServerLog.DeadLettered(logger, letter.Topic, letter.Id, letter.Reason);

    public void Faulted(string what, Exception fault) => ServerLog.PipelineFault(logger, fault, what);

    public void Replayed(long position, long lastPosition)
    {
        if (position == lastPosition) ServerLog.Replayed(logger, position);
    }
}

/// <summary>Intake is open only while state and ledger agree.</summary>
internal sealed class PipelineReadiness(EmbeddedDriver driver) : IReadinessCheck
{
    public string Name => "pipeline";
    public ValueTask<string?> CheckAsync(CancellationToken cancellationToken) => ValueTask.FromResult(driver.StoppedBecause?.Message);
}

/// <summary>Requests get their answers only once start-up, the demonstration's past included, is over.</summary>
internal sealed class StartReadiness : IReadinessCheck
{
    private volatile bool _started;
    public string Name => "start";
    public void Started() => _started = true;
    public ValueTask<string?> CheckAsync(CancellationToken cancellationToken) => ValueTask.FromResult(_started ? null : "The system is starting.");
}

internal sealed class SinkLag(AnalyticsSystem analytics) : IFollowerLag
{
    public string Name => "clickhouse";
    public long PositionsBehind => analytics.Behind;
}
