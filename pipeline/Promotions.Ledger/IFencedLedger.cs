namespace Promotions.Ledger;

/// <summary>The right to write for a task, until another takes it.</summary>
/// <param name="Task">A sub-topology's partition, as text.</param>
/// <param name="Epoch">From 1; each acquisition of the task, by whomever, is one more.</param>
public readonly record struct TaskEpoch(string Task, long Epoch);

/// <summary>A ledger that several processes write to, each for the tasks it owns at the moment.</summary>
public interface IFencedLedger : ILedger
{
    /// <summary>Takes the task from whoever has it. Once this returns, whatever an earlier owner committed can be read, and nothing more of it will be.</summary>
    /// <exception cref="LedgerFaultException">The database cannot be reached, or the earlier owner's last transaction does not end in time. The epoch may be used up.</exception>
    Task<TaskEpoch> AcquireAsync(string task, CancellationToken cancellationToken);

    /// <summary>Reads the campaigns that other processes have written, now rather than a moment later: <see cref="ILedger.Campaigns"/> then holds all that was committed before the call.</summary>
    /// <exception cref="LedgerFaultException">The database cannot be reached.</exception>
    Task RefreshCampaignsAsync(CancellationToken cancellationToken);

    /// <summary>As <see cref="ILedger.CommitAsync"/>, for the owner of a task.</summary>
    /// <exception cref="TaskTakenException">Another has acquired the task since: nothing of the batch was booked by this call.</exception>
    /// <exception cref="LedgerFaultException">Nothing of the batch was committed, or it is unknown whether: look up by id.</exception>
    Task<CommitReceipt> CommitAsync(
        TaskEpoch owner, IReadOnlyList<LogAppend> batch, Func<IReadOnlyList<LedgerOutcome?>, IReadOnlyList<LogAppend>> followUps, CancellationToken cancellationToken);
}

/// <summary>The caller no longer owns what it writes for. Its next write will be refused as well: it gives the task up.</summary>
public sealed class TaskTakenException : Exception
{
    public TaskTakenException() { }
    public TaskTakenException(string message) : base(message) { }
    public TaskTakenException(string message, Exception innerException) : base(message, innerException) { }

    public TaskTakenException(TaskEpoch owner) : this($"{owner.Task} was acquired by another since epoch {owner.Epoch}.") => Owner = owner;

    public TaskEpoch Owner { get; }
}
