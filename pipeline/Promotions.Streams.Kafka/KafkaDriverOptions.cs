using Promotions.Streams.RocksDb;

namespace Promotions.Streams.Kafka;

/// <summary>Settings of the Kafka driver.</summary>
public sealed record KafkaDriverOptions
{
    /// <summary>Addresses of brokers, <c>host:port</c> with commas between them.</summary>
    public required string Bootstrap { get; init; }

    /// <summary>This process among those of the group: of the letters that a topic name may have. Two living processes never share one: the later one's transactions would end the earlier one's.</summary>
    public required string MemberId { get; init; }

    /// <summary>Where the copy of the state is: of this process alone, kept across restarts. Its loss costs a restore and nothing else.</summary>
    public required string StateFolder { get; init; }

    /// <summary>Of everything that gives stored state its meaning; not 0. State of another layout is refused with a sentence.</summary>
    public required ulong LayoutHash { get; init; }

    /// <summary>The consumer group, and the start of internal topics' names. Default <c>promotions</c>.</summary>
    public string Group { get; init; } = "promotions";

    /// <summary>Before every topic, group and transactional id, so that installations can share a cluster. Default empty.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Threads that run tasks. Range: 1 to 64. Default 2.</summary>
    public int Threads { get; init; } = 2;

    /// <summary>Between two commits: what a crash makes again, and how long a changelog's record is young. Range: 10 ms to 60 s. Default 100 ms.</summary>
    public TimeSpan CommitEvery { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a process may be silent before its partitions go to others. Range: 1 s to 5 min, and what the brokers allow (6 s to 30 min by their default). Default 6 s.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>Between two signs of life. Range: 50 ms to a third of <see cref="SessionTimeout"/>. Default 500 ms.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A name that outlives the process: a restart within <see cref="SessionTimeout"/> gets its partitions back and nobody rebalances; a stop leaves them unserved until then. Null (default): partitions move at once.</summary>
    public string? InstanceId { get; init; }

    /// <summary>Topics that are missing are made at start. False: the plan is in the exception, for an operator. Default true.</summary>
    public bool CreateTopics { get; init; } = true;

    /// <summary>Partitions of topics that are made, and so how many tasks a sub-topology has. A repartition topic that exists keeps its own. Range: 1 to 1,000. Default 4.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>Copies of topics that are made. −1 (default): the brokers' own default.</summary>
    public short Replication { get; init; } = -1;

    /// <summary>Where a source or sink topic's partitions differ from <see cref="Partitions"/> when it is made, by the topic's name in the topology.</summary>
    public IReadOnlyDictionary<string, int> PartitionsOf { get; init; } = new Dictionary<string, int>();

    /// <summary>Records of one task that wait in memory; beyond it its partition is not read. Range: 16 to 1,000,000. Default 4,096.</summary>
    public int InboxRecords { get; init; } = 4_096;

    /// <summary>The same in bytes. Range: 64 KiB to 1 GiB. Default 8 MiB.</summary>
    public long InboxBytes { get; init; } = 8L << 20;

    /// <summary>Records of one poll batch that share a frame are sent when it has reached this size. Unit: bytes. Range: 1 KiB to 512 KiB. Default 64 KiB.</summary>
    public int FrameBytes { get; init; } = 64 << 10;

    /// <summary>How long producers wait for more to send with a record. 0 sends at once; batches then form while earlier ones are under way. Unit: ms. Range: 0 to 1,000. Default 1.</summary>
    public double LingerMs { get; init; } = 1;

    /// <summary>How long brokers wait for more (64 KiB) before they answer a fetch. 0 (default) answers as soon as there is a record: least latency, and under load a request for each few records. More costs as much on each hop and
    /// bounds the requests to 1,000/n a second and broker, which are also sent when nothing comes. Unit: ms. Range: 0 to 100.</summary>
    public int FetchWaitMs { get; init; }

    /// <summary>Sinks' records that wait for <see cref="IEffects.ApplyAsync"/>, by task; beyond it the task waits. Range: 1 to 1,000,000. Default 4,096.</summary>
    public int EffectsQueue { get; init; } = 4_096;

    /// <summary>Restoring reads no more than this, so that tasks which run keep the network and the disk. Unit: bytes a second; 0 (default) for no limit.</summary>
    public long RestoreBytesPerSecond { get; init; }

    /// <summary>Other processes that keep a copy of each task's state up to date. Range: 0 to 5. Default 0.</summary>
    public int Standbys { get; init; }

    /// <summary>Memory and durability of the state on disk.</summary>
    public RocksDbSettings State { get; init; } = RocksDbSettings.Default;

    /// <summary>Settings of the Kafka client that say who one is: <c>security.*</c>, <c>sasl.*</c>, <c>ssl.*</c>, passed on as they are. No others.</summary>
    public IReadOnlyDictionary<string, string> Client { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether what a processor or the intake threw says that something outside was away: the task then goes back to its last commit and tries the same record again, until it comes through.
    /// Default: nothing does, and such a record is a dead letter.</summary>
    public Func<Exception, bool> IsPassing { get; init; } = static _ => false;

    /// <exception cref="ArgumentException">A value is out of its range; the message says which.</exception>
    public KafkaDriverOptions Checked()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(Bootstrap);
        ArgumentException.ThrowIfNullOrWhiteSpace(StateFolder);
        Name(MemberId, nameof(MemberId));
        Name(Group, nameof(Group));
        if (Prefix.Length > 0) Name(Prefix, nameof(Prefix));
        ArgumentOutOfRangeException.ThrowIfZero(LayoutHash);
        Within(Threads, 1, 64, nameof(Threads));
        Within(CommitEvery.TotalMilliseconds, 10, 60_000, nameof(CommitEvery));
        Within(SessionTimeout.TotalMilliseconds, 1_000, 300_000, nameof(SessionTimeout));
        Within(Heartbeat.TotalMilliseconds, 50, SessionTimeout.TotalMilliseconds / 3, nameof(Heartbeat));
        Within(Partitions, 1, 1_000, nameof(Partitions));
        Within(InboxRecords, 16, 1_000_000, nameof(InboxRecords));
        Within(InboxBytes, 64 << 10, 1L << 30, nameof(InboxBytes));
        Within(FrameBytes, 1 << 10, 512 << 10, nameof(FrameBytes));
        Within(LingerMs, 0, 1_000, nameof(LingerMs));
        Within(FetchWaitMs, 0, 100, nameof(FetchWaitMs));
        Within(EffectsQueue, 1, 1_000_000, nameof(EffectsQueue));
        Within(Standbys, 0, 5, nameof(Standbys));
        ArgumentOutOfRangeException.ThrowIfNegative(RestoreBytesPerSecond);
        foreach (var setting in Client.Keys)
            if (!setting.StartsWith("security.", StringComparison.Ordinal) && !setting.StartsWith("sasl.", StringComparison.Ordinal) && !setting.StartsWith("ssl.", StringComparison.Ordinal))
                throw new ArgumentException($"'{setting}' is no client setting that is passed on: they start with security., sasl. or ssl.", nameof(Client));
        State.Checked();
        return this;
    }

    private static void Name(string value, string name)
    {
        if (value is not { Length: > 0 and <= 100 } || value.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-')))
            throw new ArgumentException($"{name} is '{value}': 1 to 100 of A-Z a-z 0-9 . _ -", name);
    }

    private static void Within(double value, double min, double max, string name)
    {
        if (!(value >= min && value <= max)) throw new ArgumentOutOfRangeException(name, value, $"Must be from {min} to {max}.");
    }
}
