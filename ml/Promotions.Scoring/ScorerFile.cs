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
}
