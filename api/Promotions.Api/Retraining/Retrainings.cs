using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Promotions.Api.Http;
using Promotions.Api.Models;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Scoring;

namespace Promotions.Api.Retraining;

/// <summary>A retraining that is going on.</summary>
public sealed record RetrainingNow(EventTime StartedAt, Actor By, string Doing);

/// <summary>Runs retrainings, one at a time: those that the schedule begins and those that somebody asks for. What comes of one is a candidate in the registry, and nothing that serves.</summary>
public sealed class Retrainings(IRetrainer retrainer, RetrainingStore store, ModelRegistry registry, TimeProvider time, ILogger<Retrainings> logger) : BackgroundService
{
    /// <summary>The audit log's name for it: a rule, not a person.</summary>
    public static readonly Actor Schedule = new("rule", "schedule");

    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
    private readonly Channel<Actor> _asked = Channel.CreateBounded<Actor>(1);
    private readonly Lock _starting = new();
    private volatile RetrainingNow? _now;

    public string? MissingBecause => retrainer.MissingBecause;
    public RetrainingNow? Now => _now;

    /// <summary>When the schedule begins the next one; null where it does not.</summary>
    /// <exception cref="InvalidDataException">The schedule is of another version.</exception>
    public EventTime? NextAt
    {
        get
        {
            if (MissingBecause is not null) return null;
            var history = store.History;
            var last = history.Ended is [var newest, ..] ? new EventTime(newest.StartedAt) : (EventTime?)null;
            return store.Policy.NextAfter(_now?.StartedAt ?? last);
        }
    }

    /// <returns>False where one is going on already.</returns>
    /// <exception cref="InvalidOperationException">Nothing can be learned here: ask <see cref="MissingBecause"/> first.</exception>
    public bool TryStart(Actor by)
    {
        if (MissingBecause is { } because) throw new InvalidOperationException(because);
        lock (_starting)
        {
            if (_now is not null) return false;
            _now = new(EventTime.Now(time), by, "starting");
            if (!_asked.Writer.TryWrite(by)) throw new InvalidOperationException("A retraining was asked for and none is going on.");
            return true;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (MissingBecause is not null) return;
        await Task.Yield();
        try
        {
            await Task.WhenAll(BeginOnScheduleAsync(stoppingToken), RunAllAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The system stops.
        }
    }

    private async Task BeginOnScheduleAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (_now is null && NextAt is { } at && at <= EventTime.Now(time)) TryStart(Schedule);
            }
            catch (Exception fault) when (fault is LedgerFaultException or InvalidDataException)
            {
                ApiLog.RetrainingFault(logger, fault);
            }
        }
    }

    private async Task RunAllAsync(CancellationToken stoppingToken)
    {
        await KeepingAsync(async () =>
        {
            // The process before this one stopped in the middle.
            if (store.History is { Begun: { } begun } history) await store.PutAsync(history.End(Ended(begun, Without(RetrainingOutcome.Interrupted, "The system stopped while it ran; nothing came of it."))), Actor.System);
        });
        await foreach (var by in _asked.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await KeepingAsync(() => RunAsync(_now!, by, stoppingToken));
            }
            finally
            {
                _now = null;
            }
        }
    }

    private async Task RunAsync(RetrainingNow now, Actor by, CancellationToken stoppingToken)
    {
        var begun = new RetrainingRun(now.StartedAt.UnixMilliseconds, 0, by.Id, Without(RetrainingOutcome.Interrupted, ""));
        await store.PutAsync(store.History.Begin(begun), by);
        var report = await AnswerAsync(by, stoppingToken);
        await store.PutAsync(store.History.End(Ended(begun, report)), by);
        if (report.Outcome is RetrainingOutcome.Failed) ApiLog.RetrainingFailed(logger, report.Message);
        else ApiLog.Retrained(logger, report.Outcome, report.Message);
    }

    private async Task<RetrainingReport> AnswerAsync(Actor by, CancellationToken stoppingToken)
    {
        try
        {
            var (report, model) = await retrainer.RunAsync(store.Policy, Doing, stoppingToken);
            if (model is null) return report;
            Doing("registering the candidate");
            if (registry.Current.Find(ModelFile.HashOf(model)) is { } known) return report with { Message = $"{report.Message} The registry knows this model already, as {known.State.ToString().ToLowerInvariant()}." };
            var (_, refusal) = await registry.RegisterAsync(model, by == Schedule ? "retrained on schedule" : "retrained on request", by, CancellationToken.None);
            return refusal is ModelRefusal.None ? report : Lost(report, ModelDesk.Sentence(refusal));
        }
        catch (RetrainingFaultException fault)
        {
            return Without(RetrainingOutcome.Failed, fault.Message);
        }
        catch (ModelFileException fault)
        {
            return Without(RetrainingOutcome.Failed, "The candidate's file cannot serve: " + fault.Message);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return Without(RetrainingOutcome.Interrupted, "The system was stopped while it ran; nothing came of it.");
        }
    }

    private void Doing(string what) => _now = _now! with { Doing = what };

    /// <summary>The ledger that does not answer ends a run without a trace but the log's: nothing could be written down.</summary>
    private async Task KeepingAsync(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (Exception fault) when (fault is LedgerFaultException or InvalidDataException)
        {
            ApiLog.RetrainingFault(logger, fault);
        }
    }

    private RetrainingRun Ended(RetrainingRun run, RetrainingReport report) => run with { EndedAt = EventTime.Now(time).UnixMilliseconds, Report = report };

    private static RetrainingReport Without(string outcome, string message) => new(outcome, message, null, null, 0, 0, 0, null);

    private static RetrainingReport Lost(RetrainingReport report, string because) => report with { Outcome = RetrainingOutcome.Failed, Message = $"{report.Message} The candidate was not kept: {because}", Candidate = null };
}
