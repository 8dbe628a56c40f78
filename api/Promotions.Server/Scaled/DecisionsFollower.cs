using System.Text.Json;
using Confluent.Kafka;
using Promotions.Contracts;
using Promotions.Domain.Events;
using Promotions.Processing.Kafka;
using Promotions.Processing.Statistics;

namespace Promotions.Server.Scaled;

/// <summary>Tells the live page of every decision of the system, whichever process made it: reads <c>redemption-decisions</c> from its end on.</summary>
/// <remarks>For looking at: a decision that is missed here while the brokers are away is missing from a chart of five minutes, and from nothing else.</remarks>
internal sealed class DecisionsFollower(ScaledOptions options, LiveStatistics live, TimeProvider time, ILogger<DecisionsFollower> logger) : BackgroundService
{
    private static readonly TimeSpan PollMax = TimeSpan.FromMilliseconds(200);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Factory.StartNew(() => Read(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Read(CancellationToken stoppingToken)
    {
        var topic = new KafkaTopics(options.Group, options.Prefix).Named(KafkaTopics.Decisions);
        var config = new ConsumerConfig(options.ClientWithBootstrap()) { GroupId = $"{options.Prefix}{options.Group}-live", EnableAutoCommit = false, AllowAutoCreateTopics = false, FetchMinBytes = 64 << 10, FetchWaitMaxMs = 250 };    // a page's numbers may wait, the brokers' time not
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(config)
            .SetErrorHandler((_, error) => ServerLog.LiveFault(logger, error.Reason))
            .SetLogHandler(static (_, _) => { })
            .Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        consumer.Assign(admin.GetMetadata(topic, TimeSpan.FromSeconds(10)).Topics[0].Partitions.Select(partition => new TopicPartitionOffset(topic, partition.PartitionId, Offset.End)));
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (consumer.Consume(PollMax) is { Message: { } message } && StatusOf(message.Value) is { } status)
                    live.Observe(status, TimeSpan.FromMilliseconds(Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - message.Timestamp.UnixTimestampMs)));
            }
            catch (ConsumeException fault)
            {
                ServerLog.LiveFault(logger, fault.Error.Reason);
            }
        }

        consumer.Close();
    }

    /// <returns>Null for a refusal: it is no decision.</returns>
    private static RedemptionStatus? StatusOf(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("status"u8) && reader.Read())
                return reader.TokenType is JsonTokenType.String ? Parse(reader.GetString()!) : null;
        }

        return null;
    }

    private static RedemptionStatus? Parse(string text)
    {
        foreach (var status in Enum.GetValues<RedemptionStatus>())
            if (status is not RedemptionStatus.None && Wire.Of(status) == text) return status;
        return null;
    }
}
