using Promotions.Domain;

namespace Promotions.Features;

/// <summary>What one entity remembers, and the features made of it.</summary>
/// <remarks>Single-threaded. A pure fold: equal histories give equal vectors bit for bit, also when written and loaded again anywhere between.</remarks>
public sealed partial class EntityState
{
    /// <summary>Loads the root tile, or starts new where there is none. Other tiles are read when a window reaches them.</summary>
    public static EntityState Load(in EntityKey key, ITileReader tiles) => throw new NotImplementedException();

    public EntityKey Key { get; }

    /// <summary>Memory held, within a few per cent. Unit: bytes.</summary>
    public long SizeBytes => throw new NotImplementedException();

    /// <summary>From this event time on the state is as good as none: drop it, or keep it, with the same vectors to come.</summary>
    public EventTime ExpiresAt => throw new NotImplementedException();

    public bool IsDirty => throw new NotImplementedException();

    /// <summary>Counts the attempt, unless its id was counted within grace, and writes the entity's part of the vector at its time.</summary>
    /// <param name="part">As long as <see cref="FeatureRegistry.Block"/> of the kind.</param>
    public void Observe(in Observation observation, Span<float> part) => throw new NotImplementedException();

    /// <summary>Folds in what became of an attempt.</summary>
    public void Apply(in Feedback feedback) => throw new NotImplementedException();

    /// <summary>Writes tiles changed since the last call, and marks all clean.</summary>
    public void WriteDirty(ITileWriter writer) => throw new NotImplementedException();

    /// <summary>Lets go of clean tiles that no window touched since the last call. Only when what was written is durable and readable.</summary>
    public void Release() => throw new NotImplementedException();
}
