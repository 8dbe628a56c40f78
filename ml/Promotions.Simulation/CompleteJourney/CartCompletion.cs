using System.Globalization;
using Promotions.Domain.Events;

namespace Promotions.Simulation.CompleteJourney;

/// <summary>What a coupon takes off: the median of the discounts that the sample shows on its products while its campaign ran.</summary>
internal sealed class CouponValues
{
    private readonly Dictionary<string, List<(Domain.EventTime At, long Discount)>> _discounts = [];
    private readonly RetailerRecord _record;

    public CouponValues(RetailerRecord record)
    {
        _record = record;
        foreach (var basket in record.Baskets)
            foreach (var line in basket.Lines.Where(static line => line.CouponDiscount > 0))
            {
                if (!_discounts.TryGetValue(line.Product, out var list)) _discounts.Add(line.Product, list = []);
                list.Add((basket.At, line.CouponDiscount));
            }
    }

    /// <returns>Cents; null where the sample shows none.</returns>
    public long? Of(PrintedCoupon coupon)
    {
        var campaign = _record.Campaigns[coupon.CampaignId];
        var seen = coupon.Products.SelectMany(product => _discounts.GetValueOrDefault(product) ?? []).Where(one => one.At >= campaign.StartsAt && one.At < campaign.EndsAt).Select(static one => one.Discount).Order().ToList();
        return seen.Count == 0 ? null : seen.Count % 2 == 1 ? seen[seen.Count / 2] : (seen[(seen.Count / 2) - 1] + seen[seen.Count / 2]) / 2;
    }
}

/// <summary>Carts for redemptions whose basket the sample lacks: one product for each coupon, on lines apart where the coupons' lists allow it.</summary>
internal sealed class CartCompletion
{
    private const long PriceWithoutAnySale = 250;

    private readonly Dictionary<string, long> _prices;
    private readonly Dictionary<string, HashSet<string>> _products = [];
    private readonly RetailerRecord _record;

    public CartCompletion(RetailerRecord record)
    {
        _record = record;
        _prices = record.Baskets.SelectMany(static basket => basket.Lines).Where(static line => line.Value > 0).GroupBy(static line => line.Product).ToDictionary(static one => one.Key, static one =>
        {
            var prices = one.Select(static line => Math.Max(1, line.Value / line.Quantity)).Order().ToList();
            return prices[prices.Count / 2];
        });
    }

    /// <summary>How many of the coupons find an eligible product in the basket.</summary>
    public int Matches(Basket basket, IReadOnlyList<PrintedCoupon> coupons) => coupons.Count(coupon => basket.Lines.Exists(line => ProductsOf(coupon).Contains(line.Product)));

    public Cart Complete(string orderId, IReadOnlyList<PrintedCoupon> coupons)
    {
        var chosen = new List<string>();
        foreach (var coupon in coupons)
        {
            var others = coupons.Where(other => other.Code != coupon.Code).Select(ProductsOf).ToList();
            var alone = coupon.Products.Where(product => !others.Exists(other => other.Contains(product))).ToList();
            var from = alone.Count > 0 ? alone : [.. coupon.Products];
            var sold = from.Where(_prices.ContainsKey).ToList();
            var product = (sold.Count > 0 ? sold : from).Order(StringComparer.Ordinal).First();
            if (!chosen.Contains(product)) chosen.Add(product);
        }

        return new(orderId, CompleteJourneyReplay.Currency, [.. chosen.Select((product, i) =>
            new CartLine((i + 1).ToString(CultureInfo.InvariantCulture), product, _record.Categories.GetValueOrDefault(product), 1, _prices.GetValueOrDefault(product, PriceWithoutAnySale)))], 0);
    }

    private HashSet<string> ProductsOf(PrintedCoupon coupon)
    {
        if (!_products.TryGetValue(coupon.Code, out var products)) _products.Add(coupon.Code, products = [.. coupon.Products]);
        return products;
    }
}
