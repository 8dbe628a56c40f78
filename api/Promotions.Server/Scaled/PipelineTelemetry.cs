using Promotions.Api.Observing;
using Promotions.Domain.Decisions;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Processing.Kafka.Effects;
using Promotions.Processing.State;
using Promotions.Server.Metrics;
using Promotions.Streams.Kafka;

namespace Promotions.Server.Scaled;

/// <summary>What the driver and the effects of a pipeline process tell: into metrics, and into the log where a person should know.</summary>
internal sealed class PipelineTelemetry(ApiMetrics api, StreamsMetrics streams, ILogger<PipelineTelemetry> logger) : IKafkaDriverObserver, IRedemptionEffectsObserver
{
    public void Decided(Decision decision, bool repeated, TimeSpan sinceArrival)
    {
        if (repeated) return;
        api.Decided(decision.Status, decision.Refusal);
        api.Stage("accepted_to_answer").Observe(Math.Max(0, sinceArrival.TotalSeconds));
    }

    public void LatePart(EntityKind kind) => streams.PartLate(FeatureCatalog.KindName(kind));

    public void Refused(string topic, LedgerRefusal refusal)
    {
        // The answer says so, and the dead letter where nobody waits for one.
    }

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
    public void ClientSaid(string message) => ServerLog.KafkaClientSaid(logger, message);
}
