using System.Threading.Channels;
using Promotions.Domain;
using Promotions.Streams.State;

namespace Promotions.Streams.Embedded;

/// <summary>A topology in one process: hops are function calls, and a durable log of what came in is the truth that state is a fold of.</summary>
/// <remarks>
/// One logical thread owns all state. A batch: process over state in memory → commit at position L → fold the follow-ups → answer; every few seconds what changed is
/// written with its position S. The checkpoint comes after its commit, so S ≤ L always. A failed commit forgets everything since the checkpoint and folds (S, L] again, as a
/// restart does. A broken invariant (replay mismatch, failing disk) closes intake and says why.
/// </remarks>
public sealed class EmbeddedDriver : IAsyncDisposable
{
    private readonly IRecordLog _log;
    private readonly IRecordedAnswers _recorded;
    private readonly IDriverObserver _observer;
    private readonly EmbeddedDriverOptions _options;
    private readonly TimeProvider _time;
    private readonly Action<string> _crashPoint;
    private readonly StateStores _stores;
    private readonly TopologyRuntime _runtime;
    private readonly LogFold _fold;
    private readonly Channel<InFlight> _queue;
    private readonly Batch _batch;
    private readonly List<ProcessedRecord> _processed;
    private readonly Task _worker;
    private InFlight? _carried;
    private long _checkpointedAt;
    private volatile Exception? _stoppedBecause;

