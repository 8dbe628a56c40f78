using System.Text.Json;
using Promotions.Analytics.Tests;
using Promotions.Scoring.Drift;

namespace Promotions.Scoring.Tests;

/// <summary>Drift measures against scipy's and numpy's numbers.</summary>
public class DriftVectorTests
{
    [Fact]
    public void The_stability_index_and_its_parts_are_numpys()
    {
        var cases = Of("psi");
        foreach (var test in cases)
        {
            var (expected, actual) = (Counts(test, "expected"), Counts(test, "actual"));
            var parts = new double[expected.Length];
            Assert.Equal(test.GetProperty("psi").GetDouble(), PopulationStability.Of(expected, actual, test.GetProperty("floor").GetDouble(), parts), 1e-9);
            Assert.All(Vectors.Numbers(test.GetProperty("parts")).Zip(parts), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        }

        Assert.Equal(22, cases.Length);
    }

    [Fact]
    public void Values_fall_into_numpys_deciles()
    {
        var cases = Of("psi_from_values");
        foreach (var test in cases)
        {
            var reference = Bins.Of(Vectors.Numbers(test.GetProperty("reference")));
            Assert.All(Vectors.Numbers(test.GetProperty("edges")).Zip(reference.Edges), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
            Assert.Equal(Counts(test, "expected"), reference.Counts);
            var actual = new long[reference.Counts.Length];
            foreach (var value in Vectors.Numbers(test.GetProperty("current"))) actual[Bins.BinOf(reference.Edges, value)]++;
            Assert.Equal(Counts(test, "actual"), actual);
            Assert.Equal(test.GetProperty("psi").GetDouble(), PopulationStability.Of(reference.Counts, actual), 1e-9);
        }

        Assert.Equal(6, cases.Length);
    }

    [Fact]
    public void The_largest_gap_its_place_and_its_exact_probability_are_scipys()
    {
        var cases = Of("ks");
        foreach (var test in cases)
        {
            var (a, b) = (Vectors.Numbers(test.GetProperty("a")), Vectors.Numbers(test.GetProperty("b")));
            var gap = KolmogorovSmirnov.Of(a, b);
            Assert.Equal(test.GetProperty("statistic").GetDouble(), gap.Statistic, 1e-12);
            var exact = test.GetProperty("p_exact").GetDouble();
            var ours = KolmogorovSmirnov.Exact(a.Length, b.Length, gap);
            Assert.True(Math.Abs(exact - ours) <= 1e-9 * Math.Max(exact, 1e-300) + 1e-12, $"{test.GetProperty("id")}: {ours}, and scipy {exact}");
        }

        Assert.Equal(18, cases.Length);
    }

    [Fact]
    public void The_limit_is_near_the_exact_probability_of_large_samples()
    {
        // scipy's own p_asymp is another approximation (the one-sample distribution of a rounded size), so this is no equality.
        foreach (var test in Of("ks_formula"))
        {
            var (n, m) = (test.GetProperty("n1").GetInt32(), test.GetProperty("n2").GetInt32());
            Assert.Equal(test.GetProperty("p_asymp").GetDouble(), KolmogorovSmirnov.Limit(n, m, test.GetProperty("statistic").GetDouble()), 0.02);
        }

        // Both forms of the series meet where one takes over from the other.
        Assert.Equal(KolmogorovSmirnov.Limit(2, 2, 1.1799999), KolmogorovSmirnov.Limit(2, 2, 1.1800001), 1e-6);
    }

    private static JsonElement[] Of(string kind) => [.. Vectors.Cases("drift.json").Where(test => test.GetProperty("kind").GetString() == kind)];

    private static long[] Counts(JsonElement test, string name) => [.. test.GetProperty(name).EnumerateArray().Select(count => count.GetInt64())];
}
