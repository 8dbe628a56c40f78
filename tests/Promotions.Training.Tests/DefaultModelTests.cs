using Promotions.Domain;
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
    public void It_tells_abuse_from_honest_attempts_in_a_shop_that_it_has_never_seen()
    {
        var unseen = ReplayDataSet.Create([777], EventTime.From(new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero)), days: 20);

        var measured = Evaluation.Measure(Model, unseen.Rows);

        Assert.True(unseen.Rows.Count(row => row.Abuse) > 50, "The shop has too little abuse to measure on.");
        Assert.InRange(measured.Auc, 0.95, 1);
        Assert.InRange(measured.AveragePrecision, 0.5, 1);
    }

    [Fact]
    public void A_data_set_by_replay_is_the_same_whenever_it_is_made_and_no_later_day_changes_an_earlier_vector()
    {
        var start = EventTime.From(new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero));
        var two = ReplayDataSet.Create([5], start, days: 2);
        var three = ReplayDataSet.Create([5], start, days: 3);

        Assert.True(three.Rows.Count > two.Rows.Count);
        foreach (var (early, late) in two.Rows.Zip(three.Rows)) Assert.Equal(early.Vector, late.Vector);
    }

    [Fact]
    public void Its_reasons_can_compare_devices_with_devices()
    {
        var index = FeatureRegistry.IndexOf("device_accounts_24h");
        Assert.Equal("device", Model.UsualBelow(index, 100)!.Value.Member);
        Assert.True(Model.UsualBelow(index, 100)!.Value.Share > 0.9);
        Assert.Null(Model.UsualBelow(index, 1));
    }

    private static string PathOf()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Promotions.sln"))) return Path.Combine(at.FullName, "ml", "models", "default.json");
        throw new FileNotFoundException("Promotions.sln is in no folder above the tests.");
    }
}
