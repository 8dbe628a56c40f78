using Promotions.Scoring.LightGbm;

namespace Promotions.Scoring;

/// <summary>Opens a model file of either kind: one of this project's own, or an imported one.</summary>
public static class ScorerFile
{
    /// <param name="layoutHash">The layout of the vectors that it will be given.</param>
    /// <exception cref="ModelFileException">Cut short, damaged, newer than this program, invalid, or of another layout.</exception>
    public static IScorer Load(ReadOnlySpan<byte> file, ulong layoutHash)
    {
        IScorer scorer = ImportedModelFile.IsOne(file) ? ImportedScorer.Load(file) : TreeScorer.Load(file);
        return scorer.LayoutHash == layoutHash ? scorer : throw new ModelFileException(ModelFileProblem.WrongLayout,
            $"The model was made for feature layout {scorer.LayoutHash:x16}, and this program computes layout {layoutHash:x16}. Train or import it again on this layout.");
    }

    /// <summary>Opens a model that is to serve: it must name the layout's features, and answer a number whatever the vector is.</summary>
    /// <param name="features">Names in the vector's order.</param>
    /// <exception cref="ModelFileException">As above; or a feature is missing, or the model answers NaN.</exception>
    public static IScorer Load(ReadOnlySpan<byte> file, ulong layoutHash, IReadOnlyList<string> features)
    {
        var scorer = Load(file, layoutHash);
        if (scorer is TreeScorer { Model.Features: var named })
        {
            for (var f = 0; f < features.Count; f++)
                if (f >= named.Length || named[f] != features[f])
                    throw Invalid($"feature {f} of its vector is {(f < named.Length ? $"'{named[f]}'" : "missing")}, and of this program's '{features[f]}'");
        }

        if (scorer.FeatureCount != features.Count) throw Invalid($"its vectors have {scorer.FeatureCount} features, and this program's {features.Count}");
        CheckAnswers(scorer);
        return scorer;
    }

    /// <summary>Leaves are finite one by one, and their sum may still not be: each feature at both ends and missing shows it where all trees lean one way.</summary>
    private static void CheckAnswers(IScorer scorer)
    {
        var vector = new float[scorer.FeatureCount];
        foreach (var everywhere in (ReadOnlySpan<float>)[0, float.NaN, float.MinValue, float.MaxValue])
        {
            Array.Fill(vector, everywhere);
            Check(scorer, vector);
            for (var f = 0; f < vector.Length; f++)
            {
                foreach (var one in (ReadOnlySpan<float>)[0, 1, float.NaN, float.MinValue, float.MaxValue])
                {
                    vector[f] = one;
                    Check(scorer, vector);
                }

                vector[f] = everywhere;
            }
        }
    }

    private static void Check(IScorer scorer, float[] vector)
    {
        var raw = scorer.RawScore(vector);
        var probability = scorer.Probability(raw);
        if (!double.IsFinite(raw) || probability is not (>= 0 and <= 1)) throw Invalid($"it answers {raw} and the probability {probability} where a number from 0 to 1 is needed");
    }

    private static ModelFileException Invalid(string what) => new(ModelFileProblem.Invalid, $"The model is invalid: {what}.");
}
