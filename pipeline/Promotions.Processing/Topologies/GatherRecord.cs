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

/// <summary>What gather takes in: a request, whose keys say which parts to expect, or one of the parts. Both carry the request's event time, so that a retry is told from its first attempt.</summary>
/// <param name="Announced">Null for a part.</param>
/// <param name="Part">Which of the request's keys the part is of, from 0.</param>
/// <param name="Kind">Of the part's entity.</param>
public readonly record struct GatherRecord(string RequestId, ObservedRequest? Announced, byte Part, EntityKind Kind, PartValues Values)
{
    /// <summary>No request names more entities: a mask of 64 bits says which parts have come.</summary>
    public const int PartsMax = 64;

    public static GatherRecord Of(ObservedRequest announced) => new(announced.Request.Id, announced, 0, EntityKind.None, default);
}

/// <summary>A request with its vector, but for what its price will tell.</summary>
/// <param name="Vector">Owned by whoever decides.</param>
/// <param name="LateMask">Bit k: the part of entity kind k did not come within patience.</param>
public readonly record struct GatheredRequest(ObservedRequest Observed, float[] Vector, uint LateMask);
