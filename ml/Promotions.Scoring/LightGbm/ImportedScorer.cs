using System.Text;
using Promotions.Scoring.Drift;

namespace Promotions.Scoring.LightGbm;

/// <summary>An imported model that serves: vectors in the registry's order, scores and contributions in log-odds.</summary>
/// <remarks>A random forest averages: its log-odds are the sum over its trees by their number, and so are the contributions.</remarks>
public sealed class ImportedScorer : IScorer
{
    private const int StackMax = 256;

    private readonly LightGbmScorer _scorer;
    private readonly int[] _map;
    private readonly double _scale;

    private ImportedScorer(ImportedModel model, string hash)
    {
        _scorer = new(LightGbmText.Read(Encoding.UTF8.GetBytes(model.Text)));
        if (model.Map.Length != _scorer.FeatureCount) throw new ModelFileException(ModelFileProblem.Invalid, $"The model is invalid: it has {_scorer.FeatureCount} features and places for {model.Map.Length}.");
        if (_scorer.Model.Sigmoid == 0) throw new ModelFileException(ModelFileProblem.Invalid, $"The model is invalid: its objective is {_scorer.Model.Objective}, which gives no probability.");
        (ModelHash, LayoutHash, FeatureCount, Card, Reference, _map) = (hash, model.LayoutHash, model.FeatureCount, model.Card, model.Reference, model.Map);
        _scale = _scorer.Model.Sigmoid / (_scorer.Model.AverageOutput ? _scorer.Model.Trees.Length : 1);
    }

    public string ModelHash { get; }
    public ulong LayoutHash { get; }
    public int FeatureCount { get; }
    public TrainingCard? Card { get; }
    public ModelReference? Reference { get; }
    public double ExpectedScore => _scorer.ExpectedScore * _scale;

    /// <summary>Loads an imported model's file.</summary>
    /// <exception cref="ModelFileException">Cut short, damaged, newer than this program, or invalid.</exception>
    public static ImportedScorer Load(ReadOnlySpan<byte> file) => new(ImportedModelFile.Read(file), ModelFile.HashOf(file));

    public double RawScore(ReadOnlySpan<float> vector)
    {
        CheckLength(vector.Length);
        Span<double> row = _map.Length <= StackMax ? stackalloc double[_map.Length] : new double[_map.Length];
        for (var f = 0; f < row.Length; f++) row[f] = vector[_map[f]];
        return _scorer.RawScore(row) * _scale;
    }

    public double? RawScoreAtMost(ReadOnlySpan<float> low, ReadOnlySpan<float> high)
    {
        CheckLength(low.Length);
        CheckLength(high.Length);
        if (!(_scale > 0)) return null;
        var (least, most) = (new double[_map.Length], new double[_map.Length]);
        for (var f = 0; f < least.Length; f++) (least[f], most[f]) = (low[_map[f]], high[_map[f]]);
        return _scorer.RawScoreAtMost(least, most) * _scale;
    }

    public double Probability(double rawScore) => 1 / (1 + Math.Exp(-rawScore));

    public void Explain(ReadOnlySpan<float> vector, Span<double> contributions)
    {
        CheckLength(vector.Length);
        CheckLength(contributions.Length);
        var row = new double[_map.Length];
        var own = new double[_map.Length];
        for (var f = 0; f < row.Length; f++) row[f] = vector[_map[f]];
        _scorer.Explain(row, own);
        contributions.Clear();
        for (var f = 0; f < own.Length; f++) contributions[_map[f]] += own[f] * _scale;
    }

    private void CheckLength(int length)
    {
        if (length != FeatureCount) throw new ArgumentException($"A length of {length}; the model's vectors have {FeatureCount} features.");
    }
}
