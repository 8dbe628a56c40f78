using System.Globalization;
using Promotions.Domain;

namespace Promotions.Simulation.CompleteJourney;

/// <param name="Type">A, B or C.</param>
/// <param name="EndsAt">Exclusive: the midnight after the last day.</param>
internal sealed record MailedCampaign(string Id, string Type, EventTime StartsAt, EventTime EndsAt);

/// <summary>One coupon of one campaign: the data prints some coupons in several campaigns.</summary>
internal sealed record PrintedCoupon(string CampaignId, string Upc, IReadOnlyList<string> Products)
{
    public string Code => $"{CampaignId}-{Upc}";
}

/// <param name="Value">Cents: what the line cost before coupons.</param>
/// <param name="CouponDiscount">Cents.</param>
internal sealed record BasketLine(string Product, int Quantity, long Value, long CouponDiscount);

internal sealed record Basket(string Id, string Household, string Store, EventTime At, List<BasketLine> Lines);

/// <summary>One row of the retailer's own record: how many mailed pairs of campaign and household redeemed at least once.</summary>
/// <param name="Type">A, B or C; "all" for the sum.</param>
public sealed record RecordRow(string Type, int Redeemed, int Mailed);

/// <summary>The tables of the data folder, read whole: about 100 MB while it lives.</summary>
internal sealed class RetailerRecord
{
    public RetailerRecord(string folder)
    {
        string At(string table) => Path.Combine(folder, $"{table}.csv.gz");
        Campaigns = CsvTable.Read(At("campaign_descriptions"), "campaign_id", "campaign_type", "start_date", "end_date")
            .Select(static row => new MailedCampaign(row[0], row[1].Replace("Type ", "", StringComparison.Ordinal), Day(row[2]), Day(row[3]).Plus(TimeSpan.FromDays(1)))).ToDictionary(static one => one.Id);
        Mailings = [.. CsvTable.Read(At("campaigns"), "campaign_id", "household_id").Select(static row => (row[0], row[1]))];
        Categories = CsvTable.Read(At("products"), "product_id", "product_category").ToDictionary(static row => row[0], static row => row[1]);

        var ids = Categories.Keys.ToDictionary(static id => id, static id => id);   // one string per product, shared by all lists
        var products = new Dictionary<(string Campaign, string Upc), List<string>>();
        foreach (var row in CsvTable.Read(At("coupons"), "coupon_upc", "product_id", "campaign_id"))
        {
            if (!products.TryGetValue((row[2], row[0]), out var list)) products.Add((row[2], row[0]), list = []);
            list.Add(ids.GetValueOrDefault(row[1], row[1]));
        }

        Coupons = products.ToDictionary(static one => one.Key, static one => new PrintedCoupon(one.Key.Campaign, one.Key.Upc, [.. one.Value.Distinct()]));
        Redemptions = [.. CsvTable.Read(At("coupon_redemptions"), "household_id", "coupon_upc", "campaign_id", "redemption_date").Select(static row => (row[0], row[1], row[2], Day(row[3])))];

        var baskets = new Dictionary<string, Basket>();
        foreach (var row in CsvTable.Read(At("transactions_sample"), "basket_id", "household_id", "store_id", "product_id", "quantity", "sales_value", "coupon_disc", "coupon_match_disc", "transaction_timestamp"))
        {
            if (!baskets.TryGetValue(row[0], out var basket)) baskets.Add(row[0], basket = new(row[0], row[1], row[2], Moment(row[8]), []));
            var coupon = Cents(row[6]) + Cents(row[7]);
            basket.Lines.Add(new(ids.GetValueOrDefault(row[3], row[3]), Math.Max(1, int.Parse(row[4], CultureInfo.InvariantCulture)), Cents(row[5]) + coupon, coupon));
        }

        Baskets = [.. baskets.Values.OrderBy(static one => one.At).ThenBy(static one => one.Id, StringComparer.Ordinal)];
    }

    public IReadOnlyDictionary<string, MailedCampaign> Campaigns { get; }
    public IReadOnlyList<(string CampaignId, string Household)> Mailings { get; }
    public IReadOnlyDictionary<string, string> Categories { get; }
    public IReadOnlyDictionary<(string CampaignId, string Upc), PrintedCoupon> Coupons { get; }
    public IReadOnlyList<(string Household, string Upc, string CampaignId, EventTime Day)> Redemptions { get; }
    public IReadOnlyList<Basket> Baskets { get; }

    public IReadOnlyList<RecordRow> Table()
    {
        var mailed = Mailings.Distinct().ToList();
        var redeemed = Redemptions.Select(static one => (one.CampaignId, one.Household)).ToHashSet();
        RecordRow Row(string type, Func<string, bool> belongs) =>
            new(type, mailed.Count(pair => belongs(pair.CampaignId) && redeemed.Contains(pair)), mailed.Count(pair => belongs(pair.CampaignId)));
        return [.. Campaigns.Values.Select(static one => one.Type).Distinct().Order(StringComparer.Ordinal).Select(type => Row(type, id => Campaigns[id].Type == type)), Row("all", static _ => true)];
    }

    private static long Cents(string text) => (long)decimal.Round(decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture) * 100);
    private static EventTime Day(string text) => EventTime.From(DateTimeOffset.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal));
    private static EventTime Moment(string text) => EventTime.From(DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal));
}
