using System.Collections.Concurrent;
using Prometheus;
using Promotions.Contracts;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Processing.Embedded;
using Promotions.Streams;
using Promotions.Streams.Embedded;

namespace Promotions.Api.Observing;

/// <summary>The numbers at <c>/metrics</c>. The pipeline feeds stages; followers are asked at each scrape.</summary>
public sealed class ApiMetrics : IRedemptionObserver
{
    // 50 µs to 10 s: the target is a few milliseconds, and faults show in the tail.
    private static readonly double[] Seconds = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1, 2.5, 10];

    private readonly Counter _decisions;
    private readonly Histogram _stages;
    private readonly Histogram _requests;
    private readonly Counter _answers;

    private readonly Counter _faults;
    private readonly Gauge _replayed;
    private readonly Counter _shadow;
    private readonly Counter _modelFaults;
    private readonly ConcurrentQueue<IFollowerLag> _followers = new();

    public ApiMetrics()
    {
        var factory = Metrics.WithCustomRegistry(Registry);
        DotNetStats.Register(Registry);
        _decisions = factory.CreateCounter("promotions_decisions_total", "Redemptions decided, by status and public reason.", "status", "reason");
        _stages = factory.CreateHistogram("promotions_stage_seconds", "Time in each stage of a redemption.", ["stage"], new HistogramConfiguration { Buckets = Seconds });
        _requests = factory.CreateHistogram("promotions_http_request_seconds", "Time from admission to answer.", ["operation"], new HistogramConfiguration { Buckets = Seconds });
        _answers = factory.CreateCounter("promotions_http_answers_total", "Answers, by operation and status.", "operation", "code");
        _faults = factory.CreateCounter("promotions_pipeline_faults_total", "Batches and workers that failed, by where.", "where");
        _replayed = factory.CreateGauge("promotions_replay_remaining_positions", "Log positions still to be replayed before intake opens.");
        _shadow = factory.CreateCounter("promotions_shadow_verdicts_total", "Decisions by what fraud alone said and what a challenger would have said.", "model", "champion", "challenger");
        _modelFaults = factory.CreateCounter("promotions_model_faults_total", "Decisions for which a model gave no score: it threw, answered no probability, or is set aside as too slow.", "model");
        var paused = factory.CreateCounter("promotions_gc_paused_seconds_total", "Time in which the collector let nothing else run.");
        var lag = factory.CreateGauge("promotions_follower_positions_behind", "Committed positions that a follower has not followed yet.", "follower");
        Registry.AddBeforeCollectCallback(() =>
        {
            paused.IncTo(GC.GetTotalPauseDuration().TotalSeconds);
            foreach (var follower in _followers) lag.WithLabels(follower.Name).Set(follower.PositionsBehind);
        });
        foreach (var status in Enum.GetValues<RedemptionStatus>())
            if (status is not RedemptionStatus.None and not RedemptionStatus.Rejected) _decisions.WithLabels(Wire.Of(status), "none").Publish();
    }

    public CollectorRegistry Registry { get; } = Metrics.NewCustomRegistry();

    /// <summary>Ask this follower at each scrape.</summary>
    public void Add(IFollowerLag follower) => _followers.Enqueue(follower);

    /// <summary>Show at each scrape which version of the fraud policy decides.</summary>
    public void ShowPolicyVersion(Func<int> version)
    {
        var gauge = Metrics.WithCustomRegistry(Registry).CreateGauge("promotions_fraud_policy_version", "Version of the fraud policy that decides.");
        Registry.AddBeforeCollectCallback(() => gauge.Set(version()));
    }

    /// <summary>Count one decision; once per redemption, never for a repeated answer.</summary>
    public void Decided(RedemptionStatus status, RefusalCode refusal) => _decisions.WithLabels(Wire.Of(status), Wire.Of(refusal)).Inc();

    /// <summary>Count what champion and challengers said, once per decision. Models by the first 12 digits of their hash: there are three at most at a time.</summary>
    public void Scored(RiskAssessment risk)
    {
        if (risk.ScorerFault is not null) _modelFaults.WithLabels(Short(risk.ModelHash)).Inc();
        foreach (var score in risk.Shadow)
        {
            if (score.Fault is not null) _modelFaults.WithLabels(Short(score.ModelHash)).Inc();
            else _shadow.WithLabels(Short(score.ModelHash), Wire.Of(risk.Verdict), Wire.Of(score.Verdict)).Inc();
        }

        static string Short(string hash) => hash.Length == 0 ? "none" : hash[..Math.Min(12, hash.Length)];
    }

    void IRedemptionObserver.Decided(Decision decision, bool repeated, TimeSpan sinceAccepted)
    {
        if (repeated) return;
        Decided(decision.Status, decision.Refusal);
        Scored(decision.Proposal.Risk);
        Stage("accepted_to_answer").Observe(sinceAccepted.TotalSeconds);
    }

    void IDriverObserver.Stage(string stage, TimeSpan took, int records) => Stage(stage).Observe(took.TotalSeconds);

    void IDriverObserver.DeadLettered(DeadLetter letter) => _faults.WithLabels("dead_letter").Inc();

    void IDriverObserver.Faulted(string what, Exception fault) => _faults.WithLabels(what).Inc();

    void IDriverObserver.Replayed(long position, long lastPosition) => _replayed.Set(Math.Max(0, lastPosition - position));

    /// <summary>For the hot path: the stage's histogram, looked up once.</summary>
    /// <param name="stage">A small, fixed set: <c>observe</c>, <c>price</c>, <c>score</c>, <c>decide</c>, <c>commit</c> ...</param>
    public IObserver Stage(string stage) => _stages.WithLabels(stage);

    internal RouteMetrics Route(string operation) => new(_requests.WithLabels(operation), _answers, operation);
}

/// <summary>The children of one operation, looked up once.</summary>
internal sealed class RouteMetrics(IObserver seconds, Counter answers, string operation)
{
    private readonly Counter.Child _ok = answers.WithLabels(operation, "200");

    public void Answered(int status, TimeSpan elapsed)
    {
        seconds.Observe(elapsed.TotalSeconds);
        if (status == 200) _ok.Inc();
        else answers.WithLabels(operation, Http.SmallNumbers.Text(status)).Inc();
    }
}
