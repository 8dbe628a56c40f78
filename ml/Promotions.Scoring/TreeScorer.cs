using Promotions.Scoring.Drift;

namespace Promotions.Scoring;

/// <summary>A model in memory, laid out to score and to explain. Immutable; safe from any thread; scoring and explaining allocate nothing.</summary>
public sealed class TreeScorer : IScorer
{
    private readonly IRowScorer _rows;
    private const int StackMax = 512;

    private readonly ShapleyExplainer<float> _explainer;
    private readonly FeaturePopulation?[] _population;

    private TreeScorer(TreeModel model, string hash)
    {
        Model = model;
        ModelHash = hash;
        var leavesMax = model.Trees.Max(tree => tree.LeafCount);
        _rows = leavesMax <= QuickScorer<uint>.LeavesMax ? new QuickScorer<uint>(model)
            : leavesMax <= QuickScorer<ulong>.LeavesMax ? new QuickScorer<ulong>(model)
            : new WalkScorer(model.Trees);
        var features = model.Features.Length;
        _explainer = new(features, [.. model.Trees.Select(tree => new ExplainedTree<float>(
            tree.Feature, [.. tree.Feature.Select((feature, node) => tree.MissingLeft[node] ? features + feature : feature)], tree.Threshold, tree.Left, tree.Right, tree.LeafValue, tree.LeafCover))]);
        _population = [.. model.Features.Select(name => model.Population?.Features.GetValueOrDefault(name))];
        ExpectedScore = model.Trees.Sum(tree => tree.ExpectedValue());
    }

    /// <summary>What the file says. Not to be changed.</summary>
    public TreeModel Model { get; }
    public string ModelHash { get; }
    public ulong LayoutHash => Model.LayoutHash;
    public int FeatureCount => Model.Features.Length;
    public double ExpectedScore { get; }
    public TrainingCard? Card => Model.Card;
    public ModelReference? Reference => Model.Reference;

    /// <summary>Loads a model file's bytes.</summary>
    /// <param name="layoutHash">The layout of the vectors that it will be given.</param>
    /// <exception cref="ModelFileException">Cut short, damaged, newer than this program, invalid, or of another layout.</exception>
    public static TreeScorer Load(ReadOnlySpan<byte> file, ulong layoutHash)
    {
        var scorer = Load(file);
        return scorer.LayoutHash == layoutHash ? scorer : throw new ModelFileException(ModelFileProblem.WrongLayout,
            $"The model was trained on feature layout {scorer.LayoutHash:x16}, and this program computes layout {layoutHash:x16}. Train it again on this layout.");
    }

    /// <summary>Loads a model file's bytes whatever its layout, for tools that look at models.</summary>
    /// <exception cref="ModelFileException">Cut short, damaged, newer than this program, or invalid.</exception>
    public static TreeScorer Load(ReadOnlySpan<byte> file) => new(ModelFile.Read(file), ModelFile.HashOf(file));

    public double RawScore(ReadOnlySpan<float> vector)
    {
        CheckLength(vector);
        return _rows.RawScore(vector);
    }

    public double? RawScoreAtMost(ReadOnlySpan<float> low, ReadOnlySpan<float> high)
    {
        CheckLength(low);
        CheckLength(high);
        Span<float> box = low.Length <= StackMax ? stackalloc float[2 * low.Length] : new float[2 * low.Length];
        var least = box[..low.Length];
        var most = box[low.Length..];
        low.CopyTo(least);
        high.CopyTo(most);
        double sum = 0;
        foreach (var tree in Model.Trees) sum += tree.LeafValueAtMost(least, most);
        return sum;
    }

    public double Probability(double rawScore) => Model.Calibration.Probability(rawScore);

    public void Explain(ReadOnlySpan<float> vector, Span<double> contributions)
    {
        CheckLength(vector);
        if (contributions.Length != FeatureCount) throw new ArgumentException($"Room for {contributions.Length} contributions; the model has {FeatureCount} features.", nameof(contributions));
        // Two copies of the row: in the first a missing value goes right at every node, in the second left.
        Span<float> row = vector.Length <= StackMax ? stackalloc float[2 * vector.Length] : new float[2 * vector.Length];
        for (var f = 0; f < vector.Length; f++)
        {
            var missing = float.IsNaN(vector[f]);
            row[f] = missing ? float.PositiveInfinity : vector[f];
            row[vector.Length + f] = missing ? float.NegativeInfinity : vector[f];
        }

        _explainer.Explain(row, contributions);
    }

    public PopulationBound? UsualBelow(int feature, float value)
    {
        if (_population[feature] is not { } population) return null;
        for (var i = population.AtMost.Length - 1; i >= 0; i--)
            if (population.AtMost[i] < value) return new(population.Member, Model.Population!.Shares[i], population.AtMost[i]);
        return null;
    }

    private void CheckLength(ReadOnlySpan<float> vector)
    {
        if (vector.Length != FeatureCount) throw new ArgumentException($"A vector of {vector.Length} values; the model has {FeatureCount} features.", nameof(vector));
    }
}
