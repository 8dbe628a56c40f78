using System.Globalization;
using System.Text.Json;

namespace Promotions.Scoring.Tests;

/// <summary>LightGBM's own answers for its own models (the data set <c>vectors/lightgbm</c>), as far as float32 thresholds can say them.</summary>
/// <remarks>Those models compare doubles. A threshold t becomes the largest float ≤ t, which decides every float as t does; rows of the file where rounding the row
/// to floats changes a decision are left out, and counted.</remarks>
public class LightGbmVectorTests
{
    [Theory]
    [InlineData(1, 63, 100)]   // 63 leaves, missing values both ways
    [InlineData(6, 2, 150)]    // stumps
    [InlineData(7, 1, 200)]    // a constant
    public void Scores_and_contributions_equal_the_published_ones(int number, int leavesMax, int rowsMin)
    {
        var folder = Folder();
        var model = Parse(File.ReadAllLines(Path.Combine(folder, $"model_{number}.txt")), out var thresholds, out var zeroIsMissing);
        Assert.False(zeroIsMissing);
        Assert.Equal(leavesMax, model.Trees.Max(tree => tree.LeafCount));
        var scorer = TreeScorer.Load(ModelFile.Write(model));
        using var cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, $"cases_{number}.json")));
        int used = 0, explained = 0;
        foreach (var item in cases.RootElement.GetProperty("cases").EnumerateArray())
        {
            // The library reads anything within 1e-35f of zero as zero.
            double[] exact = [.. item.GetProperty("x").EnumerateArray().Select(x => x.ValueKind == JsonValueKind.Null ? double.NaN : Math.Abs(x.GetDouble()) <= 1e-35f ? 0 : x.GetDouble())];
            float[] row = [.. exact.Select(x => (float)x)];
            if (!SameDecisions(model, thresholds, exact, row)) continue;
            used++;
            Assert.Equal(item.GetProperty("raw").GetDouble(), scorer.RawScore(row));
            if (!item.TryGetProperty("contrib", out var contrib)) continue;
            explained++;
            var contributions = new double[row.Length];
            scorer.Explain(row, contributions);
            for (var f = 0; f < row.Length; f++) Assert.Equal(contrib[f].GetDouble(), contributions[f], 1e-12);
            Assert.Equal(contrib[row.Length].GetDouble(), scorer.ExpectedScore, 1e-12);
        }
        Assert.True(used >= rowsMin && explained > 20, $"{used} rows used, {explained} explained");
    }

    private static bool SameDecisions(TreeModel model, double[][] thresholds, double[] exact, float[] row)
    {
        for (var t = 0; t < model.Trees.Length; t++)
        {
            var tree = model.Trees[t];
            for (var node = 0; node < tree.NodeCount; node++)
            {
                var value = exact[tree.Feature[node]];
                if (!double.IsNaN(value) && value <= thresholds[t][node] != row[tree.Feature[node]] <= tree.Threshold[node]) return false;
            }
        }
        return true;
    }

    private static TreeModel Parse(string[] lines, out double[][] thresholds, out bool zeroIsMissing)
    {
        var header = lines.TakeWhile(line => line.Length > 0).Where(line => line.Contains('=', StringComparison.Ordinal)).Select(line => line.Split('=', 2)).ToDictionary(x => x[0], x => x[1]);
        var trees = new List<DecisionTree>();
        var all = new List<double[]>();
        zeroIsMissing = false;
        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("Tree=", StringComparison.Ordinal)) continue;
            var block = lines.Skip(i + 1).TakeWhile(line => line.Length > 0).Select(line => line.Split('=', 2)).ToDictionary(x => x[0], x => x[1]);
            var exact = Numbers(block["threshold"]);
            all.Add(exact);
            var decisions = Numbers(block["decision_type"]).Select(d => (int)d).ToArray();
            zeroIsMissing |= decisions.Any(d => ((d >> 2) & 3) == 1);
            trees.Add(new([.. Numbers(block["split_feature"]).Select(f => (int)f)], [.. exact.Select(FloatAtMost)],
                // Missing type NaN: the default direction. None: NaN is zero.
                [.. decisions.Select((d, node) => ((d >> 2) & 3) == 2 ? (d & 2) != 0 : 0 <= exact[node])],
                [.. Numbers(block["left_child"]).Select(c => (int)c)], [.. Numbers(block["right_child"]).Select(c => (int)c)], Numbers(block["leaf_value"]), Numbers(block["leaf_count"])));
        }
        thresholds = [.. all];
        var features = int.Parse(header["max_feature_idx"], CultureInfo.InvariantCulture) + 1;
        return new(1, [.. Enumerable.Range(0, features).Select(f => $"f{f}")], [.. trees], Calibration.None, null);
    }

    private static double[] Numbers(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(x => x == "inf" ? double.PositiveInfinity : double.Parse(x, CultureInfo.InvariantCulture))];

    private static float FloatAtMost(double threshold)
    {
        var near = (float)threshold;
        if (near > threshold) near = MathF.BitDecrement(near);
        return float.IsInfinity(near) ? MathF.CopySign(float.MaxValue, near) : near;
    }

    private static string Folder()
    {
        var root = Environment.GetEnvironmentVariable("PROMOTIONS_DATA_SETS");
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); root is null && at is not null; at = at.Parent)
        {
            if (!File.Exists(Path.Combine(at.FullName, "Promotions.sln"))) continue;
            var beside = Path.Combine(at.FullName, "..", "shared", "data");
            if (Directory.Exists(beside)) root = beside;
        }
        var folder = root is null ? null : Path.Combine(root, "vectors", "lightgbm");
        if (folder is not null && Directory.Exists(folder)) return folder;
        if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail("The data set vectors/lightgbm is missing; set PROMOTIONS_DATA_SETS.");
        Assert.Skip("The data set vectors/lightgbm is not here; set PROMOTIONS_DATA_SETS.");
        return "";
    }
}
