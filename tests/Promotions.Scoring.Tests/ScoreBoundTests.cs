using Promotions.Scoring.LightGbm;

namespace Promotions.Scoring.Tests;

/// <summary>No vector between two scores more than the bound, and the bound of one vector is its score.</summary>
public class ScoreBoundTests
{
    private const int Features = 6;

    [Fact]
    public void Of_one_vector_it_is_the_score_bit_for_bit()
    {
        var scorer = TreeScorer.Load(ModelFile.Write(RandomModels.Model(7, 120, 31, Features)));
        var random = new Random(8);
        for (var i = 0; i < 300; i++)
        {
            var row = RandomModels.Row(random, Features);
            Assert.Equal(scorer.RawScore(row), scorer.RawScoreAtMost(row, row));
        }
    }

    [Fact]
    public void Of_one_tree_it_is_the_greatest_score_of_any_vector_between()
    {
        var random = new Random(9);
        for (var i = 0; i < 100; i++)
        {
            var tree = RandomModels.Tree(random, random.Next(1, 32), Features);
            var (low, high) = Box(random);
            // Thresholds are halves: these values and the ends are all that a tree can tell apart.
            var greatest = Grid(low, high).Max(row => tree.LeafValue[tree.LeafOf(row)]);
            Assert.Equal(greatest, tree.LeafValueAtMost(low, high));
        }
    }

    [Fact]
    public void An_imported_tree_with_categories_and_zeros_that_mean_missing_is_never_bounded_too_low()
    {
        var random = new Random(10);
        for (var i = 0; i < 100; i++)
        {
            var plain = RandomModels.Tree(random, random.Next(2, 24), Features);
            var tree = new LightGbmTree(
                plain.Feature, [.. plain.Threshold.Select(t => (double)t)], [.. plain.Feature.Select(_ => random.Next(5) == 0 ? [(uint)random.Next()] : (uint[]?)null)],
                [.. plain.Feature.Select(_ => (MissingType)random.Next(3))], plain.MissingLeft, plain.Left, plain.Right, plain.LeafValue, plain.LeafCover);
            var (low, high) = Box(random);
            var bound = tree.LeafValueAtMost(Widened(low), Widened(high));
            foreach (var row in Grid(low, high)) Assert.True(tree.LeafValue[tree.LeafOf(Widened(row))] <= bound);
            Assert.Equal(tree.LeafValue[tree.LeafOf(Widened(low))], tree.LeafValueAtMost(Widened(low), Widened(low)));
        }
    }

    private static (float[] Low, float[] High) Box(Random random)
    {
        var low = RandomModels.Row(random, Features);
        return (low, [.. low.Select(value => random.Next(5) < 3 || !float.IsFinite(value) ? value : value + (random.Next(1, 5) / 2f))]);
    }

    private static List<float[]> Grid(float[] low, float[] high)
    {
        IEnumerable<float[]> rows = [[]];
        for (var f = 0; f < Features; f++)
        {
            List<float> values = [low[f]];
            if (high[f] > low[f])
            {
                for (var half = MathF.Ceiling(low[f] * 2) / 2; half <= high[f]; half += 0.5f) values.Add(half);
                values.Add(high[f]);
            }

            rows = rows.SelectMany(row => values.Distinct().Select(value => (float[])[.. row, value]));
        }

        return [.. rows];
    }

    private static double[] Widened(float[] row) => [.. row.Select(value => (double)value)];
}
