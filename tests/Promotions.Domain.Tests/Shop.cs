using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;

namespace Promotions.Domain.Tests;

/// <summary>A snapshot with builders that show only what matters.</summary>
internal sealed class Shop : ICampaignSnapshot
{
    public static readonly EventTime Noon = EventTime.From(new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));

    private readonly Dictionary<string, Campaign> _campaigns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Coupon> _coupons = new(StringComparer.Ordinal);
    private readonly Dictionary<(string, string), Arm> _arms = [];

    public long Revision => 1;
    public IReadOnlyList<Campaign> PublicCampaigns =>
        [.. _campaigns.Values.Where(one => one.Active && one.Distribution is Distribution.Public).OrderBy(one => one.Id, StringComparer.Ordinal)];
    public Campaign? FindCampaign(string campaignId) => _campaigns.GetValueOrDefault(campaignId);
    public Coupon? FindCoupon(string code) => _coupons.GetValueOrDefault(code);
    public IReadOnlyList<Coupon> CouponsOf(string customerId) =>
        [.. _coupons.Values.Where(one => one.CustomerId == customerId).OrderBy(one => one.Code, StringComparer.Ordinal)];
    public Arm FindArm(string campaignId, string customerId) => _arms.GetValueOrDefault((campaignId, customerId));

    public static Benefit Percent(int basisPoints, bool matching = false, long? max = null) => new(BenefitType.PercentOff, basisPoints, 0, matching, max);
    public static Benefit Off(long amount, bool matching = false, long? max = null) => new(BenefitType.AmountOff, 0, amount, matching, max);
    public static Conditions Skus(params string[] included) => Conditions.None with { IncludedSkus = included };

    public static Campaign ACampaign(string id, Benefit benefit, Distribution distribution = Distribution.CodeBased) => new(
        id, 1, id, distribution, "EUR", benefit, Conditions.None, Limits.None, Noon, Noon.Plus(TimeSpan.FromDays(30)), [], 0, "salt-of-" + id, true, Noon);

    public Shop With(Campaign campaign)
    {
        _campaigns[campaign.Id] = campaign;
        return this;
    }

    public Shop Give(string code, string campaignId, string? customer = null, bool revoked = false)
    {
        _coupons[code] = new(code, campaignId, customer, 1, revoked, Noon);
        return this;
    }

    public Shop Record(string campaignId, string customer, Arm arm)
    {
        _arms[(campaignId, customer)] = arm;
        return this;
    }

    public static CartLine ALine(string sku, long unitPrice, int quantity = 1, string? category = null) => new("line-" + sku, sku, category, quantity, unitPrice);
    public static Cart ACart(params CartLine[] lines) => new("order-1", "EUR", lines, 0);
    public static Redeemable Code(string code) => new(RedeemableType.Coupon, code, 0);
    public static Redeemable Pay(RedeemableType type, long amount) => new(type, null, amount);

    public static RedemptionRequest ARequest(Cart cart, params Redeemable[] redeemables) => new(
        AttemptKind.Redemption, "r-1", "web-de", "key", new("anna", null), cart, redeemables, AttemptContext.None, Noon, null, null, ReadOnlyMemory<byte>.Empty);

    public PricedCart Price(Cart cart, params Redeemable[] redeemables) => PromotionEngine.Price(ARequest(cart, redeemables), this, Noon);
}
