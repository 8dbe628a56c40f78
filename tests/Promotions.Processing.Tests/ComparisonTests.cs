using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Processing.State;
using Promotions.Scoring;

namespace Promotions.Processing.Tests;

/// <summary>A reason says how unusual its value is, where the model knows.</summary>
public class ComparisonTests
{
    private static readonly AttemptEntities Names = new("c-1", "d-1", "203.0.113.7", "203.0.113.0/24", ["TEN"], "t-1", "a-1");

    [Theory]
    [InlineData("device_accounts_24h", 9, "9 accounts redeemed from this device in 24 h; 99 % of devices never had more than 2")]
    [InlineData("device_accounts_24h", 2, "2 accounts redeemed from this device in 24 h; 50 % of devices never had more than 1")]
    [InlineData("device_accounts_24h", 1, "1 accounts redeemed from this device in 24 h")]
    [InlineData("request_discount_share", 0.5, "the discount is 50 % of the cart; 99.9 % of attempts had at most 25 %")]
    [InlineData("payment_token_accounts_24h", 4, "4 accounts redeemed with this payment method in 24 h; 99 % of payment tokens never had more than 1")]
    [InlineData("address_attempts_24h", 7, "7 attempts for this address in 24 h; 99 % of addresses never had more than 3")]
    [InlineData("ip_attempts_1h", 7, "7 attempts from this ip in 1 h")]
    public void A_reason_compares_with_what_the_model_learned_from(string feature, float value, string sentence) =>
        Assert.Equal(sentence, SentenceOf(feature, value, Population));

    [Fact]
    public void A_model_that_knows_no_population_compares_nothing() =>
        Assert.Equal("9 accounts redeemed from this device in 24 h", SentenceOf("device_accounts_24h", 9, null));

    [Fact]
    public void The_reason_of_a_hard_rule_compares_too()
    {
        var (vector, model) = Of("device_accounts_24h", 9, Population);
        var reasons = RiskReasons.Of(vector, Names, "EUR", new("many accounts", "device_accounts_24h", 5), model, new FeatureCatalog(), new double[FeatureRegistry.Count]);
        Assert.Equal("9 accounts redeemed from this device in 24 h; 99 % of devices never had more than 2: the rule 'many accounts' blocks from 5 on.", reasons[0].Sentence);
    }

    [Fact]
    public void The_note_of_a_hard_rule_stands_in_its_reason_with_or_without_a_model()
    {
        var vector = new float[FeatureRegistry.Count];
        vector[FeatureRegistry.IndexOf("device_codes_24h")] = 12;
        var reason = Assert.Single(RiskReasons.Of(vector, Names, "EUR", new("outlier.device_codes_24h", "device_codes_24h", 11, "in the period measured no customer reached it"), null, new FeatureCatalog(), new double[FeatureRegistry.Count]));
        Assert.Equal("12 codes tried from this device in 24 h: the rule 'outlier.device_codes_24h' blocks from 11 on (in the period measured no customer reached it).", reason.Sentence);
    }

    private static readonly ModelPopulation Population = new([0.5, 0.99, 0.999], new Dictionary<string, FeaturePopulation>
    {
        ["device_accounts_24h"] = new("device", 500, [1, 2]),
        ["request_discount_share"] = new("attempt", 5_000, [0.1f, 0.2f, 0.25f]),
        ["payment_token_accounts_24h"] = new("payment_token", 500, [1, 1]),
        ["address_attempts_24h"] = new("address", 500, [1, 3]),
    });

    private static string SentenceOf(string feature, float value, ModelPopulation? population)
    {
        var (vector, model) = Of(feature, value, population);
        return Assert.Single(RiskReasons.Of(vector, Names, "EUR", null, model, new FeatureCatalog(), new double[FeatureRegistry.Count])).Sentence;
    }

    /// <summary>A model that looks at one feature only.</summary>
    private static (float[] Vector, TreeScorer Model) Of(string feature, float value, ModelPopulation? population)
    {
        var index = FeatureRegistry.IndexOf(feature);
        var vector = new float[FeatureRegistry.Count];
        vector[index] = value;
        var tree = new DecisionTree([index], [0], [true], [~0], [~1], [-1, 1], [10, 10]);
        return (vector, TreeScorer.Load(ModelFile.Write(new(FeatureRegistry.LayoutHash, [.. FeatureRegistry.Features.Select(f => f.Name)], [tree], Calibration.None, null, population))));
    }
}
