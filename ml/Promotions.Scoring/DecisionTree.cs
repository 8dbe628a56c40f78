namespace Promotions.Scoring;

/// <summary>One binary tree over float32 features, in arrays.</summary>
/// <remarks>
/// Nodes are 0 .. n-1 with node 0 the root; a child ≥ 0 is a node, a child &lt; 0 is leaf <c>~child</c>, and a node's child has a higher number than the node.
/// A tree without nodes is a constant. At a node, a value goes left if it is ≤ the threshold; NaN goes left where <see cref="MissingLeft"/> says so, else right.
/// </remarks>
/// <param name="Feature">Index of the feature that the node looks at.</param>
/// <param name="Threshold">Finite; compared as float32.</param>
/// <param name="MissingLeft">Where NaN goes.</param>
/// <param name="Left">Child taken when value ≤ threshold.</param>
/// <param name="Right">Child taken otherwise.</param>
/// <param name="LeafValue">Log-odds that the leaf adds to the raw score.</param>
/// <param name="LeafCover">Training rows that reached the leaf, ≥ 0. They weigh the two sides of a split that an explanation does not know.</param>
public sealed record DecisionTree(int[] Feature, float[] Threshold, bool[] MissingLeft, int[] Left, int[] Right, double[] LeafValue, double[] LeafCover)
{
    public int NodeCount => Feature.Length;
    public int LeafCount => LeafValue.Length;

    /// <summary>The leaf that the row reaches, by plain walking: the definition that the fast scorers are tested against.</summary>
    public int LeafOf(ReadOnlySpan<float> vector)
    {
        if (NodeCount == 0) return 0;
        var at = 0;
        while (at >= 0) at = GoesLeft(at, vector[Feature[at]]) ? Left[at] : Right[at];
        return ~at;
    }

    /// <summary>Whether a value of the node's feature takes the left child.</summary>
    public bool GoesLeft(int node, float value) => float.IsNaN(value) ? MissingLeft[node] : value <= Threshold[node];

    /// <summary>Training rows per node: the sum of its leaves' covers.</summary>
    public double[] NodeCovers()
    {
        var covers = new double[NodeCount];
        for (var node = NodeCount - 1; node >= 0; node--) covers[node] = CoverOf(Left[node], covers) + CoverOf(Right[node], covers);
        return covers;
    }

    /// <summary>Mean leaf value over the training rows.</summary>
    public double ExpectedValue()
    {
        if (NodeCount == 0) return LeafValue[0];
        double sum = 0, rows = 0;
        for (var leaf = 0; leaf < LeafCount; leaf++)
        {
            sum += LeafCover[leaf] * LeafValue[leaf];
            rows += LeafCover[leaf];
        }
        return sum / rows;
    }

    internal double CoverOf(int child, double[] nodeCovers) => child >= 0 ? nodeCovers[child] : LeafCover[~child];

    /// <returns>What is wrong with the tree, or null.</returns>
    internal string? Problem(int featureCount)
    {
        var n = NodeCount;
        if (Threshold.Length != n || MissingLeft.Length != n || Left.Length != n || Right.Length != n) return "its node arrays differ in length";
        if (LeafCount != n + 1) return $"it has {n} nodes and {LeafCount} leaves; a tree has one leaf more than nodes";
        if (LeafCover.Length != LeafCount) return "its leaf arrays differ in length";
        var seen = new bool[n + LeafCount];
        for (var node = 0; node < n; node++)
        {
            if (Feature[node] < 0 || Feature[node] >= featureCount) return $"node {node} looks at feature {Feature[node]} of {featureCount}";
            if (!float.IsFinite(Threshold[node])) return $"node {node} has the threshold {Threshold[node]}";
            foreach (var child in (ReadOnlySpan<int>)[Left[node], Right[node]])
            {
                // Children after parents: no cycle, and one pass upwards or downwards visits all.
                if (child >= n || (child >= 0 && child <= node) || (child < 0 && ~child >= LeafCount)) return $"node {node} has the child {child}";
                ref var taken = ref seen[child >= 0 ? child : n + ~child];
                if (taken) return $"child {child} of node {node} has two parents";
                taken = true;
            }
        }
        for (var leaf = 0; leaf < LeafCount; leaf++)
        {
            if (!double.IsFinite(LeafValue[leaf])) return $"leaf {leaf} has the value {LeafValue[leaf]}";
            if (!double.IsFinite(LeafCover[leaf]) || LeafCover[leaf] < 0) return $"leaf {leaf} has the cover {LeafCover[leaf]}";
        }
        var covers = NodeCovers();
        for (var node = 0; node < n; node++)
            if (!(covers[node] > 0)) return $"no training row reached node {node}";
        return null;
    }
}
