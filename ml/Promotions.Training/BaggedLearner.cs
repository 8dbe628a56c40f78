using Promotions.Scoring;

namespace Promotions.Training;

/// <summary>Several models that see other rows and features, as one: raw scores are averaged (Breiman, <i>Bagging predictors</i>, 1996).</summary>
/// <remarks>The average is a boosted model again, with every leaf divided by the members, so it is served and explained as any other.</remarks>
public static class BaggedLearner
{
    private const int SeedsPerModel = 1000;

    /// <param name="members">1 to 1000. With one, options without <see cref="TrainingOptions.RowShare"/> give what <see cref="LightGbmLearner"/> gives.</param>
    public static DecisionTree[] Fit(IReadOnlyList<TrainingRow> rows, int featureCount, TrainingOptions options, int members)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(members, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(members, SeedsPerModel);
        var trees = new List<DecisionTree>(members * options.Trees);
        for (var member = 0; member < members; member++)
        {
            var own = options with { Seed = checked((options.Seed * SeedsPerModel) + member) };
            foreach (var tree in LightGbmLearner.Fit(rows, featureCount, own).Trees)
                trees.Add(tree with { LeafValue = [.. tree.LeafValue.Select(value => value / members)] });
        }
        return [.. trees];
    }
}
