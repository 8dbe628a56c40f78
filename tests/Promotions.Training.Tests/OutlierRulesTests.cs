using System.Text.Json.Nodes;
using CsCheck;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Scoring;

namespace Promotions.Training.Tests;

public class OutlierRulesTests
{
    private const string Policy = """
        {"version": 3, "costs": {"wronged_customer": 2000}, "review_floor": 0.05, "channels": [], "hold_seconds": 60, "let_through": null,
         "hard_rules": [{"name": "code_guessing_ip", "feature": "ip_invalid_codes_1h", "at_least": 20}, {"name": "outlier.device_codes_24h", "feature": "device_codes_24h", "at_least": 2, "note": "old"}],
         "written_by": "rita", "written_at": "2026-01-01T00:00:00Z"}
        """;

    private static readonly OutliersCommand.Options Usual = new(0.001, [], 3);

    private static readonly int DeviceCodes = FeatureRegistry.IndexOf("device_codes_24h"), IpAccounts = FeatureRegistry.IndexOf("ip_accounts_24h"), CouponAttempts = FeatureRegistry.IndexOf("coupon_attempts_24h"), CouponAccounts = FeatureRegistry.IndexOf("coupon_accounts_24h");

    /// <summary>Counts of a few per row, some missing; the customers return.</summary>
    private static readonly Gen<TrainingRow[]> Rows = Gen.Select(Gen.Int[1, 60], Gen.Int[0, 9], Gen.Int[0, 60], Gen.Int[0, 60])
        .Select((customer, missing, codes, accounts) => Row((ulong)customer, missing == 0 ? float.NaN : codes * codes / 300, accounts * accounts / 200)).Array[200, 400];

    [Fact]
    public void No_more_customers_than_allowed_reach_a_limit_and_without_a_budget_it_lies_above_all_that_anybody_had() =>
        Gen.Select(Rows, Gen.Int[0, 8]).Sample((rows, allowed) =>
        {
            var (limits, above) = (OutlierRules.MeasureLimits(rows, allowed), OutlierRules.MeasureLimits(rows, 0));
            Assert.Equal(["device_codes_24h", "ip_accounts_24h"], limits.Select(limit => limit.Feature));
            Assert.InRange(rows.Where(row => OutlierRules.Blocks(limits, row)).Select(row => row.Entities![0]).Distinct().Count(), 0, allowed);
            Assert.Equal([MathF.Floor(Most(DeviceCodes)) + 1, MathF.Floor(Most(IpAccounts)) + 1], above.Select(limit => limit.AtLeast));
            Assert.All(limits.Zip(above), pair => Assert.True(pair.First.AtLeast <= pair.Second.AtLeast, "a budget only brings limits down"));

            float Most(int feature) => rows.Select(row => row.Vector[feature]).Where(value => !float.IsNaN(value)).Max();
        }, iter: 60);

    [Fact]
    public void Codes_and_orders_get_no_limit_and_all_limits_fit_into_a_policy()
    {
        Assert.DoesNotContain(CouponAttempts, OutlierRules.Measured);
        Assert.DoesNotContain(FeatureRegistry.IndexOf("customer_spend_30d"), OutlierRules.Measured);
        Assert.DoesNotContain(FeatureRegistry.IndexOf("customer_orders_30d"), OutlierRules.Measured);
        Assert.Contains(DeviceCodes, OutlierRules.Measured);
        Assert.Contains(FeatureRegistry.IndexOf("customer_returned_30d"), OutlierRules.Measured);
        Assert.True(OutlierRules.Measured.Count <= 50, "an admin's own rules have to fit beside them");
    }

    [Fact]
    public void A_surge_is_measured_against_the_codes_own_usual_day_and_a_surge_in_the_period_moves_it_little()
    {
        // Forty days of eight accounts in 24 h, five days of ninety; no other code counts.
        TrainingRow[] rows = [.. Enumerable.Range(0, 45).SelectMany(day => Enumerable.Repeat(OfCode("STAFF25", day, day is >= 20 and < 25 ? 90 : 8), 12).Append(OfCode("SEASON8", day, 400)))];
        var rule = OutlierRules.MeasureSurge(rows, "STAFF25", 3)!;
        Assert.Equal(new HardRule("outlier.surge.STAFF25", "coupon_accounts_24h", 24, "on its usual day 8 accounts use STAFF25", "STAFF25", true), rule);

        Assert.Equal(10, OutlierRules.MeasureSurge(rows.Select(row => row with { Vector = With(row.Vector, CouponAccounts, 1) }), "STAFF25", 3)!.AtLeast);
        Assert.Null(OutlierRules.MeasureSurge(rows.Take(13 * 13), "STAFF25", 3));

        var stranger = With(With(OfCode("STAFF25", 50, 24).Vector, FeatureRegistry.IndexOf("customer_since_first"), 0), FeatureRegistry.IndexOf("address_accounts_30d"), 1);
        Assert.True(OutlierRules.Blocks([rule], rows[0] with { Vector = stranger }));
        Assert.False(OutlierRules.Blocks([rule], OfCode("SEASON8", 50, 400) with { Vector = With(stranger, CouponAccounts, 400) }));
        Assert.False(OutlierRules.Blocks([rule], rows[0] with { Vector = With(stranger, FeatureRegistry.IndexOf("address_accounts_30d"), 2) }));
        Assert.False(OutlierRules.Blocks([rule], rows[0] with { Vector = With(stranger, FeatureRegistry.IndexOf("customer_since_first"), 200_000_000) }));
    }

