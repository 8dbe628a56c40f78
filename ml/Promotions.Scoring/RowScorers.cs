namespace Promotions.Scoring;

/// <summary>The sum of the leaves that a row reaches.</summary>
internal interface IRowScorer
{
    double RawScore(ReadOnlySpan<float> vector);
}

/// <summary>One tree after another, node by node: for trees with more leaves than a mask has bits.</summary>
internal sealed class WalkScorer(DecisionTree[] trees) : IRowScorer
{
    public double RawScore(ReadOnlySpan<float> vector)
    {
        double sum = 0;
        foreach (var tree in trees) sum += tree.LeafValue[tree.LeafOf(vector)];
        return sum;
    }
}
