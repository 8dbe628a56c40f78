using System.Reflection;
using Microsoft.ML.Trainers.FastTree;
using Promotions.Scoring;

namespace Promotions.Training;

/// <summary>ML.NET's trees as ours.</summary>
internal static class TreeExtraction
{
    public static DecisionTree Extract(RegressionTreeBase tree, float[] scale)
    {
        // A tree without a split is one leaf, and ML.NET writes one that holds a value as a split whose sides are alike.
        if (tree.NumberOfLeaves < 2 || (tree.NumberOfLeaves == 2 && tree.LeafValues[0] == tree.LeafValues[1]))
            return new([], [], [], [], [], [tree.LeafValues[0]], [0]);
        if (tree.CategoricalSplitFlags.Any(flag => flag)) throw new InvalidOperationException("The trainer made a categorical split; features are numbers here.");
        var (thresholds, standIns) = HiddenPartsOf(tree);
        int[] features = [.. tree.NumericalSplitFeatureIndexes];
        for (var node = 0; node < features.Length; node++)
        {
            // "Every value left, missing right" has the threshold 1e300 in LightGBM. ML.NET makes it infinity, and the stand-in infinity too, which sends missing
            // left: the split is lost. Mended in ML.NET's own tree, so that its answers and ours are what was learned.
            if (float.IsPositiveInfinity(thresholds[node])) thresholds[node] = float.MaxValue;
        }
        return new(
            features, [.. features.Select((feature, node) => thresholds[node] == float.MaxValue ? float.MaxValue : thresholds[node] / scale[feature])],
            // Without stand-ins NaN compares false and goes right.
            [.. features.Select((_, node) => standIns is not null && standIns[node] <= thresholds[node])],
            [.. tree.LeftChild], [.. tree.RightChild], [.. tree.LeafValues], new double[tree.NumberOfLeaves]);
    }

    /// <summary>ML.NET's public tree does not say where NaN goes, so its private one is read; the learners compare answers, and would notice a wrong reading.</summary>
    /// <returns>The tree's own array of thresholds, and per node the value that stands in for NaN, if there are such values.</returns>
    private static (float[] Thresholds, float[]? StandIns) HiddenPartsOf(RegressionTreeBase tree)
    {
        const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;
        var inner = typeof(RegressionTreeBase).GetField("_tree", Hidden)?.GetValue(tree) ?? throw Changed("_tree");
        return ((float[]?)Read("RawThresholds") ?? throw Changed("RawThresholds"), (float[]?)Read("DefaultValueForMissing"));

        object? Read(string name) => inner.GetType().GetMember(name, Hidden).SingleOrDefault() switch
        {
            PropertyInfo property => property.GetValue(inner),
            FieldInfo field => field.GetValue(inner),
            _ => throw Changed(name),
        };
        static InvalidOperationException Changed(string what) => new($"This version of Microsoft.ML.FastTree has no {what} in its tree; pin the version that Directory.Packages.props names.");
    }

    public static double[] CoversOf(DecisionTree tree, IReadOnlyList<TrainingRow> rows)
    {
        var covers = new double[tree.LeafCount];
        for (var i = 0; i < rows.Count; i++) covers[tree.LeafOf(rows[i].Vector)]++;
        // ML.NET rounds LightGBM's thresholds to float32, which can move the last row out of a leaf. Such a leaf counts as one row, so that shares stay defined.
        for (var leaf = 0; leaf < covers.Length; leaf++) covers[leaf] = Math.Max(covers[leaf], 1);
        return covers;
    }
}
