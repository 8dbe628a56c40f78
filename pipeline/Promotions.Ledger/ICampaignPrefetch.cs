using Promotions.Domain.Campaigns;

namespace Promotions.Ledger;

/// <summary>A coupon of a request: what its price asks of the ledger.</summary>
/// <param name="Code">As the request carries it: a coupon's, a public campaign's, or nobody's.</param>
public readonly record struct CouponQuestion(string Code, string CustomerId);

/// <summary>For a ledger whose coupons and arms are a round trip away: looks up what many requests will ask for at once.</summary>
public interface ICampaignPrefetch
{
    /// <summary>The campaigns, with these coupons and their customers' arms as they were committed after this was called; anything else is looked up when asked for. What it holds is not renewed.
    /// One round trip. A code that nobody has, and a customer without an arm, are answered from memory too, as fast as any other.</summary>
    /// <exception cref="LedgerFaultException">The database cannot be read.</exception>
    Task<ICampaignSnapshot> FetchAsync(IReadOnlyCollection<CouponQuestion> asked, CancellationToken cancellationToken);
}
