using System.Threading.Channels;
using Promotions.Domain;
using Promotions.Streams.State;

namespace Promotions.Streams.Embedded;

/// <summary>A topology in one process: hops are function calls, and a durable log of what came in is the truth that state is a fold of.</summary>
/// <remarks>
/// One logical thread owns all state. A batch: process over state in memory → commit at position L → fold the follow-ups → answer. Every few seconds a checkpoint of
/// a position S begins, and is written while records go on. It begins after the commit of what it holds, so S ≤ L always. A failed commit forgets everything since the checkpoint and folds (S, L] again, as a
/// restart does. A broken invariant (replay mismatch, failing disk) closes intake and says why.
/// </remarks>
public sealed class EmbeddedDriver : IAsyncDisposable
{
    private readonly IRecordLog _log;
    private readonly IRecordedAnswers? _recorded;
    private readonly IDriverObserver _observer;
    private readonly EmbeddedDriverOptions _options;
    private readonly TimeProvider _time;
    private readonly Action<string> _crashPoint;
    private readonly StateStores _stores;
    private readonly TopologyRuntime _runtime;
    private readonly LogFold _fold;
    private readonly Channel<InFlight> _queue;
    private readonly Batch _batch;
    private readonly ProcessedBatch _processed;
    private readonly CheckpointWriter _checkpoints;
    private readonly Task _worker;
    private InFlight? _carried;
    private volatile Exception? _stoppedBecause;

