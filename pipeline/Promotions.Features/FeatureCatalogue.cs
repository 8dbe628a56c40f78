using static Promotions.Features.EntityKind;
using static Promotions.Features.Windows;

namespace Promotions.Features;

/// <summary>The list itself. Reads top to bottom as the vector does.</summary>
internal static class FeatureCatalogue
{
    public static FeatureDefinition[] Build()
    {
        var b = new Builder();

        b.Request("subtotal", FeatureUnit.MinorUnits, "cart before discounts, without shipping", "the cart is worth {0}");
        b.Request("discount", FeatureUnit.MinorUnits, "discount that the priced request would give", "the discount is {0}");
        b.Request("discount_share", FeatureUnit.Share, "discount over subtotal; 0 for an empty cart", "the discount is {0} of the cart");
        b.Request("tender_share", FeatureUnit.Share, "what balances pay over subtotal; 0 for an empty cart", "balances pay {0} of the cart");
        b.Request("lines", FeatureUnit.Count, "lines of the cart", "the cart has {0} lines");
        b.Request("quantity", FeatureUnit.Count, "pieces in the cart", "the cart has {0} pieces");
        b.Request("redeemables", FeatureUnit.Count, "coupons and balances in the request", "{0} coupons and balances at once");
        b.Request("unknown_codes", FeatureUnit.Count, "codes of the request that name no coupon", "{0} codes of this request do not exist");
        b.Request("validation", FeatureUnit.Flag, "1 for a validation, 0 for a redemption", "a trial without purchase: {0}");
        b.Request("account_age", FeatureUnit.Milliseconds, "time since the account was made; missing when the caller did not say, 0 when in the future", "the account is {0} old");
        b.Request("hour", FeatureUnit.HourOfDay, "hour of the event in UTC, 0 to 23", "it is hour {0} (UTC)");
        b.Request("weekday", FeatureUnit.DayOfWeek, "day of the event in UTC, 0 for Sunday", "it is {0}");

        b.Request("ip_account_country", FeatureUnit.Flag, "1 where the ip's country is not the account's; missing where either is unknown", "the ip is in another country than the account: {0}");
        b.Request("ip_shipping_country", FeatureUnit.Flag, "1 where the ip's country is not the one shipped to; missing where either is unknown", "the ip is in another country than the delivery: {0}");
        b.Request("account_shipping_country", FeatureUnit.Flag, "1 where the account's country is not the one shipped to; missing where either is unknown", "the account is of another country than the delivery: {0}");
        b.Request("ip_hosting", FeatureUnit.Flag, "1 where the ip lies in a range of the list of hosting providers; missing where no list is given", "the ip belongs to a hosting provider: {0}");
        b.Request("ip_tor", FeatureUnit.Flag, "1 where the ip is in the list of Tor exits; missing where no list is given", "the ip is a Tor exit: {0}");

        b.Kind(Customer, "customer", "by this customer");
        b.Attempts(OneMinute, TenMinutes, OneHour, OneDay, SevenDays, ThirtyDays);
        b.Amount(OneDay, ThirtyDays);
        b.Refusals(OneDay);
        b.Distinct(OtherKind.Devices, SevenDays);
        b.Distinct(OtherKind.Ips, OneDay);
        b.Distinct(OtherKind.Codes, OneHour, SevenDays);
        b.Distinct(OtherKind.InvalidCodes, OneDay);
        b.SinceFirst();
        b.SinceLast();
        b.Burst();
        b.AbuseRate();
        b.Series("orders", Measure.Count, SeriesKind.Orders, FeatureUnit.Count, "orders placed", "{0} orders", ThirtyDays);
        b.Series("spend", Measure.Sum, SeriesKind.Orders, FeatureUnit.MinorUnits, "paid for orders", "{0} paid for orders", ThirtyDays);
        b.Series("returned", Measure.Sum, SeriesKind.Returns, FeatureUnit.MinorUnits, "given back for returned orders", "{0} of orders returned", ThirtyDays);

        b.Travel();

        b.Kind(Device, "device", "from this device");
        b.Attempts(TenMinutes, OneDay);
        b.Distinct(OtherKind.Accounts, OneHour, OneDay, ThirtyDays);
        b.Distinct(OtherKind.Codes, OneDay);
        b.Distinct(OtherKind.InvalidCodes, OneHour);
        b.SinceFirst();
        b.Burst();
        b.AbuseRate();

        b.Kind(Ip, "ip", "from this ip");
        b.Attempts(OneMinute, OneHour);
        b.Distinct(OtherKind.Accounts, OneHour, OneDay);
        b.Distinct(OtherKind.Codes, TenMinutes);
        b.Distinct(OtherKind.InvalidCodes, OneHour);
        b.Refusals(OneHour);
        b.Burst();
        b.AbuseRate();

        b.Kind(Network, "network", "from this network");
        b.Attempts(TenMinutes);
        b.Distinct(OtherKind.Accounts, OneHour);
        b.Distinct(OtherKind.InvalidCodes, OneHour);
        b.AbuseRate();

        b.Kind(Coupon, "coupon", "with this code");
        b.Attempts(OneDay);
        b.Distinct(OtherKind.Accounts, OneDay);
        b.Distinct(OtherKind.Ips, OneHour);
        b.Refusals(OneHour);
        b.SinceFirst();
        b.Burst();
        b.AbuseRate();

        b.Kind(PaymentToken, "payment_token", "with this payment method");
        b.Attempts(OneDay);
        b.Amount(ThirtyDays);
        b.Distinct(OtherKind.Accounts, OneDay, ThirtyDays);
        b.AbuseRate();

        b.Kind(Address, "address", "for this address");
        b.Attempts(OneDay);
        b.Amount(ThirtyDays);
        b.Distinct(OtherKind.Accounts, OneDay, ThirtyDays);
        b.AbuseRate();

        return b.ToArray();
    }