    [Fact]
    public void Whom_the_champion_suspects_is_not_taken_for_honest()
    {
        var shop = Shop(row => row.Entities![0] == 7 ? row with { Vector = With(row.Vector, DeviceCodes, 90) } : row);
        var tree = new DecisionTree([DeviceCodes], [50], [true], [~0], [~1], [-4, 4], [10, 10]);
        var scorer = TreeScorer.Load(ModelFile.Write(new(FeatureRegistry.LayoutHash, [.. FeatureRegistry.Features.Select(f => f.Name)], [tree], Calibration.None, null, null)));
        Assert.Equal(3, OutliersCommand.Write(shop, Policy, Usual, scorer).Limits.Single(limit => limit.Feature == "device_codes_24h").AtLeast);
        Assert.Equal(91, OutliersCommand.Write(shop, Policy, Usual).Limits.Single(limit => limit.Feature == "device_codes_24h").AtLeast);
    }

    [Fact]
    public void The_command_replaces_the_limits_of_before_and_leaves_the_rest_of_the_policy_as_it_was()
    {
        var (text, limits) = OutliersCommand.Write(Shop(), Policy, Usual);
        var (body, before) = (JsonNode.Parse(text)!.AsObject(), JsonNode.Parse(Policy)!.AsObject());

        foreach (var name in (string[])["version", "costs", "review_floor", "channels", "hold_seconds", "let_through"]) Assert.True(JsonNode.DeepEquals(before[name], body[name]), name);
        Assert.Equal(7, body.Count);
        var rules = body["hard_rules"]!.AsArray();
        Assert.True(JsonNode.DeepEquals(before["hard_rules"]![0], rules[0]), "an admin's own rule");
        Assert.Equal(limits, rules.Skip(1).Select(rule => new HardRule((string)rule!["name"]!, (string)rule["feature"]!, (float)rule["at_least"]!, (string?)rule["note"])));
        // Everybody tried one or two codes from a device; the budget is less than one customer.
        var codes = Assert.Single(limits, limit => limit.Feature == "device_codes_24h");
        Assert.Equal(new("outlier.device_codes_24h", "device_codes_24h", 3, "in the period measured, no customer of 40 reached it"), codes);
    }

    [Fact]
    public void Known_abusers_and_whom_another_rule_blocks_use_up_nothing_of_the_budget()
    {
        var guessed = FeatureRegistry.IndexOf("ip_invalid_codes_1h");
        var known = Shop(row => row.Entities![0] == 7 ? row with { Vector = With(row.Vector, DeviceCodes, 90), Abuse = true } : row);
        var blocked = Shop(row => row.Entities![0] == 7 ? row with { Vector = With(With(row.Vector, DeviceCodes, 90), guessed, 20) } : row);
        var unknown = Shop(row => row.Entities![0] == 7 ? row with { Vector = With(row.Vector, DeviceCodes, 90) } : row);

        Assert.Equal(3, LimitOf(known));
        Assert.Equal(3, LimitOf(blocked));
        Assert.Equal(91, LimitOf(unknown));

        static float? LimitOf(DataSet data) => OutliersCommand.Write(data, Policy, Usual).Limits.SingleOrDefault(limit => limit.Feature == "device_codes_24h")?.AtLeast;
    }

    [Theory]
    [InlineData("[]", 0.001, "no fraud policy")]
    [InlineData("{", 0.001, "no JSON")]
    [InlineData(Policy, 0, "--share 0 ")]
    [InlineData("""{"version": 1, "costs": {}, "hard_rules": [{"name": "odd", "feature": "no_such", "at_least": 1}]}""", 0.001, "'no_such'")]
    [InlineData("""{"version": 1, "costs": {}, "hard_rules": [{"name": "odd", "feature": "ip_attempts_1h"}]}""", 0.001, "not whole")]
    public void What_is_wrong_is_said(string policy, double share, string said) =>
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => OutliersCommand.Write(Shop(), policy, Usual with { Share = share })).Message, StringComparison.Ordinal);

    [Fact]
    public void Rows_that_do_not_say_whose_they_are_or_are_of_too_few_customers_are_refused()
    {
        Assert.Contains("whose attempts", Assert.Throws<InvalidDataException>(() => OutliersCommand.Write(Shop(row => row with { Entities = null }), Policy, Usual)).Message, StringComparison.Ordinal);
        Assert.Contains("too few", Assert.Throws<InvalidDataException>(() => OutlierRules.MeasureLimits([Row(1, 1, 1)], 1)).Message, StringComparison.Ordinal);
    }

    /// <summary>Forty customers who come again and again for ten days.</summary>
    private static DataSet Shop(Func<TrainingRow, TrainingRow>? change = null) => new(
        FeatureRegistry.LayoutHash, [.. FeatureRegistry.Features.Select(f => f.Name)], "made up", 0,
        [.. Enumerable.Range(0, 2_000).Select(i => Row((ulong)(i % 40) + 1, 1 + (i % 2), 1) with { At = new(1_700_000_000_000 + (i * 432_000L)) }).Select(row => change?.Invoke(row) ?? row)]);

    private static TrainingRow Row(ulong customer, float codes, float accounts)
    {
        var vector = new float[FeatureRegistry.Count];
        Array.Fill(vector, float.NaN);
        return new(With(With(vector, DeviceCodes, codes), IpAccounts, accounts), false, 1, new EventTime(1_700_000_000_000), [customer, 0, 0, 0, 0, 0, 0]);
    }

    private static TrainingRow OfCode(string code, int day, float accounts)
    {
        var row = Row(1, float.NaN, float.NaN);
        return row with { Vector = With(row.Vector, CouponAccounts, accounts), At = new EventTime(day * 86_400_000L), Entities = [1, 0, 0, 0, EntityKey.OtherOf(code), 0, 0] };
    }

    private static float[] With(float[] vector, int feature, float value)
    {
        float[] copy = [.. vector];
        copy[feature] = value;
        return copy;
    }
}
