using Promotions.Features;
using Promotions.Scoring;

namespace Promotions.Training.Tests;

/// <summary>The model in the repository.</summary>
public class DefaultModelTests
{
    private static readonly TreeScorer Model = TreeScorer.Load(File.ReadAllBytes(PathOf()), FeatureRegistry.LayoutHash);

    [Fact]
    public void It_fits_this_layout_and_says_where_it_comes_from()
    {
        Assert.Equal(FeatureRegistry.Features.Select(feature => feature.Name), Model.Model.Features);
        Assert.InRange(Model.Model.Trees.Length, 1, 200);
        Assert.All(Model.Model.Trees, tree => Assert.InRange(tree.LeafCount, 1, 31));
        Assert.StartsWith("promotions-ml train --dataset ", Model.Model.Card!.Command, StringComparison.Ordinal);
        Assert.InRange(Model.Model.Card.Held!.Auc, 0.9, 0.9999);
    }

    [Fact]
    public void A_first_honest_redemption_scores_low_and_a_farm_of_accounts_on_the_device_high()
    {
        var honest = Vector(("request_subtotal", 4500), ("request_discount", 450), ("request_discount_share", 0.1f), ("request_tender_share", 0), ("request_lines", 3), ("request_quantity", 4),
            ("request_redeemables", 1), ("request_unknown_codes", 0), ("request_validation", 0), ("request_account_age", 90f * Windows.OneDay), ("request_hour", 15), ("request_weekday", 3));
        FillFirst(honest, EntityKind.Customer);
        FillFirst(honest, EntityKind.Device);
        FillFirst(honest, EntityKind.Ip);
        FillFirst(honest, EntityKind.Network);
        Assert.InRange(Model.Probability(Model.RawScore(honest)), 0, 0.02);

        var farm = (float[])honest.Clone();
        foreach (var (name, value) in new (string, float)[]
        {
            ("device_attempts_10min", 6), ("device_attempts_24h", 25), ("device_accounts_1h", 8), ("device_accounts_24h", 20), ("device_accounts_30d", 24), ("device_burst", 6),
            ("device_since_first", 5f * Windows.OneDay), ("device_codes_24h", 15), ("request_discount", 1800), ("request_discount_share", 0.4f),
        })
            farm[FeatureRegistry.IndexOf(name)] = value;
        farm[FeatureRegistry.IndexOf("request_account_age")] = Windows.OneHour;
        Assert.InRange(Model.Probability(Model.RawScore(farm)), 0.5, 1);
    }

    /// <summary>An entity seen for the first time: this attempt, and nothing else.</summary>
    private static void FillFirst(float[] vector, EntityKind kind)
    {
        foreach (var feature in FeatureRegistry.Features.Where(f => f.Entity == kind))
        {
            vector[feature.Index] = feature.Measure switch
            {
                Measure.Count => feature.Source == (byte)SeriesKind.Attempts ? 1 : 0,
                Measure.Sum => feature.Source == (byte)SeriesKind.Attempts ? vector[FeatureRegistry.IndexOf("request_subtotal")] : 0,
                Measure.Distinct => feature.Source == (byte)OtherKind.InvalidCodes ? 0 : 1,
                Measure.SinceFirst => 0,
                Measure.Burst => 1,
                Measure.AbuseRate => (float)FeatureRegistry.AbusePriorShare,
                _ => float.NaN,
            };
        }
    }

    private static float[] Vector(params (string Name, float Value)[] values)
    {
        var vector = Enumerable.Repeat(float.NaN, FeatureRegistry.Count).ToArray();
        foreach (var (name, value) in values) vector[FeatureRegistry.IndexOf(name)] = value;
        return vector;
    }

    private static string PathOf()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Promotions.sln"))) return Path.Combine(at.FullName, "ml", "models", "default.json");
        throw new FileNotFoundException("Promotions.sln is in no folder above the tests.");
    }
}
