using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Promotions.Api.Models;
using Promotions.Api.Retraining;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Ledger.Sqlite;
using Promotions.Scoring;

namespace Promotions.Api.Tests;

/// <summary>When a retraining begins and what is written down of it. That something is learned is tested with the real program, beside a real server.</summary>
public sealed class RetrainingScheduleTests : IAsyncLifetime
{
    private static readonly RetrainingPolicy Weekly = RetrainingPolicy.Default with { EveryDays = 7, SetAt = At("2026-03-02T15:30:00Z").UnixMilliseconds };
    private static readonly Actor Anna = new("api_key", "anna");
    private readonly string _folder = Directory.CreateTempSubdirectory("promotions-retraining-").FullName;
    private readonly FakeTimeProvider _time = new(At("2026-03-02T15:30:00Z").ToDateTimeOffset());
    private SqliteLedger _ledger = null!;
    private RetrainingStore _store = null!;
    private ModelRegistry _registry = null!;

    public ValueTask InitializeAsync()
    {
        _ledger = SqliteLedger.Open(new SqliteLedgerOptions { Path = Path.Combine(_folder, "ledger.db") }, _time);
        _store = new(_ledger);
        _registry = new(_ledger, FeatureRegistry.LayoutHash, [.. FeatureRegistry.Features.Select(feature => feature.Name)], _time);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _registry.Dispose();
        await _ledger.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(null, "2026-03-09T03:00:00.000Z")]
    [InlineData("2026-03-09T03:00:07Z", "2026-03-16T03:00:00.000Z")]
    [InlineData("2026-03-10T16:20:00Z", "2026-03-17T03:00:00.000Z")]
    [InlineData("2026-01-01T03:00:00Z", "2026-03-09T03:00:00.000Z")]
    public void The_next_one_is_at_its_hour_so_many_days_after_the_last_or_after_the_schedule_was_set(string? last, string next) =>
        Assert.Equal(At(next), Weekly.NextAfter(last is null ? null : At(last)));

    [Fact]
    public void Without_days_between_none_begins_by_itself() => Assert.Null(RetrainingPolicy.Default.NextAfter(At("2026-01-01T00:00:00Z")));

    [Fact]
    public async Task The_schedule_begins_one_when_it_is_due_and_not_before()
    {
        await _store.PutAsync(Weekly, Anna);
        var learner = new Scripted(_ => Task.FromResult<(RetrainingReport, byte[]?)>((Said(RetrainingOutcome.TooFewLabels, "12 of 40"), null)));
        using var retrainings = Retrainings(learner);
        await retrainings.StartAsync(TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromDays(6));
        Assert.Equal(At("2026-03-09T03:00:00Z"), retrainings.NextAt);
        Assert.Equal(0, learner.Runs);
        while (learner.Runs == 0 && _time.GetUtcNow() < At("2026-03-09T04:00:00Z").ToDateTimeOffset())
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            await Task.Yield();
        }

