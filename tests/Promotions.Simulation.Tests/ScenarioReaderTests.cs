using Promotions.Simulation.Abuse;

namespace Promotions.Simulation.Tests;

public sealed class ScenarioReaderTests
{
    private const string Valid = """
        {
          "format": 1, "kind": "my_kind", "description": "d", "rings_per_month": 30, "duration_hours": {"min": 1, "max": 10}, "accounts": {"min": 5, "max": 9},
          "attempts_per_account": {"min": 2, "max": 2}, "gap_seconds": {"min": 10, "max": 20}, "account_age_hours": {"min": 0, "max": 1},
          "pools": {"devices": {"min": 0, "max": 0}, "ips": {"min": 1, "max": 1}}, "codes": {"source": "known", "known": ["WELCOME10"]},
          "cart": {"value_minor_units": {"min": 3000, "max": 4000}, "lines_max": 1},
          "labels": {"review_hours": {"min": 1, "max": 2}, "late_share": 1, "late_days": {"min": 7, "max": 8}}
        }
        """;

    [Fact]
    public void The_four_kinds_are_shipped() =>
        Assert.Equal(["account_farm", "code_enumeration", "leaked_code", "refund_after_earn"], ScenarioReader.Shipped.Select(static one => one.Kind));

    [Fact]
    public void Twelve_kinds_act_and_only_the_first_four_unless_asked()
    {
        Assert.Equal(12, ScenarioReader.All.Select(static one => one.Kind).Distinct().Count());
        Assert.Equal(ScenarioReader.Shipped, ScenarioReader.All.Take(4));
        var seen = new HashSet<string>();
        var options = SimulatedRetailerTests.Options(days: 30) with { Scenarios = [.. ScenarioReader.All.Select(static one => one.Turned(intensity: 12, care: 1))] };
        new ReferenceCheckout().Run(new SimulatedRetailer(options), (happened, _) =>
        {
            if (happened is RedemptionAttempted { Truth.Abuse: true } attempt) seen.Add(attempt.Truth.Kind);
        });
        Assert.Equal(ScenarioReader.All.Select(static one => one.Kind).Order(), seen.Order());
    }

    [Fact]
    public void Knobs_turn_how_much_abuse_there_is_and_how_well_it_hides()
    {
        var farm = ScenarioReader.Shipped[0];
        var turned = farm.Turned(intensity: 3, care: 4);
        Assert.Equal(7.5, turned.RingsPerMonth);
        Assert.Equal((new NumberRange(240, 21_600), new NumberRange(4, 20), new NumberRange(24, 240)), (turned.GapSeconds, turned.Pools.Devices, turned.DurationHours));
        Assert.Equal((farm.Accounts, farm.Cart, farm.Labels), (turned.Accounts, turned.Cart, turned.Labels));
        Assert.Equal(2_160, farm.Turned(1, 1_000).DurationHours.Max);
    }

    [Fact]
    public void A_kind_nobody_saw_before_is_acted_out_as_its_file_says()
    {
        var options = SimulatedRetailerTests.Options(days: 30) with { Scenarios = [ScenarioReader.Parse(Valid, "mine.json")] };
        var attempts = new List<RedemptionAttempted>();
        new ReferenceCheckout().Run(new SimulatedRetailer(options), (happened, _) =>
        {
            if (happened is RedemptionAttempted { Truth.Abuse: true } attempt) attempts.Add(attempt);
        });

        Assert.True(attempts.Count > 40, $"{attempts.Count}");
        Assert.All(attempts, static one => Assert.True(one.Truth.Kind == "my_kind" && one.Request.Context.DeviceId is null && one.Request.Redeemables[0].Code == "WELCOME10"));
        Assert.All(attempts.GroupBy(static one => one.Request.Context.Ip), static ring => Assert.True(ring.Select(static one => one.Request.Customer.Id).Distinct().Count() >= 4));
        Assert.All(attempts, static one => Assert.InRange(one.At.UnixMilliseconds - one.Request.Customer.RegisteredAt!.Value.UnixMilliseconds, 0, 3_700_000));
    }

    [Theory]
    [InlineData("\"format\": 1", "\"format\": 2", "format is 2")]
    [InlineData("\"kind\": \"my_kind\",", "", "kind")]
    [InlineData("\"description\"", "\"colour\": 1, \"description\"", "colour")]
    [InlineData("\"kind\": \"my_kind\"", "\"kind\": \"honest_x\"", "must not begin with honest")]
    [InlineData("\"late_share\": 1", "\"late_share\": 1.5", "labels.late_share")]
    [InlineData("\"min\": 5, \"max\": 9", "\"min\": 9, \"max\": 5", "accounts.min is above accounts.max")]
    [InlineData("\"source\": \"known\"", "\"source\": \"guess\"", "codes.pattern")]
    [InlineData("[\"WELCOME10\"]", "[\"welcome10\"]", "codes.known")]
    [InlineData("[\"WELCOME10\"]", "[]", "codes.known")]
    [InlineData("{\"min\": 1, \"max\": 10}", "7", "duration_hours")]
    [InlineData("\"format\": 1", "\"format\": 1, \"format\": 1", "format")]
    public void A_file_that_the_format_does_not_know_is_refused_by_name(string from, string to, string says)
    {
        var e = Assert.Throws<ScenarioFormatException>(() => ScenarioReader.Parse(Valid.Replace(from, to, StringComparison.Ordinal), "mine.json"));
        Assert.StartsWith("mine.json: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }
}
