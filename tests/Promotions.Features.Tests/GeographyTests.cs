using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Features.Tests;

public class GeographyTests
{
    private static readonly EventTime Start = EventTime.From(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
    private static readonly EntityKey Anna = EntityKey.Of(EntityKind.Customer, "anna");
    private static readonly int Travel = FeatureRegistry.IndexOf("customer_travel") - FeatureRegistry.Block(EntityKind.Customer).Offset;

    [Theory]
    //          from  to    minutes  km/h at least
    [InlineData("DE", "DE",      10, 0.0)]
    [InlineData("DE", "FR",      10, 0.0)]            // neighbours: the border is between them
    [InlineData("DE", "US",     120, 2_530.0)]        // from 5,060 km, at least
    [InlineData("US", "DE",     120, 2_530.0)]
    [InlineData("DE", "AU",     600, 1_240.0)]        // from 12,400 km, at least
    [InlineData("DE", "US",       0, 303_600.0)]      // at once counts as a minute
    [InlineData("DE", "US",    1439, 211.0)]
    [InlineData("DE", "US",    1440, double.NaN)]     // in a day one gets anywhere
    [InlineData("DE", "ZZ",      10, double.NaN)]     // nobody's outline
    [InlineData("DE", "",        10, double.NaN)]
    [InlineData("",   "DE",      10, double.NaN)]
    public void Speed_is_the_least_that_two_attempts_need(string from, string to, int minutes, double kilometresPerHour)
    {
        var state = EntityState.Load(Anna, NoTiles.Instance);
        var first = Observe(state, 1, Start, from);
        Assert.True(float.IsNaN(first));
        var speed = Observe(state, 2, Start.Plus(TimeSpan.FromMinutes(minutes)), to);
        if (double.IsNaN(kilometresPerHour)) Assert.True(float.IsNaN(speed), $"{speed} km/h");
        else Assert.InRange(speed, 0.95 * kilometresPerHour, kilometresPerHour);
    }

    [Fact]
    public void An_attempt_without_a_country_does_not_hide_the_one_before_it_and_a_retry_travels_nowhere()
    {
        var state = EntityState.Load(Anna, NoTiles.Instance);
        Observe(state, 1, Start, "DE");
        Assert.True(float.IsNaN(Observe(state, 2, Start.Plus(TimeSpan.FromMinutes(30)), "")));
        Assert.True(Observe(state, 3, Start.Plus(TimeSpan.FromMinutes(60)), "US") > 1_000);
        Assert.Equal(0, Observe(state, 3, Start.Plus(TimeSpan.FromMinutes(60)), "US"));
    }

    [Fact]
    public void Places_outlive_a_restart_and_a_thousand_attempts_of_a_day()
    {
        var (store, kept, written) = (new TileMemory(), EntityState.Load(Anna, NoTiles.Instance), EntityState.Load(Anna, NoTiles.Instance));
        var random = new Random(7);
        for (var i = 0; i < 1_000; i++)
        {
            var (at, country) = (Start.Plus(TimeSpan.FromSeconds(i * 40)), random.Next(4) switch { 0 => "US", 1 => "DE", 2 => "AU", _ => "" });
            var expected = Observe(kept, (ulong)i + 1, at, country);
            Assert.Equal(expected, Observe(written, (ulong)i + 1, at, country));
            if (i % 97 != 0) continue;
            written.WriteDirty(store);
            written = EntityState.Load(Anna, store);
        }
    }

    [Fact]
    public void Countries_and_flags_become_features_and_what_is_not_known_is_missing()
    {
        var part = Request(new(Of("NL"), Of("DE"), Of("DE"), IpFlags.HostingKnown | IpFlags.Hosting | IpFlags.TorKnown));
        Assert.Equal((1f, 1f, 0f, 1f, 0f), part);
        Assert.Equal((float.NaN, 1f, float.NaN, float.NaN, float.NaN), Request(new(Of("NL"), default, Of("DE"), IpFlags.None)));
        Assert.Equal((float.NaN, float.NaN, float.NaN, float.NaN, float.NaN), Request(default));
    }

    [Fact]
    public void Distances_are_symmetric_and_obey_no_more_than_the_globe()
    {
        string[] codes = ["DE", "FR", "US", "AU", "JP", "BR", "ZA", "NZ", "IS", "CN"];
        foreach (var one in codes)
            foreach (var other in codes)
            {
                var distance = CountryDistances.KilometresAtLeast(Of(one), Of(other));
                Assert.Equal(distance, CountryDistances.KilometresAtLeast(Of(other), Of(one)));
                Assert.InRange(distance!.Value, 0, 20_100);
            }
        Assert.InRange(CountryDistances.KilometresAtLeast(Of("AU"), Of("NZ"))!.Value, 500, 1_700);
        Assert.Equal(0, CountryDistances.KilometresAtLeast(Of("FR"), Of("BR")));        // French Guiana is France
        Assert.Null(CountryDistances.KilometresAtLeast(default, Of("DE")));
    }

    private static Country Of(string code) => Country.TryParse(code, out var country) ? country : default;

    private static float Observe(EntityState state, ulong id, EventTime at, string country)
    {
        var part = new float[FeatureRegistry.Block(EntityKind.Customer).Length];
        state.Observe(new(at, id, 1_000, 1, 2, 3, default, Of(country)), part);
        return part[Travel];
    }

    private static (float, float, float, float, float) Request(AttemptOrigin origin)
    {
        var vector = new float[FeatureRegistry.Count];
        var request = new RedemptionRequest(AttemptKind.Redemption, "r", "web", "k", new("c", null), new("o", "EUR", [new("1", "s", null, 1, 100)], 0), [], AttemptContext.None, Start, null, null, default, Origin: origin);
        FeatureVector.PutRequest(vector, request, new PricedCart(RefusalCode.None, [], [], 100, 0, 100, 100));
        float At(string name) => vector[FeatureRegistry.IndexOf("request_" + name)];
        return (At("ip_account_country"), At("ip_shipping_country"), At("account_shipping_country"), At("ip_hosting"), At("ip_tor"));
    }
}
