using System.Security.Cryptography;
using Promotions.Ledger.Booking;

namespace Promotions.Ledger.Writing;

/// <summary>A record with all bytes that the caller's thread can make.</summary>
internal sealed record PreparedAppend(LogAppend Record, PreparedCommand? Command, byte[] ValueHash)
{
    public static PreparedAppend From(LogAppend record) =>
        new(record, record.Command is null ? null : PreparedCommand.From(record.Command), SHA256.HashData(record.Value.Span));
}

/// <summary>Something for the writer. Worked on inside a transaction, answered after its commit.</summary>
internal abstract class Request
{
    /// <summary>Whose right to write is checked in the transaction; null: anyone's.</summary>
    public TaskEpoch? Owner { get; init; }

    /// <summary>The owner's right has passed: its answer, after the transaction that saw it.</summary>
    public TaskTakenException? Taken { get; set; }

    /// <summary>Commands in it, for the bound on a transaction.</summary>
    public abstract int Weight { get; }

    /// <summary>Everything is done once the current transaction commits.</summary>
    public abstract bool IsFinished { get; }

    /// <summary>The transaction was taken back by another's fault, or has to be tried again: begin again where the last commit left it.</summary>
    public abstract void Rewind();

    public abstract void Committed();
    public abstract void Failed(Exception fault);
}

internal sealed class CommitRequest(PreparedAppend[] batch, Func<IReadOnlyList<LedgerOutcome?>, IReadOnlyList<LogAppend>> followUps) : Request
{
    private readonly TaskCompletionSource<CommitReceipt> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PreparedAppend[] Batch => batch;
    public Func<IReadOnlyList<LedgerOutcome?>, IReadOnlyList<LogAppend>> FollowUps => followUps;
    public CommitReceipt? Receipt { get; set; }
    public Task<CommitReceipt> Completion => _done.Task;
    public override int Weight => Math.Max(1, batch.Length);
    public override bool IsFinished => Receipt is not null;
    public override void Rewind() => (Receipt, Taken) = (null, null);

    public override void Committed()
    {
        if (Taken is { } taken) _done.SetException(taken);
        else _done.SetResult(Receipt!);
    }

    public override void Failed(Exception fault) => _done.TrySetException(fault);
}

internal sealed class ExecuteRequest(PreparedCommand[] commands, IProgress<int>? progress) : Request
{
    private readonly TaskCompletionSource<LedgerOutcome[]> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LedgerOutcome[] _outcomes = new LedgerOutcome[commands.Length];
    private int _next;
    private int _committed;

    public Task<LedgerOutcome[]> Completion => _done.Task;
    public override int Weight => commands.Length;
    public override bool IsFinished => _next == commands.Length;
    public PreparedCommand Next => commands[_next];

    /// <summary>What no transaction has made durable yet, in order: what the next one may evaluate.</summary>
    public ArraySegment<PreparedCommand> Left => new(commands, _committed, commands.Length - _committed);

    public void Answer(LedgerOutcome outcome) => _outcomes[_next++] = outcome;

    public override void Rewind() => _next = _committed;

    public override void Committed()
    {
        _committed = _next;
        progress?.Report(_next);
        if (IsFinished) _done.SetResult(_outcomes);
    }

    /// <summary>What earlier transactions made durable stays; the ids tell when the caller sends all again.</summary>
    public override void Failed(Exception fault) => _done.TrySetException(fault);
}

internal sealed class SettingRequest(string scope, string name, string? value, Actor actor) : Request
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _worked;

    public string Scope => scope;
    public string Name => name;
    public string? Value => value;
    public Actor Actor => actor;
    public Task Completion => _done.Task;
    public override int Weight => 1;
    public override bool IsFinished => _worked;
    public void Worked() => _worked = true;
    public override void Rewind() => (_worked, Taken) = (false, null);

    public override void Committed()
    {
        if (Taken is { } taken) _done.SetException(taken);
        else _done.SetResult();
    }

    public override void Failed(Exception fault) => _done.TrySetException(fault);
}