    private sealed class Builder
    {
        private readonly List<FeatureDefinition> _features = [];
        private EntityKind _entity;
        private string _prefix = "request";
        private string _by = "";

        public FeatureDefinition[] ToArray() => [.. _features];

        public void Kind(EntityKind entity, string prefix, string by) => (_entity, _prefix, _by) = (entity, prefix, by);

        public void Request(string name, FeatureUnit unit, string description, string template) =>
            Add(name, unit, 0, Measure.Request, 0, Exactness.Exact, Combine.Largest, description, template);

        public void Attempts(params ReadOnlySpan<long> windows) => Series("attempts", Measure.Count, SeriesKind.Attempts, FeatureUnit.Count, "attempts, this one included", "{0} attempts", windows);
        public void Amount(params ReadOnlySpan<long> windows) => Series("amount", Measure.Sum, SeriesKind.Attempts, FeatureUnit.MinorUnits, "cart subtotals of attempts, this one included", "carts worth {0}", windows);
        public void Refusals(params ReadOnlySpan<long> windows) => Series("refusals", Measure.Count, SeriesKind.Refusals, FeatureUnit.Count, "attempts blocked or rejected", "{0} refused attempts", windows);

        public void Series(string name, Measure measure, SeriesKind source, FeatureUnit unit, string description, string template, params ReadOnlySpan<long> windows)
        {
            foreach (var window in windows)
                Add($"{name}_{NameOf(window)}", unit, window, measure, (byte)source, Exactness.Exact, Combine.Largest, $"{description}, {_by}", $"{template} {_by} in {Spoken(window)}");
        }

        public void Distinct(OtherKind other, params ReadOnlySpan<long> windows)
        {
            var (name, description, template) = other switch
            {
                OtherKind.Accounts => ("accounts", "distinct customers", "{0} accounts redeemed"),
                OtherKind.Devices => ("devices", "distinct devices used", "{0} devices used"),
                OtherKind.Ips => ("ips", "distinct ips used", "{0} ips used"),
                OtherKind.Codes => ("codes", "distinct codes tried", "{0} codes tried"),
                _ => ("invalid_codes", "distinct codes of requests in which a code named no coupon", "{0} codes guessed wrongly"),
            };
            foreach (var window in windows)
                Add($"{name}_{NameOf(window)}", FeatureUnit.Count, window, Measure.Distinct, (byte)other, Exactness.LowerBoundBeyondSet, Combine.Largest,
                    $"{description} {_by}", $"{template} {_by} in {Spoken(window)}");
        }

        public void SinceFirst() => Add("since_first", FeatureUnit.Milliseconds, 0, Measure.SinceFirst, 0, Exactness.Exact, Combine.Smallest,
            $"time since the first attempt {_by}; begins anew after 30 idle days", $"the first attempt {_by} was {{0}} ago");

        public void SinceLast() => Add("since_last", FeatureUnit.Milliseconds, ThirtyDays, Measure.SinceLast, 0, Exactness.Exact, Combine.Smallest,
            $"time since the attempt before {_by}; missing when there is none in 30 days", $"the last attempt {_by} was {{0}} ago");

        public void Burst() => Add("burst", FeatureUnit.Ratio, SevenDays, Measure.Burst, 0, Exactness.Exact, Combine.Largest,
            $"attempts {_by} in 10 min over the mean of 10 min in 7 d, counted as at least one", $"attempts {_by} come {{0}} times as often as in the week before");

        public void AbuseRate() => Add("abuse_rate_30d", FeatureUnit.Share, ThirtyDays, Measure.AbuseRate, 0, Exactness.Exact, Combine.Largest,
            $"abuse labels over all labels that arrived in the window, {_by}, smoothed", $"{{0}} of the reviewed attempts {_by} were abuse (smoothed, 30 d)");

        public void Travel() => Add("travel", FeatureUnit.KilometresPerHour, OneDay, Measure.Travel, (byte)SeriesKind.Places, Exactness.Exact, Combine.Largest,
            $"least speed from the country of the attempt before {_by}, in 24 h, to this one's: the least distance between the two countries over the time between, counted as a minute at least; 0 in the same country or a neighbour's; missing without a country before",
            $"to be where this attempt comes from after the last one, at least {{0}} were travelled {_by}");

        private void Add(string name, FeatureUnit unit, long window, Measure measure, byte source, Exactness exactness, Combine combine, string description, string template)
        {
            var what = _prefix.Replace('_', ' ');
            var isRequest = _entity == EntityKind.None;
            _features.Add(new(_features.Count, $"{_prefix}_{name}", _entity, unit, window, measure, source, exactness, combine, description,
                isRequest ? "The request does not say." : $"The request names no {what}.",
                isRequest ? "Never late." : $"The {what}'s part did not come within gather's patience.", template));
        }

        private static string Spoken(long window) => window switch
        {
            OneMinute => "1 min",
            TenMinutes => "10 min",
            OneHour => "1 h",
            OneDay => "24 h",
            SevenDays => "7 d",
            _ => "30 d",
        };
    }
}