    private EmbeddedDriver(
        Topology topology, IStateBackend backend, IRecordLog log, IRecordedAnswers recorded, IDriverObserver observer, EmbeddedDriverOptions options, TimeProvider time, Action<string>? crashPoint)
    {
        (_log, _recorded, _observer, _options, _time) = (log, recorded, observer, options.Checked(), time);
        _crashPoint = crashPoint ?? CrashPoints.Hit;
        _stores = new(backend, options.LayoutHash, _crashPoint);
        _runtime = new(topology, _stores, hopsAreBytes: false);
        _fold = new(topology, _runtime, _stores, log, observer);
        _fold.RebuildFromCheckpoint();
        _batch = new(options.BatchMax);
        _processed = new(options.BatchMax);
        _queue = Channel.CreateBounded<InFlight>(new BoundedChannelOptions(options.QueueMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _checkpointedAt = time.GetTimestamp();
        _worker = Task.Factory.StartNew(RunAsync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
    }

    /// <summary>Brings state up to the log's end, then opens intake.</summary>
    /// <param name="backend">Stays the caller's to dispose, after the driver.</param>
    /// <param name="crashPoint">Passed between steps; <see cref="CrashPoints.Hit"/> unless a test takes its place.</param>
    /// <exception cref="ReplayMismatchException">State and log disagree: intake stays closed.</exception>
    public static EmbeddedDriver Start(
        Topology topology, IStateBackend backend, IRecordLog log, IRecordedAnswers recorded, IDriverObserver observer, EmbeddedDriverOptions options, TimeProvider time,
        Action<string>? crashPoint = null) => new(topology, backend, log, recorded, observer, options, time, crashPoint);

    /// <summary>Why intake is closed, or null while it is open.</summary>
    public Exception? StoppedBecause => _stoppedBecause;

    /// <summary>Records that wait.</summary>
    public int Queued => _queue.Reader.Count;

    /// <summary>Sends a record in; waits while the queue is full, and returns the log's answer once it is durable.</summary>
    /// <exception cref="DeadLetterException">The record was given up.</exception>
    /// <exception cref="DriverFaultException">Its effect is unknown: retry with the same id.</exception>
    /// <exception cref="OperationCanceledException">The waiting stopped, not the record.</exception>
    public async Task<object?> SubmitAsync(InputRecord record, CancellationToken cancellationToken)
    {
        var item = new InFlight(record);
        try
        {
            await _queue.Writer.WriteAsync(item, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException closed)
        {
            throw Closed(_stoppedBecause ?? closed);
        }

        _crashPoint("after_accept");
        return await item.Answer.WaitAsync(cancellationToken).ConfigureAwait(false);
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
                CheckpointIfDue(force: false);
            }

            CheckpointIfDue(force: true);
        }
        catch (Exception fault)
        {
            // A broken invariant: nothing more may be decided on this state. Callers hear it, readiness shows it.
            _stoppedBecause = fault;
            _queue.Writer.TryComplete(fault);
            _observer.Faulted("driver", fault);
            foreach (var item in _batch.Items) item.Fail(Closed(fault));
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

            if (_batch.Items.Count > 0) return true;
            using var idle = new CancellationTokenSource(_options.CheckpointInterval, _time);
            try
            {
                if (!await _queue.Reader.WaitToReadAsync(idle.Token).ConfigureAwait(false)) return false;
            }
            catch (OperationCanceledException)
            {
                CheckpointIfDue(force: false);
            }
        }
    }

    private async Task ProcessBatchAsync()
    {
        var started = _time.GetTimestamp();
        AnswerRecorded();
        Process();
        _crashPoint("after_process");
        _observer.Stage("process", _time.GetElapsedTime(started), _processed.Count);
        if (_processed.Count == 0) return;

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
            _fold.RebuildFromCheckpoint();
            var unknown = new DriverFaultException("The commit failed; whether the record is in the log is unknown. Retry with the same id.", fault);
            foreach (var item in _batch.Items) item.Fail(unknown);
            return;
        }

        _crashPoint("after_commit");
        _observer.Stage("commit", _time.GetElapsedTime(started), _processed.Count);
        started = _time.GetTimestamp();
        foreach (var followUp in receipt.FollowUps) _fold.Fold(followUp);
        _fold.Committed(receipt.LastPosition);
        _observer.Stage("fold", _time.GetElapsedTime(started), receipt.FollowUps.Count);
        _crashPoint("before_answer");
        for (var i = 0; i < _batch.Items.Count; i++) _batch.Items[i].Complete(receipt.Answers[i]);
        _crashPoint("after_answer");
    }

    private void AnswerRecorded() => _batch.Items.RemoveAll(item =>
    {
        if (!_recorded.TryFind(item.Input, out var answer)) return false;
        item.Complete(answer);
        return true;
    });

    /// <summary>Takes the batch through the topology. A poison record leaves it, and what it did to state is undone by folding the log again.</summary>
    private void Process()
    {
        _processed.Clear();
        for (var i = 0; i < _batch.Items.Count;)
        {
            var item = _batch.Items[i];
            var input = item.Input;
            var outputs = new List<SinkOutput>(1);
            try
            {
                _runtime.Process(new(input.Topic, 0), input.Value.Span, input.At, outputs);
                _stores.Settle();
                _processed.Add(new(input, _runtime.StateHash, _options.LayoutHash, outputs));
                i++;
            }
            catch (Exception fault) when (fault is not StateFaultException)
            {
                _batch.Items.RemoveAt(i);
                var letter = new DeadLetter(input.Topic, input.Id, input.Value, input.At, fault.Message);
                _observer.DeadLettered(letter);
                item.Fail(new DeadLetterException(letter));
                if (_runtime.TryUndo()) continue;
                _fold.RebuildFromCheckpoint();
                _processed.Clear();
                i = 0;
            }
        }
    }

    private void CheckpointIfDue(bool force)
    {
        if (!force && !_stores.WantsCheckpoint && _time.GetElapsedTime(_checkpointedAt) < _options.CheckpointInterval) return;
        _checkpointedAt = _time.GetTimestamp();
        if (_stores.Position == _fold.Position) return;
        _crashPoint("before_checkpoint");
        _stores.Checkpoint(_fold.Position, _runtime.StreamTime);
        _crashPoint("after_checkpoint");
        _observer.Stage("checkpoint", _time.GetElapsedTime(_checkpointedAt), 0);
    }

    private static DriverFaultException Closed(Exception because) => new("Intake is closed: " + because.Message, because);
}
