namespace Promotions.Scoring.Tests;

/// <summary>Seeded models and rows: any shape, features repeated on a path, thresholds that values hit exactly, missing values both ways.</summary>
internal static class RandomModels
{
    public static TreeModel Model(int seed, int trees, int leavesMax, int features)
    {
        var random = new Random(seed);
        return new(0xfeed_0000_0000_0001UL, [.. Enumerable.Range(0, features).Select(i => $"feature_{i}")],
            [.. Enumerable.Range(0, trees).Select(_ => Tree(random, random.Next(1, leavesMax + 1), features))], Calibration.Platt(0.8, -0.1), null);
    }

    public static DecisionTree Tree(Random random, int leaves, int features)
    {
        var nodes = leaves - 1;
        var (feature, threshold, missingLeft) = (new int[nodes], new float[nodes], new bool[nodes]);
        var (left, right) = (new int[nodes], new int[nodes]);
        // Grown leaf by leaf, as LightGBM grows: a split keeps its leaf's number on the left and opens a new one on the right.
        var hole = new (int Node, bool Left)[leaves];
        hole[0] = (-1, false);
        for (var node = 0; node < nodes; node++)
        {
            var leaf = random.Next(node + 1);
            var (parent, onLeft) = hole[leaf];
            if (parent >= 0) (onLeft ? left : right)[parent] = node;
            feature[node] = random.Next(features);
            threshold[node] = random.Next(-4, 5) / 2f;
            missingLeft[node] = random.Next(2) == 0;
            (left[node], right[node]) = (~leaf, ~(node + 1));
            (hole[leaf], hole[node + 1]) = ((node, true), (node, false));
        }
        return new(feature, threshold, missingLeft, left, right,
            [.. Enumerable.Range(0, leaves).Select(_ => random.NextDouble() - 0.5)],
            [.. Enumerable.Range(0, leaves).Select(_ => (double)random.Next(1, 500))]);
    }

    public static float[] Row(Random random, int features) => [.. Enumerable.Range(0, features).Select(_ => random.Next(12) switch
    {
        0 => float.NaN,
        1 => float.PositiveInfinity,
        2 => float.NegativeInfinity,
        3 => -0f,
        < 8 => random.Next(-5, 6) / 2f,
        _ => (random.NextSingle() * 6) - 3,
    })];
}
