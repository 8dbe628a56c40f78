using Promotions.Api.Http;

namespace Promotions.Api.Endpoints;

/// <summary>Everything that can be called, in the order in which the examples tell their story.</summary>
public static class ApiTable
{
    public static IReadOnlyList<ApiOperation> All { get; } =
    [
        .. CampaignEndpoints.All.Where(operation => operation.Id is "create_campaign"),
        .. CouponEndpoints.All,
        .. CustomerEndpoints.All,
        .. RedemptionEndpoints.All,
        .. SmallestChangeEndpoint.All,
        .. EventEndpoints.All,
        .. FlagEndpoints.All,
        .. ReviewEndpoints.All,
        .. CampaignEndpoints.All.Where(operation => operation.Id is not "create_campaign"),
        .. PolicyEndpoints.All,
        .. ModelEndpoints.All,
        .. RetrainingEndpoints.All,
        .. AccountEndpoints.All,
        .. WebhookEndpoints.All,
        .. KeyEndpoints.All,
        .. SystemEndpoints.All,
        .. SystemStatusEndpoints.All,
        .. SchemaEndpoints.All,
    ];
}
