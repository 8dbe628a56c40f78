using Promotions.Domain;
using Promotions.Streams.State;

namespace Promotions.Streams.Embedded;

/// <summary>Writes checkpoints beside the records: a few states after each, the disk on another thread.</summary>
/// <remarks>A step costs a record some ten microseconds, whatever has changed. Without it, 60,000 changed states stop all answers for a tenth of a second.</remarks>
internal sealed class CheckpointWriter(StateStores stores, IDriverObserver observer, TimeSpan interval, TimeProvider time, Action<string> crashPoint)
{
    private const int StatesPerStep = 8;

    private Phase _phase = Phase.None;
    private Task? _commit;
    private long _began;
    private long _last = time.GetTimestamp();

    private enum Phase { None, Writing, Committing, Releasing }

    public bool InProgress => _phase is not Phase.None;

    /// <summary>The write to the disk while it lasts, else null.</summary>
    public Task? Committing => _phase is Phase.Committing && !_commit!.IsCompleted ? _commit : null;

    /// <summary>Between batches: begins one if it is time and anything was committed since the last.</summary>
    /// <param name="position">Where the stores stand, committed.</param>
    public void BeginIfDue(long position, EventTime streamTime, bool force = false)
    {
        if (InProgress) return;
        if (!force && !stores.WantsCheckpoint && time.GetElapsedTime(_last) < interval) return;
        _last = time.GetTimestamp();
        if (stores.Position == position) return;
        crashPoint("before_checkpoint");
        _began = _last;
        stores.BeginCheckpoint(position, streamTime);
        _phase = Phase.Writing;
    }

    /// <summary>Between two records: goes on a little.</summary>
    /// <exception cref="Exception">The disk failed: nothing more may be decided on this state.</exception>
    public void Step(int states = StatesPerStep)
    {
        switch (_phase)
        {
            case Phase.Writing:
                if (!stores.WriteCheckpoint(states)) return;
                _commit = Task.Run(stores.CommitCheckpoint);
                _phase = Phase.Committing;
                break;
            case Phase.Committing when _commit!.IsCompleted:
                _commit.GetAwaiter().GetResult();
                _phase = Phase.Releasing;
                break;
            case Phase.Releasing:
                if (!stores.ReleaseCheckpoint(states)) return;
                _phase = Phase.None;
                crashPoint("after_checkpoint");
                observer.Stage("checkpoint", time.GetElapsedTime(_began), 0);
                break;
        }
    }

    /// <summary>Where so much has changed that memory would not hold more: waits for the end.</summary>
    public ValueTask FinishIfCrowdedAsync() => InProgress && stores.IsCrowded ? FinishAsync() : ValueTask.CompletedTask;

    /// <summary>Ends the checkpoint in progress, if there is one.</summary>
    public async ValueTask FinishAsync()
    {
        while (InProgress)
        {
            if (_phase is Phase.Committing) await _commit!.ConfigureAwait(false);
            Step(int.MaxValue);
        }
    }

    /// <summary>Before a roll-back: what is on its way to the disk gets there or fails, the rest is forgotten.</summary>
    public async ValueTask AbandonAsync()
    {
        if (_phase is Phase.Committing) await _commit!.ConfigureAwait(false);
        _phase = Phase.None;
    }
}
