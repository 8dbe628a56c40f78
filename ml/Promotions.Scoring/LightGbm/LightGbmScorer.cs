namespace Promotions.Scoring.LightGbm;

/// <summary>A LightGBM model in memory, laid out to score and to explain. Immutable; safe from any thread; scoring allocates nothing.</summary>
/// <remarks>
/// A row is prepared once: five copies of its values, of which a node compares with the one in which what it calls missing goes its default way. A node is then one
/// comparison, whatever its missing type. Trees are added in file order, so raw scores are the library's to the bit.
/// </remarks>
public sealed class LightGbmScorer
{
    private const int StackMax = 256;

    private readonly Node[] _nodes;
    private readonly double[] _leaves;
    private readonly int[] _roots;
    private readonly uint[][] _sets;
    private readonly int[] _setFeatures;
    private readonly int _features;
    private readonly ShapleyExplainer<double> _explainer;

    public LightGbmScorer(LightGbmModel model)
    {
        Model = model;
        _features = model.Features.Length;
        var nodes = new List<Node>();
        var leaves = new List<double>();
        var sets = new List<uint[]>();
        var setFeatures = new List<int>();
        var explained = new List<ExplainedTree<double>>();
        _roots = new int[model.Trees.Length];
        for (var t = 0; t < _roots.Length; t++)
        {
            var tree = model.Trees[t];
            var values = new int[tree.Feature.Length];
            var thresholds = new double[values.Length];
            for (var node = 0; node < values.Length; node++)
            {
                if (tree.Category[node] is { } set)
                {
                    // What it decides stands behind the copies of the row as a number: 0 for left, 1 for right.
                    (values[node], thresholds[node]) = ((Copies * _features) + sets.Count, 0.5);
                    sets.Add(set);
                    setFeatures.Add(tree.Feature[node]);
                }
                else
                {
                    (values[node], thresholds[node]) = ((CopyOf(tree.Missing[node], tree.DefaultLeft[node]) * _features) + tree.Feature[node], tree.Threshold[node]);
                }
            }

            _roots[t] = values.Length == 0 ? ~leaves.Count : nodes.Count;
            var (firstNode, firstLeaf) = (nodes.Count, leaves.Count);
            for (var node = 0; node < values.Length; node++) nodes.Add(new(thresholds[node], values[node], Slot(tree.Left[node]), Slot(tree.Right[node])));
            leaves.AddRange(tree.LeafValue);
            explained.Add(new(tree.Feature, values, thresholds, tree.Left, tree.Right, tree.LeafValue, tree.LeafCount));

            int Slot(int child) => child >= 0 ? firstNode + child : ~(firstLeaf + ~child);
        }

        (_nodes, _leaves, _sets, _setFeatures) = ([.. nodes], [.. leaves], [.. sets], [.. setFeatures]);
        _explainer = new(_features, explained);
        ExpectedScore = model.Trees.Sum(tree => TreeShape.ExpectedValue(tree.LeafValue, tree.LeafCount));
    }

    /// <summary>The copies of a row, by what a node does with missing values.</summary>
    private const int Copies = 5;

    public LightGbmModel Model { get; }
    public int FeatureCount => _features;

    /// <summary>Mean raw score over the training rows.</summary>
    public double ExpectedScore { get; }

    /// <summary>The sum of the leaves that the row reaches. NaN in the row is a missing value.</summary>
    /// <exception cref="ArgumentException">The row's length is not <see cref="FeatureCount"/>.</exception>
    public double RawScore(ReadOnlySpan<double> row)
    {
        CheckLength(row.Length);
        Span<double> prepared = _features <= StackMax ? stackalloc double[Copies * _features] : new double[Copies * _features];
        for (var f = 0; f < row.Length; f++) Prepare(prepared, f, row[f]);
        return RawScoreOf(row, prepared);
    }

    /// <summary>The same for a row of float32, as served vectors are: each value widened.</summary>
    /// <inheritdoc cref="RawScore(ReadOnlySpan{double})"/>
    public double RawScore(ReadOnlySpan<float> row)
    {
        CheckLength(row.Length);
        Span<double> widened = _features <= StackMax ? stackalloc double[_features] : new double[_features];
        for (var f = 0; f < row.Length; f++) widened[f] = row[f];
        return RawScore(widened);
    }

    /// <summary>A bound of the raw score over every row between the two: the sum of the greatest leaves that one of them reaches.</summary>
    /// <param name="high">At least <paramref name="low"/> in every feature; NaN where that is, and only there.</param>
    public double RawScoreAtMost(ReadOnlySpan<double> low, ReadOnlySpan<double> high)
    {
        CheckLength(low.Length);
        CheckLength(high.Length);
        var (least, most) = (low.ToArray(), high.ToArray());
        double sum = 0;
        foreach (var tree in Model.Trees) sum += tree.LeafValueAtMost(least, most);
        return sum;
    }

    /// <summary>Exact additive contributions (path-dependent TreeSHAP) to the raw score. With <see cref="ExpectedScore"/> they sum to it.</summary>
    /// <exception cref="ArgumentException">A length is not <see cref="FeatureCount"/>.</exception>
    public void Explain(ReadOnlySpan<double> row, Span<double> contributions)
    {
        CheckLength(row.Length);
        CheckLength(contributions.Length);
        var prepared = new double[(Copies * _features) + _sets.Length];
        for (var f = 0; f < row.Length; f++) Prepare(prepared, f, row[f]);
        for (var set = 0; set < _sets.Length; set++) prepared[(Copies * _features) + set] = LightGbmTree.Holds(_sets[set], row[_setFeatures[set]]) ? 0 : 1;
        _explainer.Explain(prepared, contributions);
    }

    private double RawScoreOf(ReadOnlySpan<double> row, ReadOnlySpan<double> prepared)
    {
        double sum = 0;
        var nodes = _nodes;
        foreach (var root in _roots)
        {
            var at = root;
            while (at >= 0)
            {
                ref readonly var node = ref nodes[at];
                var left = node.Value < prepared.Length
                    ? prepared[node.Value] <= node.Threshold
                    : LightGbmTree.Holds(_sets[node.Value - prepared.Length], row[_setFeatures[node.Value - prepared.Length]]);
                at = left ? node.Left : node.Right;
            }

            sum += _leaves[~at];
        }

        return sum;
    }

    /// <summary>No missing: NaN is zero. Missing to the right is NaN, which is ≤ nothing, not even an infinite threshold; to the left it is before every one.</summary>
    private void Prepare(Span<double> prepared, int feature, double value)
    {
        var read = LightGbmTree.Read(value);
        var nan = double.IsNaN(read);
        var zero = nan || read == 0;
        prepared[feature] = nan ? 0 : read;
        prepared[_features + feature] = zero ? double.NaN : read;
        prepared[(2 * _features) + feature] = zero ? double.NegativeInfinity : read;
        prepared[(3 * _features) + feature] = read;
        prepared[(4 * _features) + feature] = nan ? double.NegativeInfinity : read;
    }

    private static int CopyOf(MissingType missing, bool defaultLeft) => missing switch
    {
        MissingType.Zero => defaultLeft ? 2 : 1,
        MissingType.NaN => defaultLeft ? 4 : 3,
        _ => 0,
    };

    private void CheckLength(int length)
    {
        if (length != _features) throw new ArgumentException($"A row of {length} values; the model has {_features} features.");
    }

    /// <summary>Children ≥ 0 are nodes, &lt; 0 leaves, over all trees.</summary>
    private readonly record struct Node(double Threshold, int Value, int Left, int Right);
}
