using Confluent.Kafka;

namespace Promotions.Streams.Kafka.Transport;

/// <summary>How this process's clients are set up: in one place, so that what correctness rests on can be read in one.</summary>
internal sealed class Clients(KafkaDriverOptions options, TopicNames names, Action<string> log)
{
    private const int QueueKilobytes = 64 << 10;
    private const int MessageBytesMax = 1_000_000;

    /// <summary>A fetch with so much in it is answered at once.</summary>
    private const int FullFetchBytes = 64 << 10;

    public KafkaDriverOptions Options => options;
    public TopicNames Names => names;

    /// <summary>Frames. An error that leaves a gap in what one partition got is fatal: a receiver takes positions to be without gaps.</summary>
    public IProducer<byte[], byte[]> HopProducer()
    {
        var settings = Idempotent("hops");
        settings.EnableGaplessGuarantee = true;
        return Build(settings);
    }

    /// <summary>Sinks' records, answers, dead letters: each stands for itself.</summary>
    public IProducer<byte[], byte[]> OutputProducer()
    {
        var settings = Idempotent("outputs");
        settings.TopicMetadataPropagationMaxMs = 5_000;     // how long a topic may be unknown after its making: so long a record for one that is not there holds up its task's commit
        return Build(settings);
    }

    /// <summary>Changelogs and offsets.</summary>
    public IProducer<byte[], byte[]> TransactionalProducer(string member)
    {
        var settings = Idempotent("commits");
        settings.TransactionalId = names.TransactionalId(member);
        settings.TransactionTimeoutMs = 10_000;       // what a restore waits for, at worst, behind a writer that died within a transaction and that nobody ended
        settings.MessageTimeoutMs = 10_000;
        settings.LingerMs = 50;       // nobody waits for these but the commit, whose flush does not linger; a request for each few records would cost the broker more than all hops do
        settings.BatchSize = 512 << 10;
        return Build(settings);
    }

    public IConsumer<byte[], byte[]> GroupConsumer(
        Action<IReadOnlyList<TopicPartition>> assigned, Action<IReadOnlyList<TopicPartition>> revoked, Action<IReadOnlyList<TopicPartition>> lost)
    {
        var settings = With(new ConsumerConfig
        {
            BootstrapServers = options.Bootstrap,
            ClientId = options.MemberId,
            GroupId = names.Group,
            GroupInstanceId = options.InstanceId,
            GroupProtocol = GroupProtocol.Classic,
            PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
            SessionTimeoutMs = (int)options.SessionTimeout.TotalMilliseconds,
            HeartbeatIntervalMs = (int)options.Heartbeat.TotalMilliseconds,
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            IsolationLevel = IsolationLevel.ReadCommitted,
            AllowAutoCreateTopics = false,
            FetchMinBytes = options.FetchWaitMs == 0 ? 1 : FullFetchBytes,
            FetchWaitMaxMs = options.FetchWaitMs == 0 ? 500 : options.FetchWaitMs,
            FetchQueueBackoffMs = 2,
            QueuedMinMessages = 20_000,
            QueuedMaxMessagesKbytes = 8 << 10,
            SocketNagleDisable = true,
        });
        return new ConsumerBuilder<byte[], byte[]>(settings)
            .SetPartitionsAssignedHandler((_, partitions) => assigned(partitions))
            .SetPartitionsRevokedHandler((_, partitions) => revoked([.. partitions.Select(p => p.TopicPartition)]))
            .SetPartitionsLostHandler((_, partitions) => lost([.. partitions.Select(p => p.TopicPartition)]))
            .SetLogHandler(Log).SetErrorHandler(Error).Build();
    }

    /// <summary>Reads changelogs, as far as they are committed, from where it is told to.</summary>
    public IConsumer<byte[], byte[]> ChangelogConsumer(IsolationLevel isolation = IsolationLevel.ReadCommitted) =>
        new ConsumerBuilder<byte[], byte[]>(With(new ConsumerConfig
        {
            BootstrapServers = options.Bootstrap,
            ClientId = $"{options.MemberId}-restore",
            GroupId = names.Group,          // never joined: partitions are assigned by hand
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            IsolationLevel = isolation,
            AllowAutoCreateTopics = false,
            // Standbys follow every write of the others: a request for each would cost the broker as much as the hops do, and nobody waits for them. A task that is restored waits this long once, at the end.
            FetchMinBytes = 64 << 10,
            FetchWaitMaxMs = 100,
            FetchQueueBackoffMs = 5,
            QueuedMaxMessagesKbytes = 16 << 10,
            ConsumeResultFields = "topic",
        })).SetLogHandler(Log).SetErrorHandler(Error).Build();

    /// <summary>Reads dead letters with all that lies on them.</summary>
    public IConsumer<byte[], byte[]> LetterConsumer() =>
        new ConsumerBuilder<byte[], byte[]>(With(new ConsumerConfig
        {
            BootstrapServers = options.Bootstrap,
            ClientId = $"{options.MemberId}-letters",
            GroupId = names.Group,
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            AllowAutoCreateTopics = false,
        })).SetLogHandler(Log).SetErrorHandler(Error).Build();

    public IAdminClient Admin() =>
        new AdminClientBuilder(With(new AdminClientConfig { BootstrapServers = options.Bootstrap, ClientId = $"{options.MemberId}-admin" })).SetLogHandler(Log).SetErrorHandler(Error).Build();

    private ProducerConfig Idempotent(string role) => With(new ProducerConfig
    {
        BootstrapServers = options.Bootstrap,
        ClientId = $"{options.MemberId}-{role}",
        Acks = Acks.All,
        EnableIdempotence = true,
        MessageTimeoutMs = 0,       // brokers that are away are waited for: the commit waits, nothing is given up
        LingerMs = options.LingerMs,
        CompressionType = CompressionType.Lz4,
        Partitioner = Partitioner.Murmur2Random,
        QueueBufferingMaxKbytes = QueueKilobytes,
        QueueBufferingMaxMessages = 500_000,
        BatchSize = 256 << 10,
        MessageMaxBytes = MessageBytesMax,
        DeliveryReportFields = "key,value",
        SocketNagleDisable = true,
    });

    private T With<T>(T settings) where T : ClientConfig
    {
        foreach (var (name, value) in options.Client) settings.Set(name, value);
        return settings;
    }

    private IProducer<byte[], byte[]> Build(ProducerConfig settings) =>
        new ProducerBuilder<byte[], byte[]>(settings).SetLogHandler(Log).SetErrorHandler(Error).Build();

    private void Log<T>(T client, LogMessage message)
    {
        if (message.Level <= SyslogLevel.Warning && !message.Message.Contains("is experimental", StringComparison.Ordinal)) log(message.Message);
    }

    private void Error<T>(T client, Error error) => log(error.ToString());
}
