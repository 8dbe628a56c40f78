namespace Promotions.Streams.Kafka.Tasks;

/// <summary>The task's side of a commit.</summary>
internal sealed partial class KafkaTask
{
    /// <summary>Asks for a checkpoint, if there is anything to commit and none is under way.</summary>
    /// <returns>Whether one is under way now.</returns>
    public bool RequestCheckpoint()
    {
        lock (Gate)
        {
            if (Stage is not TaskStage.Running || IsFenced || _takesBack) return false;
            if (Checkpoint is CheckpointStage.None && _changed) Checkpoint = CheckpointStage.Requested;
            if (Checkpoint is CheckpointStage.None) return false;
        }

        Wake();
        return true;
    }

    /// <summary>Everything up to the checkpoint's position has arrived, and its state is written down.</summary>
    public bool IsReady
    {
        get
        {
            lock (Gate)
            {
                if (Stage is not TaskStage.Running || IsFenced || _takesBack || Checkpoint is not CheckpointStage.Written) return false;
                for (var i = 0; i < _checkpointIntervals; i++)
                    if (!_unsettled[i].IsSettled) return false;
                return true;
            }
        }
    }

    /// <summary>Takes the checkpoint into a transaction.</summary>
    public (Standing Standing, ChangelogBackend.Batch Batch)? TryCarry()
    {
        lock (Gate)
        {
            if (!IsReady) return null;
            Checkpoint = CheckpointStage.Carrying;
            return (_checkpoint!, _backend!.Current!);
        }
    }

    /// <summary>The transaction is committed: the local copy takes the same.</summary>
    public void Carried()
    {
        _stores!.CommitCheckpoint();
        lock (Gate)
        {
            Committed = _checkpoint!.Next;
            _unsettled.RemoveRange(0, _checkpointIntervals);
            Checkpoint = CheckpointStage.Carried;
        }

        Wake();
    }

    /// <summary>The transaction was not committed: the checkpoint can be carried again, as it is.</summary>
    public void NotCarried()
    {
        lock (Gate)
        {
            if (Checkpoint is CheckpointStage.Carrying) Checkpoint = CheckpointStage.Written;
        }
    }

    /// <summary>Everything that it did is committed.</summary>
    public bool IsClean
    {
        get
        {
            lock (Gate) return Stage is not TaskStage.Running || (!_changed && Checkpoint is CheckpointStage.None or CheckpointStage.Carried);
        }
    }

    private bool AdvanceCheckpoint(int max)
    {
        switch (Checkpoint)
        {
            case CheckpointStage.Requested:
                _stores!.BeginCheckpoint(Math.Max(Next, 0), StreamTime);
                _checkpoint = new(Next, StreamTime, _stores.LayoutHash, _services.Names.TransactionalId(_services.Options.MemberId), new Dictionary<uint, long>(_applied));
                _interval.Close();
                _unsettled.Add(_interval);
                _checkpointIntervals = _unsettled.Count;
                _interval = NewInterval();
                _changed = false;
                Checkpoint = CheckpointStage.Writing;
                return true;
            case CheckpointStage.Writing:
                if (_stores!.WriteCheckpoint(max)) Checkpoint = CheckpointStage.Written;
                return true;
            case CheckpointStage.Carried:
                if (_stores!.ReleaseCheckpoint(max)) Checkpoint = CheckpointStage.None;
                return true;
            default:
                return false;
        }
    }
}
