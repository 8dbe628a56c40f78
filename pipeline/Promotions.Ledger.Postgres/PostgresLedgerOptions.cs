namespace Promotions.Ledger.Postgres;

/// <summary>Which database, and how long to wait for it.</summary>
public sealed class PostgresLedgerOptions
{
    /// <summary>Npgsql's connection string, database named. The database's owner or a role that may create tables, at the first opening.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>Unit: commands in one transaction at most. Default 512.</summary>
    public int CommandsPerCommitMax { get; init; } = 512;

    /// <summary>Unit: bulk commands that join one transaction behind the decisions. Default 100.</summary>
    public int BulkPerCommitMax { get; init; } = 100;

    /// <summary>Requests that may wait for the writer; more wait at the door. Default 8,192.</summary>
    public int WaitingMax { get; init; } = 8_192;

    /// <summary>How long a transaction waits for a row that another process holds, before it begins again. Default 5 s.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The server ends a transaction of a process that fell silent in the middle of it (stopped, cut off), so that its locks are free. Default 3 s.</summary>
    public TimeSpan IdleInTransactionTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Longest single statement of the writer. Default 15 s.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often the writer tries a transaction before its callers are told of a fault: lost connections, a server that starts again, rows that others hold. Default 8.</summary>
    public int AttemptsMax { get; init; } = 8;

    /// <summary>How often the sequencer looks for entries of other processes. Its own wake it at once. Default 200 ms.</summary>
    public TimeSpan SequenceEvery { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How often the audit tree's root is signed while it grows. Default 10 s.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Term of a lease (<see cref="PostgresLedger.LeaseAsync"/>): a holder that stops is followed by another after at most so long. Default 5 s.</summary>
    public TimeSpan LeaseTerm { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Told of commits and of transactions that begin again; null: nobody.</summary>
    public ILedgerObserver? Observer { get; init; }

    /// <summary>Names this ledger in its signed checkpoints: no white space, no plus sign.</summary>
    public string Origin { get; init; } = "promotions/ledger";

    /// <summary>The Ed25519 key that signs checkpoints: 32 raw bytes, the same file for every process. Null: this process sequences and does not sign.</summary>
    public string? CheckpointKeyPath { get; init; }
}
