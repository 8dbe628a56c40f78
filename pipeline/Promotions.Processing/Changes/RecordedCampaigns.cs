using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;

namespace Promotions.Processing.Changes;

/// <summary>The campaigns, coupons and arms that a decision was priced with, and no others: enough to price any part of the same request again as it would have been then.</summary>
internal sealed class RecordedCampaigns : ICampaignSnapshot
{
    private readonly Dictionary<string, PricedRedeemable> _byCode = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Campaign Campaign, Arm Arm)> _byId = new(StringComparer.Ordinal);

    private RecordedCampaigns()
    {
    }

    public long Revision => 0;
    public IReadOnlyList<Campaign> PublicCampaigns => [];
    public Campaign? FindCampaign(string campaignId) => _byId.TryGetValue(campaignId, out var found) ? found.Campaign : null;
    public Campaign? FindPublic(string code) => _byCode.TryGetValue(code, out var one) && one.Coupon is null && one.CampaignId is { } id ? FindCampaign(id) : null;
    public Coupon? FindCoupon(string code) => _byCode.GetValueOrDefault(code)?.Coupon;
    public IReadOnlyList<Coupon> CouponsOf(string customerId) => [];
    public Arm FindArm(string campaignId, string customerId) => _byId.TryGetValue(campaignId, out var found) ? found.Arm : Arm.None;

    /// <param name="find">A campaign's version as it was written; null where there is none.</param>
    /// <returns>Null where a version that the decision names cannot be found.</returns>
    public static RecordedCampaigns? Of(Decision decision, Func<string, int, Campaign?> find)
    {
        var recorded = new RecordedCampaigns();
        foreach (var one in decision.Proposal.Priced.Redeemables)
        {
            if (one.Redeemable.Code is not { } code) continue;
            recorded._byCode.TryAdd(code, one);
            if (one.CampaignId is not { } id || recorded._byId.ContainsKey(id)) continue;
            if (find(id, one.CampaignVersion) is not { } campaign) return null;
            recorded._byId.Add(id, (campaign, one.Arm));
        }

        return recorded;
    }
}
