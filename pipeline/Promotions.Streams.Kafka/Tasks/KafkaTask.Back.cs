using Promotions.Streams.Kafka.Transport;
using Promotions.Streams.State;

namespace Promotions.Streams.Kafka.Tasks;

/// <summary>The ways back: a record that is given up, something outside that is away, and the last commit.</summary>
internal sealed partial class KafkaTask
{
    /// <returns>False where state was touched: the task goes back to its last commit and comes here again, without this record.</returns>
    private bool GiveUp(long position, string reason, Func<KafkaLetter> letter)
    {
        _transport!.TakeBack();
        _outputs.Clear();
        if (_givenUp.Add(position)) Letter(letter());
        if (_runtime!.TryUndo()) return true;
        _takesBack = true;
        _services.Observer.TookBack(Id, reason);
        return false;
    }

    /// <summary>What a record's processing asks elsewhere is away, which is neither the record's fault nor the task's: back to the last commit, and from there again in a moment.</summary>
    private bool TryAgain(Exception fault)
    {
        _batch.Clear();
        _transport!.TakeBack();
        _outputs.Clear();
        Send();     // what was made of the records before leaves now: it does not leave again
        _takesBack = true;
        _rests = _services.Time.GetTimestamp();
        _services.Observer.Retrying(Id, fault);
        return true;
    }

    private bool Rests()
    {
        if (_rests != 0 && _services.Time.GetElapsedTime(_rests) >= TryAgainAfter) _rests = 0;
        return _rests != 0;
    }

    private void Letter(KafkaLetter letter) => _services.Publisher.SendLetter(letter, _interval);

    /// <summary>Back to the last commit: the state is dropped, the input read again from there. What left already does not leave twice.</summary>
    private bool TakeBack()
    {
        if (Checkpoint is CheckpointStage.Carrying) return false;
        if (Checkpoint is CheckpointStage.Carried)
            while (!_stores!.ReleaseCheckpoint(int.MaxValue)) { }
        Checkpoint = CheckpointStage.None;
        _stores!.RollBack();
        _runtime!.ForgetAll();
        var bytes = new byte[IStateBackend.ValueBytesMax * 2];
        var length = Local.ReadStanding(bytes);
        StandAt(length < 0 ? null : LocalStanding.FromBytes(bytes.AsSpan(0, length))?.Standing);
        (_takesBack, _changed) = (false, false);
        Stage = TaskStage.Seeking;
        _services.Seek(this);
        return true;
    }

    private void StandAt(Standing? standing)
    {
        _applied.Clear();
        foreach (var (upstream, position) in standing?.Applied ?? new Dictionary<uint, long>()) _applied.Add(upstream, position);
        _runtime!.RestoreTime(standing?.StreamTime ?? default);
        Next = standing?.Next ?? -1;
    }
}
