namespace Promotions.Ledger.Sqlite;

/// <summary>Where and how the ledger keeps its file.</summary>
public sealed class SqliteLedgerOptions
{
    /// <summary>The database file; its folder is made when missing. Local disk only: SQLite's write-ahead log does not work over a network.</summary>
    public required string Path { get; init; }

    /// <summary>Connections for reads; readers never wait for the writer. Default 4.</summary>
    public int Readers { get; init; } = 4;

    /// <summary>Unit: commands in one transaction at most. Default 512: a transaction stays under about 50 ms on slow disks.</summary>
    public int CommandsPerCommitMax { get; init; } = 512;

    /// <summary>Requests that may wait for the writer; more wait at the door. Default 8,192.</summary>
    public int WaitingMax { get; init; } = 8_192;

    /// <summary>Bulk work between decisions. Default 2 ms.</summary>
    public TimeSpan BulkSlice { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>Unit: pages of 4 KiB. After so many more pages the write-ahead log is moved into the database, on a thread of its own; after four times as many it
    /// starts again from its beginning. Default 4,000: 16 MiB and 64 MiB.</summary>
    public int WalPages { get; init; } = 4_000;

    /// <summary>Unit: KiB of pages that the writer keeps in memory. Default 64 MiB.</summary>
    public int CacheKiB { get; init; } = 64 * 1024;

    /// <summary>How often the audit tree's root is signed while it grows. Default 10 s.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Names this ledger in its signed checkpoints: no white space, no plus sign.</summary>
    public string Origin { get; init; } = "promotions/ledger";

    /// <summary>The Ed25519 key that signs checkpoints, made when missing (mode 600). Default: beside the database.</summary>
    public string? CheckpointKeyPath { get; init; }

    /// <summary>Name of a SQLite VFS for tests of the disk; null for the system's.</summary>
    public string? Vfs { get; init; }
}
