using System.Numerics;
using System.Text.Json;
using CsCheck;
using Promotions.Analytics.Statistics;

namespace Promotions.Analytics.Tests;

public sealed class StatisticsTests
{
    private static void Close(double expected, double actual, string what, double tolerance = 1e-9) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance * Math.Max(1, Math.Abs(expected)), $"{what}: {actual:R} instead of {expected:R}");

    private static void CloseTail(double expected, double actual, string what, double tolerance) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance * expected, $"{what}: {actual:R} instead of {expected:R}");

    [Fact]
    public void Reference_sums_give_the_published_difference_interval_and_p_value()
    {
        var control = SampleMoments.FromSums(3_407, 1_396.87, 52_377.9767);
        var treated = SampleMoments.FromSums(3_461, 2_422.7, 134_698.29);
        var welch = WelchTest.Compare(treated, control)!.Value;

        Assert.Equal(0.29, welch.Difference, 5e-6);
        Assert.Equal(0.12478, welch.StandardError, 5e-6);
        Assert.Equal(0.04538, welch.Low, 5e-6);
        Assert.Equal(0.53462, welch.High, 5e-6);
        Assert.Equal(0.02016, welch.PValue, 5e-6);
        Assert.Equal(5_841.742, welch.DegreesOfFreedom, 5e-4);
    }

    [Fact]
    public void Welch_equals_scipy_on_raw_samples()
    {
        var compared = 0;
        foreach (var test in Vectors.Cases("welch.json").Where(static test => test.GetProperty("kind").GetString() == "ttest"))
        {
            var id = test.GetProperty("id").GetString()!;
            var a = SampleMoments.FromValues(Vectors.Numbers(test.GetProperty("a")));
            var b = SampleMoments.FromValues(Vectors.Numbers(test.GetProperty("b")));
            var expected = test.GetProperty("welch");
            if (Vectors.Number(expected.GetProperty("p_two_sided")) is not { } p || !double.IsFinite(p) || p == 0 || a.Variance + b.Variance == 0) continue;
            var welch = WelchTest.Compare(a, b);
            Assert.True(welch.HasValue, id);
            Close(Vectors.Number(expected.GetProperty("df"))!.Value, welch.Value.DegreesOfFreedom, id + " df");
            // With a million in front of the spread, scipy's own difference of means is right to 1e-9 only.
            CloseTail(p, welch.Value.PValue, id + " p", test.GetProperty("tag").GetString() == "large offset" ? 1e-8 : 1e-9);
            Close(Vectors.Number(expected.GetProperty("ci95_low"))!.Value, welch.Value.Low, id + " low");
            Close(Vectors.Number(expected.GetProperty("ci95_high"))!.Value, welch.Value.High, id + " high");
            var narrow = WelchTest.Compare(a, b, 0.90)!.Value;
            Close(Vectors.Number(expected.GetProperty("ci90_low"))!.Value, narrow.Low, id + " 90 % low");
            compared++;
        }

        Assert.InRange(compared, 15, 25);
    }

    [Fact]
    public void Welch_equals_the_experiment_library_on_sums()
    {
        var compared = 0;
        foreach (var test in Vectors.Cases("experiment-mean.json"))
        {
            var id = test.GetProperty("id").GetString()!;
            var expected = test.GetProperty("frequentist").GetProperty("absolute");
            var sensitivity = Vectors.Number(test.GetProperty("sensitivity"));
            if (expected.TryGetProperty("error", out var error) && error.ValueKind is JsonValueKind.String || sensitivity is null) continue;
            SampleMoments Moments(string arm) => SampleMoments.FromSums(test.GetProperty(arm).GetProperty("n").GetInt64(),
                Vectors.Number(test.GetProperty(arm).GetProperty("sum"))!.Value, Vectors.Number(test.GetProperty(arm).GetProperty("sum_squares"))!.Value);
            var welch = WelchTest.Compare(Moments("b"), Moments("a"), 1 - test.GetProperty("alpha").GetDouble());
            Assert.True(welch.HasValue, id);
            var tolerance = Math.Max(1e-9, 100 * sensitivity.Value);
            Close(Vectors.Number(expected.GetProperty("expected"))!.Value, welch.Value.Difference, id + " difference", tolerance);
            Close(Vectors.Number(expected.GetProperty("stddev"))!.Value, welch.Value.StandardError, id + " standard error", tolerance);
            Close(Vectors.Number(expected.GetProperty("ci_low"))!.Value, welch.Value.Low, id + " low", tolerance);
            Close(Vectors.Number(expected.GetProperty("ci_high"))!.Value, welch.Value.High, id + " high", tolerance);
            Close(Vectors.Number(expected.GetProperty("p_value"))!.Value, welch.Value.PValue, id + " p", tolerance);
            compared++;
        }

        Assert.InRange(compared, 25, 44);
    }

    [Fact]
    public void Wilson_interval_equals_statsmodels()
    {
        foreach (var test in Vectors.Cases("welch.json").Where(static test => test.GetProperty("kind").GetString() == "interval"))
        {
            var (low, high) = WilsonInterval.Of(test.GetProperty("count").GetInt64(), test.GetProperty("nobs").GetInt64(), 1 - test.GetProperty("alpha").GetDouble());
            var expected = test.GetProperty("wilson");
            Close(Vectors.Number(expected[0])!.Value, low, test.GetProperty("id") + " low");
            Close(Vectors.Number(expected[1])!.Value, high, test.GetProperty("id") + " high");
        }
    }

    [Fact]
    public void Sample_ratio_equals_the_experiment_library()
    {
        var compared = 0;
        foreach (var test in Vectors.Cases("experiment-srm.json"))
        {
            var weights = Vectors.Numbers(test.GetProperty("weights"));
            if (weights.Any(static weight => weight <= 0)) continue;   // an arm that should get nobody has no place in this test: see DECISIONS
            long[] units = [.. test.GetProperty("users").EnumerateArray().Select(static user => user.GetInt64())];
            var p = SampleRatio.PValue(units, weights);
            var expected = Vectors.Number(test.GetProperty("p_value"))!.Value;
            Assert.True(Math.Abs(expected - p) <= 1e-9 * Math.Max(expected, 1e-290), $"{test.GetProperty("id")}: {p:R} instead of {expected:R}");
            compared++;
        }

        Assert.InRange(compared, 30, 40);
    }

    [Fact]
    public void One_stratum_of_control_share_is_the_plain_sample_ratio() =>
        Gen.Select(Gen.Long[0, 100_000], Gen.Long[0, 100_000], Gen.Int[1, 99]).Sample((treated, control, percent) =>
            Assert.Equal(SampleRatio.PValue([control, treated], [percent, 100 - percent]), SampleRatio.PValueOfControl(control, [(treated + control, percent / 100.0)]), 1e-9));

    [Fact]
    public void Student_tail_equals_scipy_also_far_out()
    {
        var compared = 0;
        foreach (var test in Vectors.Cases("distributions.json").Where(static test => test.GetProperty("fn").GetString() == "t.sf"))
        {
            var arguments = Vectors.Numbers(test.GetProperty("args"));
            var expected = Vectors.Number(test.TryGetProperty("exact", out var exact) ? exact : test.GetProperty("value"))!.Value;
            if (expected < 1e-290) continue;
            var tail = StudentTail.Upper(arguments[0], arguments[1]);
            Assert.True(Math.Abs(expected - tail) <= 1e-9 * expected, $"{test.GetProperty("id")} t {arguments[0]} df {arguments[1]}: {tail:R} instead of {expected:R}");
            compared++;
        }

        Assert.True(compared > 20, $"{compared} cases");
    }

    [Fact]
    public void Quantile_undoes_the_tail() =>
        Gen.Select(Gen.Double[1e-12, 0.4999], Gen.Double[1, 1e6]).Sample((tail, degrees) =>
            Assert.Equal(1, StudentTail.Upper(StudentTail.UpperQuantile(tail, degrees), degrees) / tail, 1e-9));

    [Fact]
    public void Exact_moments_do_not_cancel_where_sums_of_doubles_do()
    {
        const long Mean = 1_000_000_000_000;
        BigInteger sum = 0, squares = 0;
        for (var i = 0; i < 1_000; i++)
        {
            BigInteger value = Mean + i % 2;
            sum += value;
            squares += value * value;
        }

        Assert.Equal(1_000 / 999.0 * 0.25, SampleMoments.FromExact(1_000, sum, squares).Variance, 1e-12);
    }

    [Fact]
    public void Sums_of_any_split_agree_with_the_whole() =>
        Gen.Select(Gen.Int[-1_000_000, 1_000_000].Array[2, 60], Gen.Int[1, 59]).Sample((values, cut) =>
        {
            var (left, right) = (values.Take(cut).ToArray(), values.Skip(cut).ToArray());
            static BigInteger Squares(int[] part) => part.Aggregate(BigInteger.Zero, static (sum, value) => sum + (BigInteger)value * value);
            static BigInteger Sum(int[] part) => part.Aggregate(BigInteger.Zero, static (sum, value) => sum + value);
            var whole = SampleMoments.FromValues([.. values.Select(static value => (double)value)]);
            var merged = SampleMoments.FromExact(values.Length, Sum(left) + Sum(right), Squares(left) + Squares(right));
            Assert.Equal(whole.Mean, merged.Mean, 1e-6);
            Assert.Equal(whole.Variance, merged.Variance, 1e-9 * Math.Max(1, whole.Variance));
        });

    [Fact]
    public void No_spread_gives_no_number()
    {
        Assert.Null(WelchTest.Compare(new(100, 5, 0), new(100, 5, 0)));
        Assert.Null(WelchTest.Compare(new(1, 5, 0), new(100, 5, 2)));
        Assert.Null(WelchTest.MeanInterval(new(1, 5, 0)));
        Assert.NotNull(WelchTest.Compare(new(100, 5, 0), new(100, 5, 1)));
    }
}
