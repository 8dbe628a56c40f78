using System.Runtime.CompilerServices;
using Promotions.Features;
using Promotions.Processing.Records;

namespace Promotions.Processing.Topologies;

/// <summary>One entity's part of a vector, by value: it crosses hops without an allocation.</summary>
[InlineArray(Max)]
public struct PartValues
{
    /// <summary>No kind has more features; <see cref="Observe"/> would not start otherwise.</summary>
    public const int Max = 24;

    private float _first;
}

/// <summary>What gather takes in: a request with how many parts to expect, or one of the parts.</summary>
/// <param name="Announced">Null for a part.</param>
/// <param name="Parts">Of the announced request.</param>
/// <param name="Kind">Of the part's entity.</param>
public readonly record struct GatherRecord(string RequestId, ObservedRequest? Announced, int Parts, EntityKind Kind, PartValues Values);

/// <summary>A request with its vector, but for what its price will tell.</summary>
/// <param name="Vector">Owned by whoever decides.</param>
/// <param name="LateMask">Bit k: the part of entity kind k did not come within patience.</param>
public readonly record struct GatheredRequest(ObservedRequest Observed, float[] Vector, uint LateMask);
