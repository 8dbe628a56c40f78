namespace Promotions.Scoring;

/// <summary>What every binary tree in arrays must be, whatever its nodes compare: a child ≥ 0 is a node with a higher number, a child &lt; 0 is leaf <c>~child</c>.</summary>
internal static class TreeShape
{
    /// <returns>What is wrong with it, or null.</returns>
    public static string? Problem(int[] left, int[] right, double[] leafValue, double[] leafCover)
    {
        var n = left.Length;
        if (right.Length != n) return "its node arrays differ in length";
        if (leafValue.Length != n + 1) return $"it has {n} nodes and {leafValue.Length} leaves; a tree has one leaf more than nodes";
        if (leafCover.Length != leafValue.Length) return "its leaf arrays differ in length";
        var seen = new bool[n + leafValue.Length];
        for (var node = 0; node < n; node++)
        {
            foreach (var child in (ReadOnlySpan<int>)[left[node], right[node]])
            {
                // Children after parents: no cycle, and one pass upwards or downwards visits all.
                if (child >= n || (child >= 0 && child <= node) || (child < 0 && ~child >= leafValue.Length)) return $"node {node} has the child {child}";
                ref var taken = ref seen[child >= 0 ? child : n + ~child];
                if (taken) return $"child {child} of node {node} has two parents";
                taken = true;
            }
        }

        for (var leaf = 0; leaf < leafValue.Length; leaf++)
        {
            if (!double.IsFinite(leafValue[leaf])) return $"leaf {leaf} has the value {leafValue[leaf]}";
            if (!double.IsFinite(leafCover[leaf]) || leafCover[leaf] < 0) return $"leaf {leaf} has the cover {leafCover[leaf]}";
        }

        var covers = Covers(left, right, leafCover);
        for (var node = 0; node < n; node++)
            if (!(covers[node] > 0)) return $"no training row reached node {node}";
        return null;
    }

    /// <summary>Training rows per node: the sum of its leaves' covers.</summary>
    public static double[] Covers(int[] left, int[] right, double[] leafCover)
    {
        var covers = new double[left.Length];
        for (var node = covers.Length - 1; node >= 0; node--) covers[node] = CoverOf(left[node], covers, leafCover) + CoverOf(right[node], covers, leafCover);
        return covers;
    }

    public static double CoverOf(int child, double[] nodeCovers, double[] leafCover) => child >= 0 ? nodeCovers[child] : leafCover[~child];

    /// <summary>Mean leaf value over the training rows.</summary>
    public static double ExpectedValue(double[] leafValue, double[] leafCover)
    {
        if (leafValue.Length == 1) return leafValue[0];
        double sum = 0, rows = 0;
        for (var leaf = 0; leaf < leafValue.Length; leaf++)
        {
            sum += leafCover[leaf] * leafValue[leaf];
            rows += leafCover[leaf];
        }

        return sum / rows;
    }
}
