using Promotions.Domain.Campaigns;

namespace Promotions.Ledger;

/// <summary>For a ledger whose coupons and arms are a round trip away: looks up what a whole batch will ask for at once.</summary>
public interface ICampaignPrefetch
{
    /// <summary>The campaigns, with these coupons and these customers' arms as they were committed when this was called; anything else is looked up when asked for.
    /// For one batch: what it holds is not renewed. One round trip.</summary>
    /// <param name="codes">Of coupons, as the requests carry them.</param>
    /// <exception cref="LedgerFaultException">The database cannot be read.</exception>
    Task<ICampaignSnapshot> FetchAsync(IReadOnlyCollection<string> codes, IReadOnlyCollection<string> customers, CancellationToken cancellationToken);
}
