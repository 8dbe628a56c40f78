using Confluent.Kafka;
using Promotions.Contracts;
using Promotions.Domain;

namespace Promotions.Server.Scaled;

/// <summary>Follows <c>{group}-members</c> from its beginning, so that a process which has just started knows everybody within a second.</summary>
internal sealed class KafkaSystemStatus : ISystemStatus, IAsyncDisposable
{
    private static readonly TimeSpan PollFor = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MetadataWithin = TimeSpan.FromSeconds(10);

    private readonly MemberTable _members = new();
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<LedgerStateAnswer?> _ledger;
    private readonly Func<IReadOnlyList<FollowerAnswer>> _followers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _following;

    /// <param name="topic">By its name at the brokers.</param>
    /// <param name="client">Who this process is to the brokers: <c>security.*</c>, <c>sasl.*</c>, <c>ssl.*</c>.</param>
    /// <param name="ledger">Cheap; asked at each read. Null where nobody here knows.</param>
    /// <param name="followers">The same.</param>
    public KafkaSystemStatus(
        string bootstrap, string topic, IReadOnlyDictionary<string, string> client, Func<LedgerStateAnswer?> ledger, Func<IReadOnlyList<FollowerAnswer>> followers, TimeProvider time,
        ILogger<KafkaSystemStatus> logger)
    {
        (_ledger, _followers, _time, _logger) = (ledger, followers, time, logger);
        var config = new ConsumerConfig(new Dictionary<string, string>(client))
        {
            BootstrapServers = bootstrap,
            GroupId = topic,                    // the client wants one; nothing is joined or committed
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            AllowAutoCreateTopics = false,
        };
        _following = Task.Run(() => FollowAsync(config, topic));
    }

    public SystemAnswer Read()
    {
        var now = EventTime.Now(_time);
        lock (_lock)
            return new("kafka", now.ToString(), _members.Read(now), _ledger(), _followers(), _members.OutcomeDelaySeconds(now));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _following;
        _stop.Dispose();
    }

    /// <summary>The page shows what was last known while the brokers are away; nothing else depends on it.</summary>
    private async Task FollowAsync(ConsumerConfig config, string topic)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Follow(config, topic);
            }
            catch (KafkaException fault)
            {
                SystemLog.MembersUnread(_logger, fault, topic);
                await Task.WhenAny(Task.Delay(RetryAfter, _time, _stop.Token));
            }
        }
    }

    private void Follow(ConsumerConfig config, string topic)
    {
        using var consumer = new ConsumerBuilder<string, byte[]?>(config).SetLogHandler((_, _) => { }).Build();
        consumer.Assign(PartitionsOf(config, topic).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        var live = new HashSet<int>();
        while (!_stop.IsCancellationRequested)
        {
            if (consumer.Consume(PollFor) is not { } read) continue;
            if (read.IsPartitionEOF)
            {
                live.Add(read.Partition.Value);
                continue;
            }

            var now = EventTime.Now(_time);
            var written = new EventTime(read.Message.Timestamp.UnixTimestampMs);
            var seen = live.Contains(read.Partition.Value) || written > now ? now : written;
            lock (_lock) _members.Apply(read.Message.Key, read.Message.Value, read.Message.Value is null, seen);
        }
    }

    private static List<int> PartitionsOf(ConsumerConfig config, string topic)
    {
        using var admin = new AdminClientBuilder(config).SetLogHandler((_, _) => { }).Build();
        var found = admin.GetMetadata(topic, MetadataWithin).Topics.Find(one => one.Topic == topic);
        return found is { Error.Code: ErrorCode.NoError } ? [.. found.Partitions.Select(partition => partition.PartitionId)] : throw new KafkaException(found?.Error ?? new Error(ErrorCode.UnknownTopicOrPart));
    }
}