    private EmbeddedDriver(
        Topology topology, IStateBackend backend, IRecordLog log, IRecordedAnswers? recorded, IDriverObserver observer, EmbeddedDriverOptions options, TimeProvider time, Action<string>? crashPoint)
    {
        (_log, _recorded, _observer, _options, _time) = (log, recorded, observer, options.Checked(), time);
        _crashPoint = crashPoint ?? CrashPoints.Hit;
        _stores = new(backend, options.LayoutHash, _crashPoint);
        _runtime = new(topology, _stores, hopsAreBytes: false);
        _fold = new(topology, _runtime, _stores, log, observer);
        _fold.RebuildFromCheckpoint();
        _batch = new(options.BatchMax);
        _processed = new(options.LayoutHash);
        _checkpoints = new(_stores, observer, options.CheckpointInterval, time, _crashPoint);
        _queue = Channel.CreateBounded<InFlight>(new BoundedChannelOptions(options.QueueMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _worker = Task.Factory.StartNew(RunAsync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
    }

    /// <summary>Brings state up to the log's end, then opens intake.</summary>
    /// <param name="backend">Stays the caller's to dispose, after the driver.</param>
    /// <param name="recorded">Null where intake asks for recorded answers by itself.</param>
    /// <param name="crashPoint">Passed between steps; <see cref="CrashPoints.Hit"/> unless a test takes its place.</param>
    /// <exception cref="ReplayMismatchException">State and log disagree: intake stays closed.</exception>
    public static EmbeddedDriver Start(
        Topology topology, IStateBackend backend, IRecordLog log, IRecordedAnswers? recorded, IDriverObserver observer, EmbeddedDriverOptions options, TimeProvider time,
        Action<string>? crashPoint = null) => new(topology, backend, log, recorded, observer, options, time, crashPoint);

    /// <summary>Why intake is closed, or null while it is open.</summary>
    public Exception? StoppedBecause => _stoppedBecause;

    /// <summary>Records that wait.</summary>
    public int Queued => _queue.Reader.Count;

    /// <summary>Up to where state is on disk. For people who watch: it may be a moment old.</summary>
    public long CheckpointPosition => _stores.Position;

    /// <summary>The highest event time that was processed. For people who watch: it may be a moment old.</summary>
    public EventTime StreamTime => _runtime.StreamTime;

    /// <summary>Sends a record in; waits while the queue is full, and returns the log's answer once it is durable.</summary>
    /// <exception cref="DeadLetterException">The record was given up.</exception>
    /// <exception cref="DriverFaultException">Its effect is unknown: retry with the same id.</exception>
    /// <exception cref="OperationCanceledException">The waiting stopped, not the record.</exception>
    public Task<object?> SubmitAsync(InputRecord record, CancellationToken cancellationToken)
    {
        var item = new InFlight(record);
        if (!_queue.Writer.TryWrite(item)) return SubmitWhenThereIsRoomAsync(item, cancellationToken);
        _crashPoint("after_accept");
        return item.Task.WaitAsync(cancellationToken);
    }

    private async Task<object?> SubmitWhenThereIsRoomAsync(InFlight item, CancellationToken cancellationToken)
    {
        try
        {
            await _queue.Writer.WriteAsync(item, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException closed)
        {
            throw Closed(_stoppedBecause ?? closed);
        }

        _crashPoint("after_accept");
        return await item.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes no more, finishes what was accepted, writes a checkpoint.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _worker.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        try
        {
            while (await NextBatchAsync().ConfigureAwait(false))
            {
                await ProcessBatchAsync().ConfigureAwait(false);
                _checkpoints.BeginIfDue(_fold.Position, _runtime.StreamTime);
                await _checkpoints.FinishIfCrowdedAsync().ConfigureAwait(false);
            }

            await _checkpoints.FinishAsync().ConfigureAwait(false);
            _checkpoints.BeginIfDue(_fold.Position, _runtime.StreamTime, force: true);
            await _checkpoints.FinishAsync().ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            // A broken invariant: nothing more may be decided on this state. Callers hear it, readiness shows it.
            _stoppedBecause = fault;
            _queue.Writer.TryComplete(fault);
            _observer.Faulted("driver", fault);
            _batch.Fail(Closed(fault));
            _carried?.Fail(Closed(fault));
            while (_queue.Reader.TryRead(out var waiting)) waiting.Fail(Closed(fault));
        }
    }

    /// <summary>Waits for one record, then takes what is there.</summary>
    private async ValueTask<bool> NextBatchAsync()
    {
        _batch.Clear();
        if (_carried is { } carried)
        {
            _batch.TryAdd(carried);
            _carried = null;
        }

        while (true)
        {
            while (!_batch.IsFull && _queue.Reader.TryRead(out var item))
            {
                if (_batch.TryAdd(item)) continue;
                _carried = item;
                break;
            }

            if (_batch.Count > 0) return true;
            if (_checkpoints.InProgress)
            {
                await IdleOnCheckpointAsync().ConfigureAwait(false);
                continue;
            }

            using var idle = new CancellationTokenSource(_options.CheckpointInterval, _time);
            try
            {
                if (!await _queue.Reader.WaitToReadAsync(idle.Token).ConfigureAwait(false)) return false;
            }
            catch (OperationCanceledException)
            {
                _checkpoints.BeginIfDue(_fold.Position, _runtime.StreamTime);
            }
        }
    }

    /// <summary>Nothing waits: the checkpoint has this thread until something does.</summary>
    private async ValueTask IdleOnCheckpointAsync()
    {
        while (_checkpoints.InProgress && _queue.Reader.Count == 0)
        {
            if (_queue.Reader.Completion.IsCompleted)
            {
                await _checkpoints.FinishAsync().ConfigureAwait(false);
                return;
            }

            _checkpoints.Step();
            if (_checkpoints.Committing is { } commit) await Task.WhenAny(commit, _queue.Reader.WaitToReadAsync().AsTask()).ConfigureAwait(false);
        }
    }

    private async Task ProcessBatchAsync()
    {
        var started = _time.GetTimestamp();
        if (_recorded is { } recorded) _batch.AnswerRecorded(recorded);
        await ProcessAsync().ConfigureAwait(false);
        var records = _processed.Records.Count;
        _crashPoint("after_process");
        _observer.Stage("process", _time.GetElapsedTime(started), records);
        if (records == 0) return;

        started = _time.GetTimestamp();
        LogReceipt receipt;
        _crashPoint("before_commit");
        try
        {
            receipt = await _log.CommitAsync(_processed, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            _observer.Faulted("commit", fault);
            await RollBackAsync().ConfigureAwait(false);
            var unknown = new DriverFaultException("The commit failed; whether the record is in the log is unknown. Retry with the same id.", fault);
            _batch.Fail(unknown);
            return;
        }

        _crashPoint("after_commit");
        _observer.Stage("commit", _time.GetElapsedTime(started), records);
        started = _time.GetTimestamp();
        foreach (var followUp in receipt.FollowUps)
        {
            _fold.Fold(followUp);
            _checkpoints.Step();
        }

        _fold.Committed(receipt.LastPosition);
        _observer.Stage("fold", _time.GetElapsedTime(started), receipt.FollowUps.Count);
        _crashPoint("before_answer");
        _batch.Complete(receipt.Answers);
        _crashPoint("after_answer");
    }

    /// <summary>Takes the batch through the topology. A poison record leaves it, and what it did to state is undone by folding the log again.</summary>
    private async ValueTask ProcessAsync()
    {
        _processed.Clear();
        for (var i = 0; i < _batch.Items.Count;)
        {
            if (TryProcess(_batch.Items[i]) is not { } poison)
            {
                _checkpoints.Step();
                i++;
                continue;
            }

            _batch.GiveUp(i, poison);
            _observer.DeadLettered(poison);
            if (_runtime.TryUndo()) continue;
            await RollBackAsync().ConfigureAwait(false);
            _processed.Clear();
            i = 0;
        }

        foreach (var item in _batch.Deferred) _processed.Add(item.Input, 0, _processed.Outputs.Count);
        foreach (var (_, letter) in _batch.GivenUp) _processed.Add(letter.ToRecord(), 0, _processed.Outputs.Count);
    }

    /// <returns>Null, or why the record was given up.</returns>
    private DeadLetter? TryProcess(InFlight item)
    {
        var input = item.Input;
        var firstOutput = _processed.Outputs.Count;
        try
        {
            _runtime.Process(new(input.Topic, 0), input.Value.Span, input.At, _processed.Outputs);
            _stores.Settle();
            _processed.Add(input, _runtime.StateHash, firstOutput);
            return null;
        }
        catch (Exception fault) when (fault is not StateFaultException)
        {
            _processed.Outputs.RemoveRange(firstOutput, _processed.Outputs.Count - firstOutput);
            return new DeadLetter(input.Topic, input.Id, input.Value, input.At, fault.Message);
        }
    }

    /// <summary>Back to what the log says.</summary>
    private async ValueTask RollBackAsync()
    {
        await _checkpoints.AbandonAsync().ConfigureAwait(false);
        _fold.RebuildFromCheckpoint();
    }

    private static DriverFaultException Closed(Exception because) => new("Intake is closed: " + because.Message, because);
}
