using Promotions.Domain.Campaigns;

namespace Promotions.Ledger.Writing;

/// <summary>Coupons and arms as they were committed last. Bounded, safe from any thread.</summary>
internal interface ICampaignLookups
{
    Coupon? FindCoupon(string code);
    IReadOnlyList<Coupon> CouponsOf(string customerId);
    Arm FindArm(string campaignId, string customerId);
}

/// <summary>One revision of the campaigns over the shared look-ups.</summary>
internal sealed class CampaignView : ICampaignSnapshot
{
    private readonly ICampaignLookups _lookups;
    private readonly Dictionary<string, Campaign> _publicByCode;

    public CampaignView(long revision, IReadOnlyDictionary<string, Campaign> campaigns, ICampaignLookups lookups)
    {
        (Revision, ById, _lookups) = (revision, campaigns, lookups);
        PublicCampaigns = [.. campaigns.Values.Where(c => c.Distribution is Distribution.Public && c.Active).OrderBy(c => c.Id, StringComparer.Ordinal)];
        _publicByCode = new(StringComparer.OrdinalIgnoreCase);
        foreach (var campaign in PublicCampaigns) _publicByCode.TryAdd(campaign.Id, campaign);
    }

    private CampaignView(CampaignView before) =>
        (Revision, ById, _lookups, PublicCampaigns, _publicByCode) = (before.Revision + 1, before.ById, before._lookups, before.PublicCampaigns, before._publicByCode);

    public long Revision { get; }
    public IReadOnlyDictionary<string, Campaign> ById { get; }
    public IReadOnlyList<Campaign> PublicCampaigns { get; }

    public Campaign? FindCampaign(string campaignId) => ById.GetValueOrDefault(campaignId);
    public Campaign? FindPublic(string code) => _publicByCode.GetValueOrDefault(code);
    public Coupon? FindCoupon(string code) => _lookups.FindCoupon(code);
    public IReadOnlyList<Coupon> CouponsOf(string customerId) => _lookups.CouponsOf(customerId);
    public Arm FindArm(string campaignId, string customerId) => _lookups.FindArm(campaignId, customerId);

    /// <summary>The same campaigns after a change of coupons.</summary>
    public CampaignView Next() => new(this);
}
