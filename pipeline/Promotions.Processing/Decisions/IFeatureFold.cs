using Promotions.Domain.Events;

namespace Promotions.Processing.Decisions;

/// <summary>The features' side of the pipeline: a fold over the log, kept by one thread.</summary>
/// <remarks>Equal logs give equal vectors bit for bit, whatever was checkpointed in between.</remarks>
public interface IFeatureFold
{
    /// <summary>Identifies the vector's layout; another one means that state is rebuilt from the log.</summary>
    ulong LayoutHash { get; }
    int VectorLength { get; }

    /// <summary>Counts the attempt at each of its entities; clears the vector to NaN and fills the parts of the entities that the attempt names.</summary>
    /// <returns>The late mask: 0 where the hops are function calls.</returns>
    uint Observe(RedemptionRequest request, AttemptEntities entities, Span<float> vector);

    void Fold(RedemptionOutcome outcome);
    void Fold(LabelRecorded label);
    void Fold(OrderPlaced order);
    void Fold(OrderReturned returned);

    /// <summary>Fills the parts that come from the request and its price.</summary>
    void Describe(RedemptionRequest request, Domain.Campaigns.PricedCart priced, Span<float> vector);

    /// <summary>Position of the log up to which state on disk stands; 0 for none.</summary>
    long CheckpointPosition { get; }

    /// <summary>Writes what changed since the last checkpoint together with the position, atomically.</summary>
    void Checkpoint(long position);

    /// <summary>Forgets everything since the last checkpoint.</summary>
    void RollBack();

    /// <summary>True when so much has changed that a checkpoint should not wait.</summary>
    bool WantsCheckpoint { get; }
}
