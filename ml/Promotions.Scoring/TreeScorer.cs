namespace Promotions.Scoring;

/// <summary>A model in memory, laid out to score and to explain. Immutable; safe from any thread; scoring and explaining allocate nothing.</summary>
public sealed class TreeScorer : IScorer
{
    private readonly IRowScorer _rows;
    private readonly ShapleyExplainer _explainer;
    private readonly FeaturePopulation?[] _population;

    private TreeScorer(TreeModel model, string hash)
    {
        Model = model;
        ModelHash = hash;
        var leavesMax = model.Trees.Max(tree => tree.LeafCount);
        _rows = leavesMax <= QuickScorer<uint>.LeavesMax ? new QuickScorer<uint>(model)
            : leavesMax <= QuickScorer<ulong>.LeavesMax ? new QuickScorer<ulong>(model)
            : new WalkScorer(model.Trees);
        _explainer = new(model);
        _population = [.. model.Features.Select(name => model.Population?.Features.GetValueOrDefault(name))];
        ExpectedScore = model.Trees.Sum(tree => tree.ExpectedValue());
    }

    /// <summary>What the file says. Not to be changed.</summary>
    public TreeModel Model { get; }
    public string ModelHash { get; }
    public ulong LayoutHash => Model.LayoutHash;
    public int FeatureCount => Model.Features.Length;
    public double ExpectedScore { get; }

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

    public double Probability(double rawScore) => Model.Calibration.Probability(rawScore);

    public void Explain(ReadOnlySpan<float> vector, Span<double> contributions)
    {
        CheckLength(vector);
        if (contributions.Length != FeatureCount) throw new ArgumentException($"Room for {contributions.Length} contributions; the model has {FeatureCount} features.", nameof(contributions));
        _explainer.Explain(vector, contributions);
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
