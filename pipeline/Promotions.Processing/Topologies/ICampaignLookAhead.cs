using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;

namespace Promotions.Processing.Topologies;

/// <summary>For coupons and arms that are a round trip away: they are looked up while a request's parts are on their way. Safe from several threads.</summary>
public interface ICampaignLookAhead
{
    /// <summary>This request is known, and will be priced soon. Must not block.</summary>
    void Announced(RedemptionRequest request);

    /// <summary>The campaigns to price it with, once.</summary>
    /// <returns>Null where nothing was looked up, or not yet: price it with the campaigns of this moment, which ask for themselves.</returns>
    ICampaignSnapshot? Take(RedemptionRequest request);
}
