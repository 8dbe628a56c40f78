namespace Promotions.Processing.Kafka.Gateway;

/// <summary>How an API process talks to the pipeline.</summary>
public sealed record KafkaGatewayOptions
{
    /// <summary>Settings of the client by librdkafka's names: <c>bootstrap.servers</c>, <c>security.protocol</c>, <c>sasl.*</c>, <c>ssl.*</c> ...</summary>
    public required IReadOnlyDictionary<string, string> Client { get; init; }

    public KafkaTopics Topics { get; init; } = new();

    /// <summary>This process's name for this run, 1 to 64 of <c>A-Z a-z 0-9 . _ : -</c>: no other process, and no earlier run, may have the same.</summary>
    public required string Instance { get; init; }

    /// <summary>How long an answer may take; what is not booked by then never is. Default 5 s; less than the HTTP API's own limit, so that the caller hears of it.</summary>
    public TimeSpan AnswerWithin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How much longer an answer is waited for that was booked at the last moment. Default 250 ms.</summary>
    public TimeSpan ReplyGrace { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long the producer waits for company before it sends. Unit: milliseconds. Default 1.</summary>
    public double LingerMs { get; init; } = 1;
}
