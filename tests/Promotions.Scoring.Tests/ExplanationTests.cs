namespace Promotions.Scoring.Tests;

public class ExplanationTests
{
    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    [InlineData(12, 2)]   // the same feature many times on a path
    [InlineData(31, 4)]
    [InlineData(31, 11)]
    public void Contributions_equal_the_definition_over_all_subsets(int leavesMax, int features)
    {
        var random = new Random(features);
        for (var seed = 0; seed < 12; seed++)
        {
            var model = RandomModels.Model(seed, trees: 3, leavesMax, features);
            var scorer = TreeScorer.Load(ModelFile.Write(model));
            for (var i = 0; i < 10; i++)
            {
                var row = RandomModels.Row(random, features);
                var contributions = new double[features];
                scorer.Explain(row, contributions);
                var expected = ShapleyByEnumeration.Explain(model, row);
                for (var f = 0; f < features; f++) Assert.Equal(expected[f], contributions[f], 1e-12);
            }
        }
    }

    [Theory]
    [InlineData(31, 60, 200)]
    [InlineData(64, 60, 50)]
    [InlineData(400, 300, 5)]
    public void Contributions_and_the_expected_score_sum_to_the_raw_score(int leavesMax, int features, int trees)
    {
        var random = new Random(9);
        var scorer = TreeScorer.Load(ModelFile.Write(RandomModels.Model(2, trees, leavesMax, features)));
        for (var i = 0; i < 50; i++)
        {
            var row = RandomModels.Row(random, features);
            var contributions = new double[features];
            scorer.Explain(row, contributions);
            Assert.Equal(scorer.RawScore(row), contributions.Sum() + scorer.ExpectedScore, 1e-9);
        }
    }

    [Theory]
    [InlineData(16)]   // the most features that one register of points integrates exactly
    [InlineData(17)]
    [InlineData(40)]
    public void A_path_of_many_features_is_still_exact(int depth)
    {
        // A chain: the row passes every split, leaf i hangs off split i. All covers 1 except the last, so every split has a share of its own.
        var chain = new DecisionTree([.. Enumerable.Range(0, depth)], new float[depth], new bool[depth],
            [.. Enumerable.Range(0, depth).Select(i => i < depth - 1 ? i + 1 : ~depth)], [.. Enumerable.Range(0, depth).Select(i => ~i)],
            [.. Enumerable.Range(0, depth + 1).Select(i => i == depth ? 1.0 : 0.0)], [.. Enumerable.Repeat(1.0, depth), 3.0]);
        var model = new TreeModel(1, [.. Enumerable.Range(0, depth).Select(i => $"f{i}")], [chain], Calibration.None, null);
        var contributions = new double[depth];
        TreeScorer.Load(ModelFile.Write(model)).Explain(new float[depth], contributions);

        // The game is the product over features of (known ? 1 : share). Its Shapley values, by the recurrence over subset sizes.
        var covers = chain.NodeCovers();
        var shares = Enumerable.Range(0, depth).Select(i => (i < depth - 1 ? covers[i + 1] : 3.0) / covers[i]).ToArray();
        for (var f = 0; f < depth; f++)
        {
            // coefficient[s] = sum over subsets of size s of the others of the product of the unknown's shares
            var coefficient = new double[depth];
            coefficient[0] = 1;
            var count = 0;
            for (var g = 0; g < depth; g++)
            {
                if (g == f) continue;
                count++;
                for (var s = count; s >= 0; s--) coefficient[s] = (coefficient[s] * shares[g]) + (s > 0 ? coefficient[s - 1] : 0);
            }
            double expected = 0;
            var choose = 1.0;
            for (var s = 0; s < depth; s++)
            {
                expected += coefficient[s] / (depth * choose) * (1 - shares[f]);
                choose = choose * (depth - 1 - s) / (s + 1);
            }
            Assert.Equal(expected, contributions[f], 1e-13);
        }
    }

    [Fact]
    public void A_feature_that_no_tree_uses_gets_exactly_zero()
    {
        var model = RandomModels.Model(4, 10, 16, 5) with { Features = ["a", "b", "c", "d", "e", "unused"] };
        var contributions = new double[6];
        TreeScorer.Load(ModelFile.Write(model)).Explain(new float[6], contributions);
        Assert.Equal(0, contributions[5]);
    }

    [Fact]
    public void The_largest_contributions_come_first_and_zeros_not_at_all()
    {
        var top = new Contribution[3];
        Assert.Equal(3, TopContributions.BySize([0.1, -0.5, 0, 0.5, 0.2], top));
        Assert.Equal([new(1, -0.5), new(3, 0.5), new(4, 0.2)], top);
        Assert.Equal(2, TopContributions.BySize([0, 1, -2], top));
        Assert.Equal([new(2, -2), new(1, 1)], top[..2]);
        Assert.Equal(0, TopContributions.BySize([1, 2], []));

        var sums = new double[2];
        TopContributions.ByGroup([1, 2, 3], [0, 1, 0], sums);
        Assert.Equal([4, 2], sums);
    }
}
