namespace Promotions.Ledger;

/// <summary>Told by the ledger's writer. Cheap and safe from any thread.</summary>
public interface ILedgerObserver
{
    /// <param name="took">From the first statement to the server's confirmation, tries again included.</param>
    /// <param name="commands">In the transaction.</param>
    void Committed(TimeSpan took, int commands);

    /// <param name="reason">One of <see cref="RetryReasons"/>.</param>
    void Retried(string reason);
}

/// <summary>Why a transaction began again: a small, fixed set.</summary>
public static class RetryReasons
{
    public const string NotPlanned = "not_planned";            // it touched a row that another process made meanwhile, or a follow-up's
    public const string UniqueKey = "unique_key";              // another process made the same new row first
    public const string LockTimeout = "lock_timeout";
    public const string Deadlock = "deadlock";
    public const string Serialization = "serialization";
    public const string Connection = "connection";
    public const string UnknownOutcome = "unknown_outcome";    // the commit's answer was lost; it had not been booked
    public const string Other = "other";
}

/// <summary>How far the places of entries are behind their commits, over all processes.</summary>
/// <param name="Unsequenced">Entries that are booked and have no place in log, tree and outbox.</param>
/// <param name="Oldest">Age of the oldest of them by the database's clock; zero when there is none.</param>
/// <param name="Fault">Why this process's sequencer gives none at the moment; null while it works.</param>
public sealed record LedgerLag(long Unsequenced, TimeSpan Oldest, string? Fault);
