using System.Text.Json.Nodes;
using CsCheck;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Processing.Decisions;

namespace Promotions.Training.Tests;

public class OutlierRulesTests
{
    private const string Policy = """
        {"version": 3, "costs": {"wronged_customer": 2000}, "review_floor": 0.05, "channels": [], "hold_seconds": 60, "let_through": null,
         "hard_rules": [{"name": "code_guessing_ip", "feature": "ip_invalid_codes_1h", "at_least": 20}, {"name": "outlier.device_codes_24h", "feature": "device_codes_24h", "at_least": 2, "note": "old"}],
         "written_by": "rita", "written_at": "2026-01-01T00:00:00Z"}
        """;

    private static readonly int DeviceCodes = FeatureRegistry.IndexOf("device_codes_24h"), IpAccounts = FeatureRegistry.IndexOf("ip_accounts_24h"), CouponAttempts = FeatureRegistry.IndexOf("coupon_attempts_24h");

    /// <summary>Counts of a few per row, some missing; the customers return.</summary>
    private static readonly Gen<TrainingRow[]> Rows = Gen.Select(Gen.Int[1, 60], Gen.Int[0, 9], Gen.Int[0, 60], Gen.Int[0, 60])
        .Select((customer, missing, codes, accounts) => Row((ulong)customer, missing == 0 ? float.NaN : codes * codes / 300, accounts * accounts / 200)).Array[200, 400];

    [Fact]
    public void No_more_customers_than_allowed_reach_a_limit_and_a_row_reaches_one_where_its_rarest_count_is_rarer_than_all_theirs() =>
        Gen.Select(Rows, Rows, Gen.Int[0, 8]).Sample((usual, later, allowed) =>
        {
            float[][] vectors = [.. usual.Select(row => row.Vector)];
            var limits = OutlierRules.MeasureLimits(vectors, later, allowed);

            var mosts = later.GroupBy(row => row.Entities![0]).Select(own => own.Max(row => Unusual(row.Vector))).OrderDescending().ToArray();
            var level = mosts[allowed];
            foreach (var row in later.Concat(usual)) Assert.Equal(Unusual(row.Vector) > level, OutlierRules.Reaches(limits, row.Vector));
            Assert.InRange(later.GroupBy(row => row.Entities![0]).Count(own => own.Any(row => OutlierRules.Reaches(limits, row.Vector))), 0, allowed);
            foreach (var limit in limits) Assert.Equal(limit.Customers, later.Where(row => row.Vector[limit.Feature] >= limit.Rule.AtLeast).Select(row => row.Entities![0]).Distinct().Count());

            double Unusual(float[] vector) => OutlierRules.Counts.Max(f => float.IsNaN(vector[f]) ? 0 : -Math.Log(
                (vectors.Count(other => other[f] >= vector[f]) + 1.0) / (vectors.Count(other => !float.IsNaN(other[f])) + 1.0)));
        }, iter: 60);

    [Fact]
    public void Counts_of_codes_and_sums_of_money_and_longer_windows_get_no_limit()
    {
        Assert.DoesNotContain(CouponAttempts, OutlierRules.Counts);
        Assert.Contains(DeviceCodes, OutlierRules.Counts);
        Assert.All(OutlierRules.Counts, f => Assert.Equal(FeatureUnit.Count, FeatureRegistry.Features[f].Unit));
        Assert.True(OutlierRules.Counts.Count <= 50, "the limits and an admin's own rules have to fit into a policy");
    }

    [Fact]
    public void The_command_replaces_the_limits_of_before_and_leaves_the_rest_of_the_policy_as_it_was()
    {
        var (text, limits) = OutliersCommand.Write(Shop(), Policy, 0.001);
        var (body, before) = (JsonNode.Parse(text)!.AsObject(), JsonNode.Parse(Policy)!.AsObject());

        foreach (var name in (string[])["version", "costs", "review_floor", "channels", "hold_seconds", "let_through"]) Assert.True(JsonNode.DeepEquals(before[name], body[name]), name);
        Assert.Equal(7, body.Count);
        var rules = body["hard_rules"]!.AsArray();
        Assert.True(JsonNode.DeepEquals(before["hard_rules"]![0], rules[0]), "an admin's own rule");
        Assert.Equal(limits.Select(limit => limit.Rule), rules.Skip(1).Select(rule => new HardRule((string)rule!["name"]!, (string)rule["feature"]!, (float)rule["at_least"]!, (string?)rule["note"])));
        // Everybody tried one or two codes from a device; the budget is less than one customer.
        var codes = Assert.Single(limits, limit => limit.Feature == DeviceCodes);
        Assert.Equal(("outlier.device_codes_24h", 3, 0, "in the period measured no customer reached it"), (codes.Rule.Name, codes.Rule.AtLeast, codes.Customers, codes.Rule.Note));
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

        static float? LimitOf(DataSet data) => OutliersCommand.Write(data, Policy, 0.001).Limits.SingleOrDefault(limit => limit.Feature == DeviceCodes)?.Rule.AtLeast;
    }

    [Theory]
    [InlineData("[]", 0.001, "no fraud policy")]
    [InlineData("{", 0.001, "no JSON")]
    [InlineData(Policy, 0, "--share 0 ")]
    [InlineData("""{"version": 1, "costs": {}, "hard_rules": [{"name": "odd", "feature": "no_such", "at_least": 1}]}""", 0.001, "'no_such'")]
    [InlineData("""{"version": 1, "costs": {}, "hard_rules": [{"name": "odd", "feature": "ip_attempts_1h"}]}""", 0.001, "not whole")]
    public void What_is_wrong_is_said(string policy, double share, string said) =>
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => OutliersCommand.Write(Shop(), policy, share)).Message, StringComparison.Ordinal);

    [Fact]
    public void Rows_that_do_not_say_whose_they_are_or_are_of_too_few_customers_are_refused()
    {
        Assert.Contains("whose attempts", Assert.Throws<InvalidDataException>(() => OutliersCommand.Write(Shop(row => row with { Entities = null }), Policy, 0.001)).Message, StringComparison.Ordinal);
        Assert.Contains("too few", Assert.Throws<InvalidDataException>(() => OutlierRules.MeasureLimits([new float[FeatureRegistry.Count]], [Row(1, 1, 1)], 1)).Message, StringComparison.Ordinal);
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

    private static float[] With(float[] vector, int feature, float value)
    {
        float[] copy = [.. vector];
        copy[feature] = value;
        return copy;
    }
}
