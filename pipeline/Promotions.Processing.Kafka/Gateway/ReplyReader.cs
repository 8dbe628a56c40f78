using System.Collections.Concurrent;
using Confluent.Kafka;
using Promotions.Processing.Kafka.Effects;

namespace Promotions.Processing.Kafka.Gateway;

/// <summary>Reads this process's partition of the replies' topic from its end on, and hands each answer to whoever waits for its number.</summary>
internal sealed class ReplyReader : IAsyncDisposable
{
    private static readonly TimeSpan MetadataWithin = TimeSpan.FromSeconds(10);

    private readonly IConsumer<Ignore, byte[]> _consumer;
    private readonly string _instance;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<Reply>> _waiting = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;
    private long _last;

    private ReplyReader(IConsumer<Ignore, byte[]> consumer, string instance, int partition)
    {
        (_consumer, _instance, Partition) = (consumer, instance, partition);
        _reading = Task.Factory.StartNew(Read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public int Partition { get; }

    /// <summary>Answers that nobody waited for any more, of this process.</summary>
    public long Unclaimed => Interlocked.Read(ref _unclaimed);
    private long _unclaimed;

    /// <exception cref="KafkaException">The brokers cannot be reached, or the topic is not there.</exception>
    public static ReplyReader Open(KafkaGatewayOptions options)
    {
        var config = new ConsumerConfig(new Dictionary<string, string>(options.Client))
        {
            BootstrapServers = options.Bootstrap,
            GroupId = options.Topics.Named(options.Topics.Replies),        // asked for by the client; nothing is committed
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            AutoOffsetReset = AutoOffsetReset.Latest,
            FetchWaitMaxMs = 500,
            FetchErrorBackoffMs = 50,
            AllowAutoCreateTopics = false,
        };
        var topic = options.Topics.Named(options.Topics.Replies);
        var consumer = new ConsumerBuilder<Ignore, byte[]>(config).Build();
        try
        {
            var partitions = PartitionsOf(options, topic);
            // Several processes may share a partition; the instance's name spreads them.
            var partition = (int)(System.IO.Hashing.XxHash32.HashToUInt32(System.Text.Encoding.UTF8.GetBytes(options.Instance)) % (uint)partitions);
            var place = new TopicPartition(topic, partition);
            // The end of this moment, by number: "the end" as a word is looked up with the first fetch, and an answer may come before it.
            var end = consumer.QueryWatermarkOffsets(place, MetadataWithin).High;
            consumer.Assign(new TopicPartitionOffset(place, end));
            return new(consumer, options.Instance, partition);
        }
        catch
        {
            consumer.Dispose();
            throw;
        }
    }

    /// <summary>A new question.</summary>
    public (long Correlation, TaskCompletionSource<Reply> Answer) Expect()
    {
        var correlation = Interlocked.Increment(ref _last);
        var answer = new TaskCompletionSource<Reply>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[correlation] = answer;
        return (correlation, answer);
    }

    /// <summary>Nobody waits for it any more.</summary>
    public void Forget(long correlation) => _waiting.TryRemove(correlation, out _);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        _consumer.Close();
        _consumer.Dispose();
        _stop.Dispose();
        foreach (var answer in _waiting.Values) answer.TrySetCanceled();
    }

    private static int PartitionsOf(KafkaGatewayOptions options, string topic)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig(new Dictionary<string, string>(options.Client)) { BootstrapServers = options.Bootstrap }).Build();
        var found = admin.GetMetadata(topic, MetadataWithin).Topics.Find(t => t.Topic == topic);
        return found is { Partitions.Count: > 0 and var count }
            ? count
            : throw new KafkaException(new Error(found?.Error.Code ?? ErrorCode.UnknownTopicOrPart, $"The topic '{topic}' is not there: start the pipeline first, or create its topics."));
    }

    private void Read()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (_consumer.Consume(_stop.Token) is { Message.Value: { } value } && ReplyCodec.Decode(value, _instance) is { } reply) Hand(reply);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (ConsumeException)
            {
                // The client tries again by itself; whoever waits for an answer meanwhile waits until its time is over.
            }
            catch (InvalidDataException)
            {
                // Bytes of another build. Whoever waits asks again, and is answered from the ledger.
            }
        }
    }

    private void Hand(Reply reply)
    {
        if (_waiting.TryRemove(reply.Correlation, out var answer)) answer.TrySetResult(reply);
        else Interlocked.Increment(ref _unclaimed);
    }
}
