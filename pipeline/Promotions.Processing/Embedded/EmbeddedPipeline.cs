using System.Threading.Channels;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;

namespace Promotions.Processing.Embedded;

/// <summary>One process, hops are function calls, the ledger is the log.</summary>
/// <remarks>
/// One thread owns feature state. A batch goes: observe, price, score, decide → one durable commit of log rows with their effects → fold feedback and outcomes →
/// answer. Every few seconds what changed is written with its log position S, after the commit of L, so S ≤ L always. A failed commit forgets everything since the
/// checkpoint and replays (S, L] from the log, as a restart does, comparing each vector's hash with the recorded one.
/// Log order is fold order: attempts of a batch, then its feedback, then the outcomes.
/// </remarks>
public sealed class EmbeddedPipeline : IAsyncDisposable
{
    private readonly ILedger _ledger;
    private readonly AttemptProcessor _attempts;
    private readonly IFeatureFold _features;
    private readonly IPipelineObserver _observer;
    private readonly EmbeddedPipelineOptions _options;
    private readonly TimeProvider _time;
    private readonly Channel<WorkItem> _queue;
    private readonly Task _worker;
    private long _committed;
    private long _checkpointedAt;
    private volatile Exception? _stoppedBecause;

    private EmbeddedPipeline(
        ILedger ledger, AttemptProcessor attempts, IFeatureFold features, IPipelineObserver observer, EmbeddedPipelineOptions options, TimeProvider time)
    {
        _ledger = ledger;
        _attempts = attempts;
        _features = features;
        _observer = observer;
        _options = options;
        _time = time;
        _queue = Channel.CreateBounded<WorkItem>(new BoundedChannelOptions(options.QueueMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _committed = ledger.Reader.LastLogPosition;
        _checkpointedAt = time.GetTimestamp();
        _worker = Task.Factory.StartNew(RunAsync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
    }

    /// <summary>Brings feature state up to the log's end, then opens intake.</summary>
    /// <exception cref="ReplayMismatchException">A recomputed vector differs from the recorded one: intake stays closed.</exception>
    public static EmbeddedPipeline Start(
        ILedger ledger, AttemptProcessor attempts, IFeatureFold features, IPipelineObserver observer, EmbeddedPipelineOptions options, TimeProvider time)
    {
        LogReplay.CatchUp(ledger.Reader, features, observer, options.LayoutSince);
        return new(ledger, attempts, features, observer, options, time);
    }

    /// <summary>Why intake is closed, or null while it is open.</summary>
    public Exception? StoppedBecause => _stoppedBecause;

    public int Queued => _queue.Reader.Count;

    internal async Task<LedgerOutcome> SubmitAsync(WorkItem item, CancellationToken cancellationToken)
    {
        if (_stoppedBecause is { } fault) throw new LedgerFaultException("Intake is closed: " + fault.Message, fault);
        await _queue.Writer.WriteAsync(item, cancellationToken).ConfigureAwait(false);
        CrashPoints.Hit("after_accept");
        return await item.Answer.WaitAsync(cancellationToken).ConfigureAwait(false);       // cancelling stops the waiting, not the record
    }

    /// <summary>Takes no more, finishes what was accepted, writes a checkpoint.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _worker.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var batch = new List<WorkItem>(_options.BatchMax);
        try
        {
            while (await NextBatchAsync(batch).ConfigureAwait(false))
            {
                await ProcessAsync(batch).ConfigureAwait(false);
                CheckpointIfDue(force: false);
            }

            CheckpointIfDue(force: true);
        }
        catch (Exception fault)
        {
            // A broken invariant: nothing more may be decided on this state. Callers hear it, readiness shows it.
            _stoppedBecause = fault;
            _queue.Writer.TryComplete(fault);
            _observer.Faulted("pipeline", fault);
            foreach (var item in batch) item.Fail(new LedgerFaultException("Intake is closed: " + fault.Message, fault));
            while (_queue.Reader.TryRead(out var waiting)) waiting.Fail(new LedgerFaultException("Intake is closed: " + fault.Message, fault));
        }
    }

    /// <summary>Waits for one record, then takes what is there: no delay is added to fill a batch.</summary>
    private async ValueTask<bool> NextBatchAsync(List<WorkItem> batch)
    {
        batch.Clear();
        while (batch.Count == 0)
        {
            using var idle = new CancellationTokenSource(_options.CheckpointEvery, _time);
            try
            {
                if (!await _queue.Reader.WaitToReadAsync(idle.Token).ConfigureAwait(false)) return false;
            }
            catch (OperationCanceledException)
            {
                CheckpointIfDue(force: false);
                continue;
            }

            while (batch.Count < _options.BatchMax && _queue.Reader.TryRead(out var item)) batch.Add(item);
        }

        return true;
    }

    private async Task ProcessAsync(List<WorkItem> batch)
    {
        var started = _time.GetTimestamp();
        var attempts = batch.OfType<AttemptItem>().ToList();
        var feedback = batch.OfType<FeedbackItem>().ToList();
        foreach (var attempt in attempts) _attempts.ObserveAndDecide(attempt);
        CrashPoints.Hit("after_process");
        _observer.Stage("process", _time.GetElapsedTime(started), batch.Count);

        try
        {
            var appends = new List<LogAppend>(batch.Count);
            appends.AddRange(attempts.Select(AttemptProcessor.ToAppend));
            appends.AddRange(feedback.Select(f => new LogAppend(f.Topic, f.Key, f.Value, f.At, 0, f.Command)));
            var (outcomes, followUps) = await CommitAsync(appends, attempts).ConfigureAwait(false);
            FoldFeedback(feedback, outcomes.AsSpan(attempts.Count), followUps);
            for (var round = 0; Stale(attempts, outcomes) is { Count: > 0 } stale; round++) await RepriceAsync(stale, outcomes, attempts, round).ConfigureAwait(false);
            CrashPoints.Hit("before_answer");
            for (var i = 0; i < attempts.Count; i++) Answer(attempts[i], outcomes[i]);
            for (var i = 0; i < feedback.Count; i++) feedback[i].Complete(outcomes[attempts.Count + i]!);
        }
        catch (LedgerFaultException fault)
        {
            _observer.Faulted("commit", fault);
            _features.RollBack();
            LogReplay.CatchUp(_ledger.Reader, _features, _observer, _options.LayoutSince);
            _committed = _ledger.Reader.LastLogPosition;
            foreach (var item in batch) item.Fail(fault);
        }
    }

    private async Task<(LedgerOutcome?[] Outcomes, IReadOnlyList<LogRecord> FollowUps)> CommitAsync(List<LogAppend> appends, List<AttemptItem> attempts)
    {
        var started = _time.GetTimestamp();
        CrashPoints.Hit("before_commit");
        var receipt = await _ledger.CommitAsync(appends, outcomes => AttemptProcessor.OutcomesOf(attempts, outcomes), CancellationToken.None).ConfigureAwait(false);
        CrashPoints.Hit("after_commit");
        _observer.Stage("commit", _time.GetElapsedTime(started), appends.Count);
        _committed = receipt.LastPosition;
        return ([.. receipt.Outcomes], receipt.FollowUps);
    }

    private void FoldFeedback(List<FeedbackItem> feedback, ReadOnlySpan<LedgerOutcome?> outcomes, IReadOnlyList<LogRecord> followUps)
    {
        var started = _time.GetTimestamp();
        for (var i = 0; i < feedback.Count; i++)
            if (outcomes[i] is { Accepted: true, Repeated: false }) FeedbackFold.Apply(_features, feedback[i].Record);
        foreach (var followUp in followUps) FeedbackFold.Apply(_features, FeedbackFold.Decode(followUp.Topic, followUp.Value.Span));
        _observer.Stage("fold", _time.GetElapsedTime(started), feedback.Count + followUps.Count);
    }

    private static List<AttemptItem> Stale(List<AttemptItem> attempts, LedgerOutcome?[] outcomes) =>
        [.. attempts.Where((_, i) => outcomes[i]?.Refusal is LedgerRefusal.StaleCampaign)];

    /// <summary>A campaign changed between pricing and commit. The attempt was observed and logged; only its decision is made again, on the campaign as it is now.</summary>
    private async Task RepriceAsync(List<AttemptItem> stale, LedgerOutcome?[] outcomes, List<AttemptItem> attempts, int round)
    {
        const int roundsMax = 100;
        if (round >= roundsMax) throw new LedgerFaultException($"A campaign changed {roundsMax} times while one batch was priced.");
        foreach (var attempt in stale) _attempts.Decide(attempt);
        var (again, followUps) = await CommitAsync([.. stale.Select(a => AttemptProcessor.ToAppend(a) with { Topic = Topics.Repriced })], stale).ConfigureAwait(false);
        FoldFeedback([], [], followUps);
        for (var i = 0; i < stale.Count; i++) outcomes[attempts.IndexOf(stale[i])] = again[i];
    }

    /// <summary>A validation without arms has no command, so the ledger has nothing to say of it.</summary>
    private void Answer(AttemptItem attempt, LedgerOutcome? told)
    {
        var outcome = told ?? new LedgerOutcome(0, LedgerRefusal.None, false, null, null);
        if (outcome.Decision is { } decision) _observer.Decided(decision, outcome.Repeated, _time.GetElapsedTime(attempt.AcceptedTimestamp));
        attempt.Complete(outcome);
    }

    private void CheckpointIfDue(bool force)
    {
        if (!force && !_features.WantsCheckpoint && _time.GetElapsedTime(_checkpointedAt) < _options.CheckpointEvery) return;
        _checkpointedAt = _time.GetTimestamp();
        if (_features.CheckpointPosition == _committed) return;
        CrashPoints.Hit("before_checkpoint");
        _features.Checkpoint(_committed);
        CrashPoints.Hit("after_checkpoint");
        _observer.Stage("checkpoint", _time.GetElapsedTime(_checkpointedAt), 0);
    }
}
