using Promotions.Processing.Kafka.Intake;
using Promotions.Processing.Topologies;

namespace Promotions.Processing.Kafka;

/// <summary>What a pipeline process does with redemptions, beside the driver's own options.</summary>
public sealed record KafkaRedemptionsOptions
{
    /// <summary>Gather's patience and the caches' bounds.</summary>
    public RedemptionTopologyOptions Topology { get; init; } = RedemptionTopologyOptions.Default;

    /// <summary>For whom records speak.</summary>
    public CheckoutIntakeOptions Intake { get; init; } = new();
}
