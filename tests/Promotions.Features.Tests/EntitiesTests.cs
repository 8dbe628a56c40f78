using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;

namespace Promotions.Features.Tests;

public class EntitiesTests
{
    [Theory]
    //          text                       ip                     network
    [InlineData("203.0.113.77", "203.0.113.77", "203.0.113.0/24")]
    [InlineData("0.0.0.0", "0.0.0.0", "0.0.0.0/24")]
    [InlineData("::ffff:203.0.113.77", "203.0.113.77", "203.0.113.0/24")]   // IPv4-mapped is IPv4
    [InlineData("2001:DB8:1:2::5", "2001:db8:1:2::5", "2001:db8:1::/48")]
    [InlineData("2001:db8:1:0:0:0:0:5", "2001:db8:1::5", "2001:db8:1::/48")]
    [InlineData("::1", "::1", "::/48")]
    [InlineData("1", null, null)]                                           // IPAddress takes these three
    [InlineData("0x7f.1", null, null)]
    [InlineData("010.0.0.1", null, null)]
    [InlineData("256.0.0.1", null, null)]
    [InlineData("1.2.3.4.5", null, null)]
    [InlineData("1.2.3.", null, null)]
    [InlineData("fe80::1%eth0", null, null)]
    [InlineData("[2001:db8::1]:80", null, null)]
    [InlineData("unknown", null, null)]
    [InlineData("", null, null)]
    [InlineData(null, null, null)]
    public void Ip_and_network_are_canonical_or_absent(string? text, string? ip, string? network) =>
        Assert.Equal((ip, network), Entities.Locate(text));

    [Fact]
    public void Codes_are_named_once_each_in_order_and_balances_are_no_codes()
    {
        var entities = Entities.From(ARequest(new(RedeemableType.Coupon, "B", 0), new(RedeemableType.Points, null, 5), new(RedeemableType.Coupon, "A", 0), new(RedeemableType.Coupon, "B", 0)));
        Assert.Equal(["B", "A"], entities.Codes);
        var keys = new List<EntityKey>();
        Entities.Keys(entities, keys);
        Assert.Equal([EntityKind.Customer, EntityKind.Device, EntityKind.Ip, EntityKind.Network, EntityKind.Coupon, EntityKind.Coupon], keys.Select(k => k.Kind));
        Assert.Equal(EntityKey.Of(EntityKind.Coupon, "A"), keys[5]);
    }

    [Fact]
    public void An_observation_from_keys_is_the_one_from_names()
    {
        foreach (var codes in (int[])[0, 1, 2, 4, 5, 9])
        {
            var request = ARequest([.. Enumerable.Range(0, codes).Select(i => new Redeemable(RedeemableType.Coupon, $"C{i}", 0))]);
            var entities = Entities.From(request);
            var keys = new EntityKey[Entities.CountOf(entities)];
            Assert.Equal(keys.Length, Entities.Keys(entities, keys));
            var list = new List<EntityKey> { keys[0] };
            Entities.Keys(entities, list);
            Assert.Equal(keys, list);
            var (named, keyed) = (Observation.From(request, entities), Observation.From(request, keys));
            Assert.Equal(named with { Codes = default }, keyed with { Codes = default });
            Assert.Equal(codes, keyed.Codes.Count);
            for (var i = 0; i < codes; i++) Assert.Equal(EntityKey.OtherOf($"C{i}"), keyed.Codes[i]);
            for (var i = 0; i < codes; i++) Assert.Equal(named.Codes[i], keyed.Codes[i]);
        }
        Assert.Equal(1UL, new EntityKey(EntityKind.Device, (UInt128)7 << 64).Other); // never 0, which is absence
    }

    [Fact]
    public void A_key_reads_back_as_written()
    {
        var key = EntityKey.Of(EntityKind.Address, "a-1");
        Span<byte> bytes = stackalloc byte[EntityKey.Length];
        key.WriteTo(bytes);
        Assert.Equal(key, EntityKey.ReadFrom(bytes));
        Assert.NotEqual(key, EntityKey.Of(EntityKind.Device, "a-1"));
    }

    [Fact]
    public void The_requests_part_is_filled_from_the_priced_request()
    {
        var request = ARequest(new Redeemable(RedeemableType.Coupon, "B", 0));
        var priced = new PricedCart(RefusalCode.None, [new(request.Redeemables[0], "c", 1, null, RefusalCode.None, 500, 0, Arm.None, false, true)], [], 2000, 500, 1500, 1000);
        var vector = new float[FeatureRegistry.Count];
        FeatureVector.Clear(vector);
        FeatureVector.PutRequest(vector, request, priced);

        Assert.Equal(2000, Of("request_subtotal"));
        Assert.Equal(0.25f, Of("request_discount_share"));
        Assert.Equal(0.25f, Of("request_tender_share"));
        Assert.Equal(1, Of("request_unknown_codes"));
        Assert.Equal(4, Of("request_quantity"));
        Assert.Equal(3600_000, Of("request_account_age"));
        Assert.Equal(13, Of("request_hour"));
        Assert.Equal((float)DayOfWeek.Monday, Of("request_weekday"));
        Assert.True(float.IsNaN(Of("device_accounts_24h")));

        float Of(string name) => vector[FeatureRegistry.IndexOf(name)];
    }

    [Fact]
    public void Of_two_codes_the_more_telling_value_of_each_feature_stays()
    {
        var block = FeatureRegistry.Block(EntityKind.Coupon);
        var vector = new float[FeatureRegistry.Count];
        FeatureVector.Clear(vector);
        var part = new float[block.Length];
        part.AsSpan().Fill(5);
        FeatureVector.Put(vector, EntityKind.Coupon, part);
        part.AsSpan().Fill(3);
        FeatureVector.Put(vector, EntityKind.Coupon, part);
        Assert.Equal(5, vector[FeatureRegistry.IndexOf("coupon_attempts_24h")]);
        Assert.Equal(3, vector[FeatureRegistry.IndexOf("coupon_since_first")]);
        Assert.Equal(FeatureVector.Hash(vector), FeatureVector.Hash([.. vector]));
    }

    private static RedemptionRequest ARequest(params Redeemable[] redeemables) => new(
        AttemptKind.Redemption, "r-1", "web", "key", new("c-1", At("2026-11-23T12:00:00Z")),
        new("o-1", "EUR", [new("1", "sku", null, 4, 500)], 0), redeemables,
        new("d-1", "203.0.113.77", null, "", null, null), At("2026-11-23T13:00:00Z"), null, null, new byte[32]);

    private static EventTime At(string text) => EventTime.From(DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture));
}
