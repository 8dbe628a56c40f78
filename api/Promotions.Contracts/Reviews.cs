using System.ComponentModel.DataAnnotations;

namespace Promotions.Contracts;

/// <param name="Moments">Oldest first.</param>
/// <param name="IsAll">False where there was more: the newest are here.</param>
public sealed record TimelineAnswer(string CustomerId, IReadOnlyList<MomentAnswer> Moments, bool IsAll);

/// <param name="Id">Of the redemption, order, label or lot.</param>
/// <param name="Amount">An attempt's discount, an order's total, what was spent or earned; null for a label.</param>
/// <param name="Status">Of an attempt.</param>
/// <param name="Abuse">Of a label, and of an attempt that has one.</param>
public sealed record MomentAnswer(
    [property: DataType(DataType.DateTime)] string At, [property: AllowedValues("attempt", "order", "label", "spent", "earned")] string Kind, string Id, QuantityBody? Amount, string? Status, string? Detail, bool? Abuse);

/// <param name="Cases">The nearest first.</param>
/// <param name="LookedAt">Judged cases that were compared.</param>
/// <param name="MissingBecause">Where nothing can be compared, why.</param>
public sealed record SimilarCasesAnswer(IReadOnlyList<SimilarCaseAnswer> Cases, int LookedAt, string? MissingBecause);

/// <param name="Distance">Euclidean, between the contributions of the features: log-odds, 0 or more.</param>
/// <param name="Shared">Features that speak the same way in both, the strongest first.</param>
public sealed record SimilarCaseAnswer(
    string Id, string CustomerId, string Status, double? Score, bool Abuse, string Source, [property: DataType(DataType.DateTime)] string LabelledAt, double Distance, IReadOnlyList<string> Shared);

/// <param name="Nodes">The middle first, then its neighbours, then theirs.</param>
/// <param name="LeftOut">Neighbours that had no room.</param>
/// <param name="LookedAt">Newest decisions that other accounts were sought in.</param>
public sealed record NeighboursAnswer(IReadOnlyList<NeighbourAnswer> Nodes, IReadOnlyList<NeighbourEdgeAnswer> Edges, int LeftOut, int LookedAt);

/// <param name="Key">A customer's id; of a device or ip the hash of its name.</param>
/// <param name="Ring">Steps from the middle.</param>
/// <param name="Attempts">At most 200, the newest.</param>
/// <param name="Flagged">Of them, in review or blocked.</param>
/// <param name="Accounts">Customers among its attempts.</param>
public sealed record NeighbourAnswer([property: AllowedValues("customer", "device", "ip")] string Kind, string Key, int Ring, int Attempts, int Flagged, int Accounts, [property: DataType(DataType.DateTime)] string? LastAt);

/// <param name="Other">The key of the device or ip.</param>
public sealed record NeighbourEdgeAnswer(string CustomerId, [property: AllowedValues("device", "ip")] string Kind, string Other, int Attempts);
