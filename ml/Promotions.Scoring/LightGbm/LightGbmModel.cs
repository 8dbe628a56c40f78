using System.Numerics;

namespace Promotions.Scoring.LightGbm;

/// <summary>What a node does with a value that was missing in training. Values are LightGBM's own.</summary>
public enum MissingType : byte
{
    /// <summary>There were none: NaN counts as zero.</summary>
    None = 0,

    /// <summary>Zero, and all within 1e-35 of it, is missing; NaN, too.</summary>
    Zero = 1,

    /// <summary>NaN is missing.</summary>
    NaN = 2,
}

/// <summary>A model in LightGBM's text format (version 4), as far as predictions and contributions depend on it.</summary>
/// <param name="Features">Names in the order of the model's rows.</param>
/// <param name="Sigmoid">Output = 1 / (1 + exp(−sigmoid · raw)); 0 where the output is the raw score itself (regression).</param>
/// <param name="AverageOutput">A random forest: the raw score is the sum over the trees, and the output divides it by their number first.</param>
public sealed record LightGbmModel(string[] Features, LightGbmTree[] Trees, string Objective, double Sigmoid, bool AverageOutput)
{
    /// <summary>Probability, or the predicted value of a regression.</summary>
    public double Output(double raw)
    {
        var score = AverageOutput ? raw / Trees.Length : raw;
        return Sigmoid == 0 ? score : 1 / (1 + Math.Exp(-Sigmoid * score));
    }
}

/// <summary>One tree. A child ≥ 0 is a node and has a higher number than its parent; a child &lt; 0 is leaf <c>~child</c>. A tree without nodes is a constant.</summary>
/// <param name="Threshold">Numerical: a value goes left if it is ≤ this, which may be infinite: a split between missing and the rest. Not used where the node is categorical.</param>
/// <param name="Category">Null where the node is numerical; else the categories that go left, 32 a word, lowest bit first.</param>
/// <param name="DefaultLeft">Where what <paramref name="Missing"/> calls missing goes. Not looked at where the node is categorical.</param>
/// <param name="LeafCount">Training rows of each leaf: they weigh the sides of a split that an explanation does not know.</param>
public sealed record LightGbmTree(
    int[] Feature, double[] Threshold, uint[]?[] Category, MissingType[] Missing, bool[] DefaultLeft, int[] Left, int[] Right, double[] LeafValue, double[] LeafCount)
{
    /// <summary>What the library takes for zero: 1e-35 as a float, widened.</summary>
    public const double ZeroMax = 1e-35f;

    /// <summary>The leaf that the row reaches, by the rules as they are written down: what the fast scorer is tested against.</summary>
    public int LeafOf(ReadOnlySpan<double> row)
    {
        if (Feature.Length == 0) return 0;
        var at = 0;
        while (at >= 0) at = GoesLeft(at, row[Feature[at]]) ? Left[at] : Right[at];
        return ~at;
    }

    /// <summary>A bound of the leaf that any row between the two reaches. Both are written to on the way and left as they were.</summary>
    public double LeafValueAtMost(Span<double> low, Span<double> high, int at = 0)
    {
        while (at >= 0 && Feature.Length > 0)
        {
            var feature = Feature[at];
            var (least, most) = (low[feature], high[feature]);
            if (!MayDiffer(at, least, most))
            {
                at = GoesLeft(at, least) ? Left[at] : Right[at];
                continue;
            }

            // Only where the threshold alone decides does a side say anything of the value.
            var narrows = Category[at] is null && Missing[at] is not MissingType.Zero;
            if (narrows) high[feature] = Math.Min(most, Math.Max(least, Threshold[at]));
            var left = LeafValueAtMost(low, high, Left[at]);
            high[feature] = most;
            if (narrows) low[feature] = Math.Max(least, Math.Min(most, Threshold[at]));
            var right = LeafValueAtMost(low, high, Right[at]);
            low[feature] = least;
            return Math.Max(left, right);
        }

        return LeafValue[Feature.Length == 0 ? 0 : ~at];
    }

    /// <summary>Categories and zeros that mean missing lie anywhere between two values; thresholds decide by the ends.</summary>
    private bool MayDiffer(int node, double low, double high) =>
        low != high && !double.IsNaN(low)
        && (Category[node] is not null || (Missing[node] is MissingType.Zero && Read(low) <= 0 && Read(high) >= 0) || GoesLeft(node, low) != GoesLeft(node, high));

    private bool GoesLeft(int node, double value)
    {
        if (Category[node] is { } set) return Holds(set, value);
        value = Read(value);
        if (double.IsNaN(value) && Missing[node] is not MissingType.NaN) value = 0;
        var missing = Missing[node] switch
        {
            MissingType.Zero => value == 0,
            MissingType.NaN => double.IsNaN(value),
            _ => false,
        };
        return missing ? DefaultLeft[node] : value <= Threshold[node];
    }

    /// <summary>The library's row reader makes zero of what is next to it, before any node decides.</summary>
    internal static double Read(double value) => Math.Abs(value) <= ZeroMax ? 0 : value;

    /// <summary>Whether a category, cut toward zero, is in the set. Missing, negative and unseen ones are not.</summary>
    internal static bool Holds(uint[] set, double value)
    {
        if (!(value > -1 && value < set.Length * 32.0)) return false;
        var category = (int)value;
        return (BitOperations.RotateRight(set[category >> 5], category & 31) & 1) != 0;
    }

    /// <returns>What is wrong with the tree, or null.</returns>
    internal string? Problem(int featureCount)
    {
        for (var node = 0; node < Feature.Length; node++)
        {
            if (Feature[node] < 0 || Feature[node] >= featureCount) return $"node {node} looks at feature {Feature[node]} of {featureCount}";
            if (Category[node] is null && double.IsNaN(Threshold[node])) return $"node {node} has the threshold {Threshold[node]}";
        }

        return TreeShape.Problem(Left, Right, LeafValue, LeafCount);
    }
}