        await learner.Began.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await retrainings.StopAsync(TestContext.Current.CancellationToken);
        Assert.True(learner.At >= At("2026-03-09T03:00:00Z"), learner.At.ToString());
        var run = Assert.Single(_store.History.Ended);
        Assert.Equal(("schedule", RetrainingOutcome.TooFewLabels, "12 of 40"), (run.StartedBy, run.Report.Outcome, run.Report.Message));
        Assert.Empty(_registry.Current.Models);
    }

    [Fact]
    public async Task One_at_a_time_and_what_broke_is_written_down_and_hinders_no_later_one()
    {
        var held = new TaskCompletionSource();
        var runs = 0;
        var learner = new Scripted(async doing =>
        {
            doing("replaying");
            if (Interlocked.Increment(ref runs) > 1) return (Said(RetrainingOutcome.TooFewLabels, "none"), null);
            await held.Task;
            throw new RetrainingFaultException("promotions-ml ended with code 134.");
        });
        using var retrainings = Retrainings(learner);
        await retrainings.StartAsync(TestContext.Current.CancellationToken);
        Assert.True(retrainings.TryStart(Anna));
        Assert.False(retrainings.TryStart(Anna));
        await learner.Began.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.False(retrainings.TryStart(Anna));
        Assert.Equal("replaying", retrainings.Now?.Doing);
        held.SetResult();
        Assert.True(SpinWait.SpinUntil(() => retrainings.Now is null && retrainings.TryStart(Anna), TimeSpan.FromSeconds(30)));
        Assert.True(SpinWait.SpinUntil(() => retrainings.Now is null, TimeSpan.FromSeconds(30)));
        await retrainings.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal([("none", RetrainingOutcome.TooFewLabels), ("promotions-ml ended with code 134.", RetrainingOutcome.Failed)], _store.History.Ended.Select(run => (run.Report.Message, run.Report.Outcome)));
        Assert.All(_store.History.Ended, run => Assert.Equal("anna", run.StartedBy));
    }

    [Fact]
    public async Task What_a_stopped_system_left_unfinished_is_said_to_be_interrupted_by_the_next_one()
    {
        await _store.PutAsync(RetrainingHistory.Empty.Begin(new(At("2026-03-01T03:00:00Z").UnixMilliseconds, 0, "schedule", Said(RetrainingOutcome.Interrupted, ""))), Anna);
        using var retrainings = Retrainings(new Scripted(_ => throw new RetrainingFaultException("none should begin")));
        await retrainings.StartAsync(TestContext.Current.CancellationToken);
        Assert.True(SpinWait.SpinUntil(() => _store.History.Begun is null, TimeSpan.FromSeconds(30)));
        await retrainings.StopAsync(TestContext.Current.CancellationToken);
        var run = Assert.Single(_store.History.Ended);
        Assert.Equal(RetrainingOutcome.Interrupted, run.Report.Outcome);
        Assert.Contains("nothing came of it", run.Report.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_schedule_is_checked_and_kept_over_http_and_where_nothing_can_be_learned_a_start_is_refused()
    {
        await using var host = await ApiHost.StartAsync();
        var off = await host.SendAsync("GET", "/v1/models/retraining", key: "admin");
        Assert.Contains("promotions-ml", (string?)off.Json["missing_because"], StringComparison.Ordinal);
        Assert.Equal("retraining_unavailable", (await host.SendAsync("POST", "/v1/models/retraining", key: "admin")).Code);
        var wrong = await host.SendAsync("PUT", "/v1/policies/retraining", """{"every_days": 0, "hour": 24, "period_days": 90, "label_days": 60, "labels_min": 200}""", "admin");
        Assert.Equal(400, (int)wrong.Status);
        Assert.Contains("/every_days", wrong.Text, StringComparison.Ordinal);
        Assert.Contains("/hour", wrong.Text, StringComparison.Ordinal);
        var set = await host.SendAsync("PUT", "/v1/policies/retraining", """{"every_days": 7, "hour": 4, "period_days": 30, "label_days": 8, "labels_min": 50}""", "admin");
        Assert.Equal(200, (int)set.Status);
        Assert.Equal(set.Text, (await host.SendAsync("GET", "/v1/policies/retraining", key: "admin")).Text);
    }

    private Retrainings Retrainings(IRetrainer learner)
    {
        if (learner is Scripted scripted) scripted.Time = _time;
        return new(learner, _store, _registry, _time, NullLogger<Retrainings>.Instance);
    }

    private static RetrainingReport Said(string outcome, string message) => new(outcome, message, null, null, 0, 0, 0, null);

    private static EventTime At(string text) => EventTime.From(DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Answers as it is told: the program that learns is another process.</summary>
    private sealed class Scripted(Func<Action<string>, Task<(RetrainingReport, byte[]?)>> answer) : IRetrainer
    {
        private readonly TaskCompletionSource _began = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _runs;

        public TimeProvider Time { get; set; } = TimeProvider.System;
        public string? MissingBecause => null;
        public int Runs => Volatile.Read(ref _runs);
        public EventTime At { get; private set; }
        public Task Began => _began.Task;

        public async Task<(RetrainingReport Report, byte[]? Model)> RunAsync(RetrainingPolicy policy, Action<string> doing, CancellationToken cancellationToken)
        {
            At = EventTime.Now(Time);
            Interlocked.Increment(ref _runs);
            var going = answer(doing);
            _began.TrySetResult();
            return await going;
        }
    }
}
