using Promotions.Domain;

namespace Promotions.Contracts.Intake;

/// <summary>What intake knows besides the body.</summary>
/// <param name="Id">The idempotency id: the header's or the body's, which agree. Empty when it was refused.</param>
/// <param name="At">Arrival.</param>
/// <param name="Deadline">Null for none.</param>
public readonly record struct Caller(string Id, string ApiKeyId, EventTime At, EventTime? Deadline);
