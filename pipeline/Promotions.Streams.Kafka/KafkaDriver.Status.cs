using Confluent.Kafka;
using Promotions.Streams.Kafka.Status;
using Promotions.Streams.Kafka.Tasks;

namespace Promotions.Streams.Kafka;

public sealed partial class KafkaDriver
{
    private readonly Dictionary<TaskId, long> _told = [];

    /// <summary>What this process is doing, for <c>/metrics</c> and for the topic of members. Cheap.</summary>
    public MemberStatus Status()
    {
        var tasks = new List<MemberTask>();
        var restoring = _restorer.Progress().ToDictionary(p => (p.Task, p.IsStandby));
        foreach (var task in _tasks.Values)
        {
            restoring.TryGetValue((task.Id, false), out var progress);
            var isRunning = task.Stage is TaskStage.Running;
            tasks.Add(new(
                task.Id.SubTopology, task.Unit.InputTopic, task.Id.Partition, "active", !isRunning ? "restoring" : task.IsCrowded ? "paused" : "running", LagOf(task),
                task.StreamTime == default ? null : task.StreamTime.UnixMilliseconds, progress.Remaining, !isRunning && progress.PerSecond > 0 ? progress.PerSecond : null));
        }

        foreach (var copy in restoring.Values.Where(p => p.IsStandby))
            tasks.Add(new(copy.Task.SubTopology, _units[copy.Task.SubTopology].InputTopic, copy.Task.Partition, "standby", copy.Remaining > 0 ? "restoring" : "running", copy.Remaining, null, copy.Remaining));
        var stopped = Completion.Exception?.InnerException?.Message;
        var state = stopped is not null ? "stopped" : _stop.IsCancellationRequested ? "leaving" : !_joined ? "starting" : IsServing ? "running" : "rebalancing";
        return new(
            _options.MemberId, Environment.MachineName, Environment.ProcessId, _time.GetUtcNow().ToUnixTimeMilliseconds(), StartedAt.ToUnixTimeMilliseconds(), state, stopped, tasks,
            _committer.TakeMeanSeconds(), _observer.OutcomeDelaySeconds);
    }

    internal void ClientSaid(string message) => _observer.ClientSaid(message);

    internal bool Runs(TaskId task) => _tasks.Values.Any(t => t.Id == task);

    /// <summary>Tells the observer what was processed since it was told before.</summary>
    internal void TellProcessed()
    {
        foreach (var task in _tasks.Values)
        {
            var processed = task.Processed;
            var before = _told.GetValueOrDefault(task.Id);
            if (processed < before) before = 0;         // it was elsewhere meanwhile
            _told[task.Id] = processed;
            if (processed > before) _observer.Processed(task.Id.SubTopology, (int)Math.Min(int.MaxValue, processed - before));
        }
    }

    private long LagOf(KafkaTask task)
    {
        try
        {
            var ends = _consumer.GetWatermarkOffsets(task.Input);
            return ends.High.IsSpecial || task.Next < 0 ? 0 : Math.Max(0, ends.High.Value - task.Next);
        }
        catch (Exception fault) when (fault is KafkaException or ObjectDisposedException)
        {
            return 0;       // it has just gone elsewhere
        }
    }
}
