using System.Text.Json.Serialization;

namespace Promotions.Api.Bulk;

/// <summary>A piece of bulk work, as kept in the settings. What is left to do follows from it and its items alone.</summary>
/// <param name="Kind"><c>codes</c> or <c>grant</c>.</param>
/// <param name="ContentHash">Of what was asked: the same id with other content is refused.</param>
/// <param name="Total">Coupons to make.</param>
internal sealed record OperationState(
    string Id, string Kind, string Status, string CampaignId, string ApiKeyId, string ContentHash, long? UsesMax, int Done, int Total, string? Error, long CreatedAt, long? FinishedAt);

/// <summary>The items of an operation that cannot be derived: customers, or codes of the caller's own. Gone when it is finished.</summary>
internal sealed record OperationItems(IReadOnlyList<string> Items);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(OperationState))]
[JsonSerializable(typeof(OperationItems))]
internal sealed partial class OperationsJson : JsonSerializerContext;
