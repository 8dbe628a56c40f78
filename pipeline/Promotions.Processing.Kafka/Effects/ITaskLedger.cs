using Promotions.Ledger;
using Promotions.Streams.Kafka;

namespace Promotions.Processing.Kafka.Effects;

/// <summary>The ledger as a task commits to it: whoever owned the task before is refused.</summary>
public interface ITaskLedger
{
    /// <summary>Raises the task's epoch.</summary>
    /// <param name="task">Sub-topology and partition, as text.</param>
    /// <returns>Greater than every earlier owner's.</returns>
    /// <exception cref="LedgerFaultException">It is unknown whether the epoch was raised; asking again raises it again.</exception>
    Task<long> AcquireAsync(string task, CancellationToken cancellationToken);

    /// <summary>Books the commands in order, in one durable transaction that others may share.</summary>
    /// <returns>One outcome for each command.</returns>
    /// <exception cref="EpochPassedException">The task has another owner now: nothing was booked.</exception>
    /// <exception cref="LedgerFaultException">Nothing was booked, or it is unknown whether.</exception>
    Task<IReadOnlyList<LedgerOutcome>> CommitAsync(string task, long epoch, IReadOnlyList<LedgerCommand> commands, CancellationToken cancellationToken);
}

/// <summary>Epochs for a ledger that one process alone uses (SQLite, tests): an owner is refused when another has acquired the task in this process.</summary>
public sealed class LocalTaskLedger(ILedger ledger) : ITaskLedger
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _epochs = new(StringComparer.Ordinal);

    public Task<long> AcquireAsync(string task, CancellationToken cancellationToken)
    {
        lock (_gate) return Task.FromResult(_epochs[task] = _epochs.GetValueOrDefault(task) + 1);
    }

    public async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(string task, long epoch, IReadOnlyList<LedgerCommand> commands, CancellationToken cancellationToken)
    {
        lock (_gate)
            if (_epochs.GetValueOrDefault(task) != epoch) throw new EpochPassedException($"Task {task} has epoch {_epochs.GetValueOrDefault(task)}, not {epoch}.");
        var appends = new LogAppend[commands.Count];
        for (var i = 0; i < appends.Length; i++) appends[i] = new("commands", commands[i].Id, default, commands[i].At, 0, commands[i]);
        var receipt = await ledger.CommitAsync(appends, static _ => [], cancellationToken).ConfigureAwait(false);
        return [.. receipt.Outcomes.Select(static outcome => outcome!)];
    }
}
