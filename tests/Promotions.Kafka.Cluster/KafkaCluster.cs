using System.Diagnostics;
using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Promotions.Kafka.Cluster;

/// <summary>A real Apache Kafka on loopback, in a temporary folder of its own: started, killed and restarted by <c>deploy/lib/kafka</c>.</summary>
/// <remarks>Where Kafka or Java is missing, starting fails with the script's sentence, which says what to install.</remarks>
public sealed class KafkaCluster : IAsyncDisposable
{
    private static readonly TimeSpan AdminWithin = TimeSpan.FromSeconds(30);

    private readonly string _folder;
    private readonly Lazy<IAdminClient> _admin;

    private KafkaCluster(string folder, string bootstrap)
    {
        (_folder, Bootstrap) = (folder, bootstrap);
        _admin = new(() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).SetLogHandler((_, _) => { }).Build());
    }

    /// <summary>For <c>bootstrap.servers</c>.</summary>
    public string Bootstrap { get; }

    public IAdminClient Admin => _admin.Value;

    /// <param name="brokers">1 or 3.</param>
    /// <param name="settings">Of the servers, as <c>name=value</c>.</param>
    /// <exception cref="InvalidOperationException">With what the script said.</exception>
    public static async Task<KafkaCluster> StartAsync(int brokers = 1, params string[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("kafka-").FullName;
        try
        {
            var output = await RunAsync(["start", folder, "--brokers", Text(brokers), .. settings.SelectMany(s => new[] { "--set", s })]).ConfigureAwait(false);
            return new(folder, output.Trim());
        }
        catch
        {
            await RunAsync(["destroy", folder]).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>As a crash: nothing is flushed, nobody is told.</summary>
    public Task KillAsync(int server = 0) => RunAsync(["kill", _folder, Text(server)]);

    public Task StopAsync(int server = 0) => RunAsync(["stop", _folder, Text(server)]);

    /// <summary>On the same data and port; serves when it returns.</summary>
    public Task RestartAsync(int server = 0) => RunAsync(["restart", _folder, Text(server)]);

    public async Task CreateTopicAsync(string topic, int partitions = 4, IReadOnlyDictionary<string, string>? settings = null)
    {
        var specification = new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = -1, Configs = settings?.ToDictionary() };
        await Admin.CreateTopicsAsync([specification], new CreateTopicsOptions { RequestTimeout = AdminWithin, OperationTimeout = AdminWithin }).ConfigureAwait(false);
    }

    /// <summary>All acknowledged when it returns. The key chooses the partition (<c>murmur2</c>, as Java clients and the driver do) where none is named.</summary>
    public async Task ProduceAsync(string topic, IEnumerable<Message<byte[], byte[]>> messages, int? partition = null)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = Bootstrap, Acks = Acks.All, EnableIdempotence = true, LingerMs = 5, Partitioner = Partitioner.Murmur2Random, MessageMaxBytes = 64_000_000,
        }).SetLogHandler((_, _) => { }).Build();
        var failed = new TaskCompletionSource();
        var to = new TopicPartition(topic, partition is { } number ? number : Partition.Any);
        foreach (var message in messages)
        {
            while (true)
            {
                try
                {
                    producer.Produce(to, message, report =>
                    {
                        if (report.Error.IsError) failed.TrySetException(new KafkaException(report.Error));
                    });
                    break;
                }
                catch (ProduceException<byte[], byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
                {
                    producer.Poll(TimeSpan.FromMilliseconds(50));
                }
            }
        }

        await Task.Run(() => producer.Flush(TimeSpan.FromSeconds(60))).ConfigureAwait(false);
        failed.TrySetResult();
        await failed.Task.ConfigureAwait(false);
    }

    /// <summary>Everything that the topic holds now, partition by partition in order of offsets.</summary>
    /// <param name="committedOnly">Leaves out what aborted and open transactions wrote.</param>
    public Task<IReadOnlyList<ConsumeResult<byte[], byte[]>>> ReadAllAsync(string topic, bool committedOnly = true) =>
        Task.Run<IReadOnlyList<ConsumeResult<byte[], byte[]>>>(() =>
        {
            using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
            {
                BootstrapServers = Bootstrap, GroupId = "reader", EnableAutoCommit = false, EnablePartitionEof = true, AutoOffsetReset = AutoOffsetReset.Earliest,
                IsolationLevel = committedOnly ? IsolationLevel.ReadCommitted : IsolationLevel.ReadUncommitted, AllowAutoCreateTopics = false,
            }).SetLogHandler((_, _) => { }).Build();
            var partitions = PartitionsOf(topic);
            consumer.Assign(partitions.Select(p => new TopicPartitionOffset(p, Offset.Beginning)));
            var records = new List<ConsumeResult<byte[], byte[]>>();
            var open = partitions.Count;
            while (open > 0)
            {
                var result = consumer.Consume(AdminWithin) ?? throw new TimeoutException($"Topic {topic} was not read to its end within {AdminWithin}.");
                if (result.IsPartitionEOF) open--;
                else records.Add(result);
            }

            consumer.Close();
            return [.. records.OrderBy(r => r.Partition.Value).ThenBy(r => r.Offset.Value)];
        });

    /// <summary>Of each partition; with transactions, their markers count.</summary>
    public async Task<IReadOnlyDictionary<int, long>> EndOffsetsAsync(string topic)
    {
        var ends = await Admin.ListOffsetsAsync([.. PartitionsOf(topic).Select(p => new TopicPartitionOffsetSpec { TopicPartition = p, OffsetSpec = OffsetSpec.Latest() })]).ConfigureAwait(false);
        return ends.ResultInfos.ToDictionary(e => e.TopicPartitionOffsetError.Partition.Value, e => e.TopicPartitionOffsetError.Offset.Value);
    }

    public IReadOnlyList<TopicPartition> PartitionsOf(string topic) =>
        [.. Admin.GetMetadata(topic, AdminWithin).Topics.Single().Partitions.Select(p => new TopicPartition(topic, p.PartitionId))];

    public async ValueTask DisposeAsync()
    {
        if (_admin.IsValueCreated) _admin.Value.Dispose();
        await RunAsync(["destroy", _folder]).ConfigureAwait(false);
    }

    /// <summary>Runs <c>deploy/lib/kafka</c>.</summary>
    private static async Task<string> RunAsync(IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Repository(), "deploy", "lib", "kafka")) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start) ?? throw new InvalidOperationException("deploy/lib/kafka did not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync().ConfigureAwait(false);
        await process.WaitForExitAsync().ConfigureAwait(false);
        return process.ExitCode == 0 ? await output.ConfigureAwait(false) : throw new InvalidOperationException($"deploy/lib/kafka {string.Join(' ', arguments)}: {errors}");
    }

    private static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Promotions.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run outside of the checkout: there is no Promotions.sln above them.");
        return folder;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
