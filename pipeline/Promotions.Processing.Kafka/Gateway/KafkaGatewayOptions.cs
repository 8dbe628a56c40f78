namespace Promotions.Processing.Kafka.Gateway;

/// <summary>How an API process talks to the pipeline.</summary>
public sealed record KafkaGatewayOptions
{
    /// <summary>Addresses of brokers, <c>host:port</c> with commas between them.</summary>
    public required string Bootstrap { get; init; }

    /// <summary>Settings of the Kafka client that say who one is: <c>security.*</c>, <c>sasl.*</c>, <c>ssl.*</c>, passed on as they are.</summary>
    public IReadOnlyDictionary<string, string> Client { get; init; } = new Dictionary<string, string>();

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
