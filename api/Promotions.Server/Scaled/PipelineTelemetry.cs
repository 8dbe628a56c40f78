using Promotions.Api.Observing;
using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Processing.Kafka.Effects;
using Promotions.Processing.State;
using Promotions.Server.Metrics;
using Promotions.Streams.Kafka;

namespace Promotions.Server.Scaled;

/// <summary>What the driver and the effects of a pipeline process tell: into metrics, and into the log where a person should know.</summary>
internal sealed class PipelineTelemetry(ApiMetrics api, StreamsMetrics streams, TimeProvider time, ILogger<PipelineTelemetry> logger) : IKafkaDriverObserver, IRedemptionEffectsObserver
{
    private readonly ClientWarnings _clientWarnings = new(time);
    private readonly RecentMean _outcomeDelay = new(time);

    /// <summary>Features have counted what became known. Of outcomes, how long after their request.</summary>
    public void Counted(FeedbackType type, EventTime at)
    {
        if (type is not FeedbackType.Outcome) return;
        var delay = TimeSpan.FromMilliseconds(Math.Max(0, EventTime.Now(time).UnixMilliseconds - at.UnixMilliseconds));
        streams.OutcomeCounted(delay);
        _outcomeDelay.Add(delay.TotalSeconds);
    }

    public double? OutcomeDelaySeconds => _outcomeDelay.Read();

    public void Processed(int subTopology, int records) => streams.Processed(subTopology, records);

    public void Decided(Decision decision, bool repeated, TimeSpan sinceArrival)
    {
        if (repeated) return;
        api.Decided(decision.Status, decision.Refusal);
        api.Scored(decision.Proposal.Risk);
        api.Stage("accepted_to_answer").Observe(Math.Max(0, sinceArrival.TotalSeconds));
    }

    public void LatePart(EntityKind kind) => streams.PartLate(FeatureCatalog.KindName(kind));

    /// <summary>Whoever waits is told; this is for who asks why a report changed nothing.</summary>
    public void Refused(string topic, LedgerRefusal refusal) => ServerLog.LedgerRefused(logger, topic, refusal);

    public void Committed(TimeSpan took, int tasks) => streams.Committed(took);
    public void RestoredRecords(int records) => streams.Restored(records);

    public void DeadLettered(string topic, string reason)
    {
        streams.DeadLettered();
        ServerLog.DeadLettered(logger, topic, "", reason);
    }

    public void CommitFailed(Exception fault) => ServerLog.PipelineFault(logger, fault, "A commit of the pipeline's state (it is tried again)");
    public void TookBack(TaskId task, string reason) => ServerLog.TaskTookBack(logger, task.ToString(), reason);
    public void Retrying(TaskId task, Exception fault) => ServerLog.EffectsRetried(logger, fault, task.ToString());
    public void Fenced(TaskId task) => ServerLog.TaskFenced(logger, task.ToString());
    public void Faulted(string what, Exception fault) => ServerLog.PipelineFault(logger, fault, what);

    public void ClientSaid(string message)
    {
        if (_clientWarnings.TryTake(out var heldBack)) ServerLog.KafkaClientSaid(logger, message, heldBack);
    }
}
