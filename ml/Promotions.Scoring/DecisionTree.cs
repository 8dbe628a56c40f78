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

    /// <summary>The greatest leaf that any row between the two reaches. Both are written to on the way and left as they were.</summary>
    public double LeafValueAtMost(Span<float> low, Span<float> high, int at = 0)
    {
        while (at >= 0 && NodeCount > 0)
        {
            var (feature, threshold) = (Feature[at], Threshold[at]);
            var (least, most) = (low[feature], high[feature]);
            if (GoesLeft(at, most)) at = Left[at];              // for a missing value both are NaN
            else if (!GoesLeft(at, least)) at = Right[at];
            else
            {
                high[feature] = threshold;
                var left = LeafValueAtMost(low, high, Left[at]);
                (low[feature], high[feature]) = (MathF.BitIncrement(threshold), most);
                var right = LeafValueAtMost(low, high, Right[at]);
                low[feature] = least;
                return Math.Max(left, right);
            }
        }

        return LeafValue[NodeCount == 0 ? 0 : ~at];
    }

    /// <summary>Training rows per node: the sum of its leaves' covers.</summary>
    public double[] NodeCovers() => TreeShape.Covers(Left, Right, LeafCover);

    /// <summary>Mean leaf value over the training rows.</summary>
    public double ExpectedValue() => TreeShape.ExpectedValue(LeafValue, LeafCover);

    /// <returns>What is wrong with the tree, or null.</returns>
    internal string? Problem(int featureCount)
    {
        var n = NodeCount;
        if (Threshold.Length != n || MissingLeft.Length != n || Left.Length != n) return "its node arrays differ in length";
        for (var node = 0; node < n; node++)
        {
            if (Feature[node] < 0 || Feature[node] >= featureCount) return $"node {node} looks at feature {Feature[node]} of {featureCount}";
            if (!float.IsFinite(Threshold[node])) return $"node {node} has the threshold {Threshold[node]}";
        }

        return TreeShape.Problem(Left, Right, LeafValue, LeafCover);
    }
}
