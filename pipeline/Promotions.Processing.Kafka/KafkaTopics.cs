namespace Promotions.Processing.Kafka;

/// <summary>The names of a deployment's topics.</summary>
/// <param name="Group">The pipeline's consumer group; internal topics begin with it. Default <c>promotions</c>.</param>
/// <param name="Prefix">Before every topic's name, public or internal. Default none.</param>
public sealed record KafkaTopics(string Group = "promotions", string Prefix = "")
{
    /// <summary>Out: what checkout may know of each decision.</summary>
    public const string Decisions = "redemption-decisions";

    /// <summary>Out: balances changed by orders and redemptions.</summary>
    public const string BalanceChanges = "balance-changes";

    /// <summary>Out: what could not be processed, with its reason.</summary>
    public const string DeadLetters = "dead-letters";

    /// <summary>Where the gateways wait for answers, each at one partition. As the driver names it in the topology: without the prefix.</summary>
    public string Replies => Group + "-replies";

    /// <summary>The name at the brokers.</summary>
    public string Named(string topic) => Prefix + topic;
}
