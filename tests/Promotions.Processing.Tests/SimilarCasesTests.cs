using CsCheck;
using Promotions.Processing.Reviews;

namespace Promotions.Processing.Tests;

/// <summary>The distance between two explanations is one.</summary>
public sealed class SimilarCasesTests
{
    private static readonly Gen<Dictionary<string, double>> Reasons =
        Gen.Select(Gen.Int[0, 9], Gen.Double[-5, 5]).Array[0, 8].Select(pairs => pairs.DistinctBy(pair => pair.Item1).ToDictionary(pair => "f" + pair.Item1, pair => pair.Item2));

    [Fact]
    public void It_is_that_of_the_whole_vectors_with_what_is_missing_at_zero() => Gen.Select(Reasons, Reasons, Reasons).Sample((a, b, c) =>
    {
        Assert.Equal(Plain(a, b), SimilarCases.Distance(a, b), 1e-12);
        Assert.Equal(SimilarCases.Distance(a, b), SimilarCases.Distance(b, a), 1e-12);
        Assert.Equal(0, SimilarCases.Distance(a, a));
        Assert.True(SimilarCases.Distance(a, c) <= SimilarCases.Distance(a, b) + SimilarCases.Distance(b, c) + 1e-9);
    }, iter: 500);

    private static double Plain(Dictionary<string, double> a, Dictionary<string, double> b) =>
        Math.Sqrt(Enumerable.Range(0, 10).Sum(i => Math.Pow(a.GetValueOrDefault("f" + i) - b.GetValueOrDefault("f" + i), 2)));
}
