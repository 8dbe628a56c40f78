using System.Globalization;
using Prometheus;
using Promotions.Streams.Kafka.Status;

namespace Promotions.Server.Metrics;

/// <summary>The Kafka driver's numbers at <c>/metrics</c> of a pipeline process. What happens is counted as it happens; what is so is asked at each scrape.</summary>
internal sealed class StreamsMetrics
{
    /// <summary>1 ms to 10 s: a commit is due every 100 ms, an outcome comes back within a second or two.</summary>
    private static readonly double[] Seconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

    private readonly Gauge _tasks;
    private readonly Gauge _lag;
    private readonly Gauge _restoreRemaining;
    private readonly Gauge _streamTime;
    private readonly Counter _records;
    private readonly Counter _restored;
    private readonly Counter _deadLetters;
    private readonly Counter _lateParts;
    private readonly Histogram _commits;
    private readonly Histogram _outcomeDelays;

    /// <param name="status">Of this process, cheap; asked at each scrape.</param>
    public StreamsMetrics(CollectorRegistry registry, Func<MemberStatus?> status)
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(registry);
        _tasks = factory.CreateGauge("promotions_streams_tasks", "Tasks of this process, by role (active, standby) and state (restoring, running, paused).", "role", "state");
        _lag = factory.CreateGauge("promotions_streams_lag_records", "Records of an active task's input that it has not taken yet.", "topic", "partition");
        _restoreRemaining = factory.CreateGauge("promotions_streams_restore_remaining_records", "Records of changelogs still to be read, active tasks and standbys together.");
        _streamTime = factory.CreateGauge("promotions_streams_stream_time_seconds", "The highest event time that an active task has seen, Unix time.", "sub_topology", "partition");
        _records = factory.CreateCounter("promotions_streams_records_total", "Records processed.", "sub_topology");
        _restored = factory.CreateCounter("promotions_streams_restored_records_total", "Records of changelogs read into local state.");
        _deadLetters = factory.CreateCounter("promotions_streams_dead_letters_total", "Records given up and sent to dead-letters.");
        _lateParts = factory.CreateCounter("promotions_streams_late_parts_total", "Parts of a request that did not come within gather's patience, by entity kind.", "kind");
        _commits = factory.CreateHistogram("promotions_streams_commit_seconds", "Time of one commit: waiting for acknowledgements, the transaction, local state.", new HistogramConfiguration { Buckets = Seconds });
        _outcomeDelays = factory.CreateHistogram("promotions_streams_outcome_delay_seconds", "From a request to the refusal's being counted by features, for each entity that counts it. No feature counts an approval.", new HistogramConfiguration { Buckets = Seconds });
        registry.AddBeforeCollectCallback(() => Show(status()));
    }

    public void Processed(int subTopology, int records) => _records.WithLabels(Text(subTopology)).Inc(records);
    public void Restored(int records) => _restored.Inc(records);
    public void DeadLettered() => _deadLetters.Inc();

    /// <param name="kind">A small, fixed set: customer, device, ip ...</param>
    public void PartLate(string kind) => _lateParts.WithLabels(kind).Inc();

    public void Committed(TimeSpan took) => _commits.Observe(took.TotalSeconds);
    public void OutcomeCounted(TimeSpan delay) => _outcomeDelays.Observe(Math.Max(0, delay.TotalSeconds));

    /// <summary>A task that went elsewhere takes its series with it: two processes must not both tell of it.</summary>
    private void Show(MemberStatus? status)
    {
        Clear(_tasks);
        Clear(_lag);
        Clear(_streamTime);
        _restoreRemaining.Set(0);
        foreach (var task in status?.Tasks ?? [])
        {
            _tasks.WithLabels(task.Role, task.State).Inc();
            _restoreRemaining.Inc(task.RestoreRemaining);
            if (task.Role != "active") continue;
            _lag.WithLabels(task.Name, Text(task.Partition)).Set(task.Lag);
            if (task.StreamTimeMs is { } time) _streamTime.WithLabels(Text(task.SubTopology), Text(task.Partition)).Set(time / 1000.0);
        }
    }

    private static void Clear(Gauge gauge)
    {
        foreach (var labels in gauge.GetAllLabelValues()) gauge.RemoveLabelled(labels);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
