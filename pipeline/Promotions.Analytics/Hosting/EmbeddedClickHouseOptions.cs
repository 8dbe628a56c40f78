namespace Promotions.Analytics.Hosting;

/// <summary>The embedded engine's process.</summary>
public sealed record EmbeddedClickHouseOptions
{
    /// <summary>Path of <c>libchdb.so</c>; <c>deploy/lib/fetch-chdb</c> prints it.</summary>
    public required string LibraryPath { get; init; }

    /// <summary>Folder of the tables; made when missing, one engine at a time.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The host's executable, <c>promotions-clickhouse</c> or <c>promotions-clickhouse.dll</c>. Null: beside this program.</summary>
    public string? ExecutablePath { get; init; }

    /// <summary>On 127.0.0.1. 0 (default): a free one, kept across restarts of the engine.</summary>
    public int Port { get; init; }

    /// <summary>Memory of one statement; statements run one at a time. Unit: bytes. Default 384 MiB.</summary>
    public long MemoryBytesMax { get; init; } = 384L << 20;

    /// <summary>Threads of one statement. Default 2.</summary>
    public int ThreadsMax { get; init; } = 2;

    /// <summary>How far the engine's process steps back for others, as in <c>nice</c>. Range: 0 to 19. Default 10: a tenth of a decision's weight when both want a core.</summary>
    public int Niceness { get; init; } = 10;

    /// <summary>Asked of every caller when set; null for none, on loopback only.</summary>
    public string? Password { get; init; }

    /// <summary>The longest pause before a restart; it starts at a 32nd of it. Default 16 s.</summary>
    public TimeSpan RestartMax { get; init; } = TimeSpan.FromSeconds(16);

    /// <summary>How long a stop waits for the running statement before the process is killed. Default 5 s.</summary>
    public TimeSpan StopMax { get; init; } = TimeSpan.FromSeconds(5);
}
