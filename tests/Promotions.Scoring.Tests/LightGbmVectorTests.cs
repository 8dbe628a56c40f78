using System.Globalization;
using System.Text;
using System.Text.Json;
using Promotions.Scoring.LightGbm;

namespace Promotions.Scoring.Tests;

/// <summary>LightGBM's own answers for its own models (the data set <c>vectors/lightgbm</c>), bit for bit where its arithmetic allows.</summary>
public class LightGbmVectorTests
{
    [Theory]
    [InlineData(1)]   // 63 leaves, missing values both ways
    [InlineData(2)]   // categorical, sets of up to three words
    [InlineData(3)]   // zero is missing
    [InlineData(4)]   // dart
    [InlineData(5)]   // random forest
    [InlineData(6)]   // stumps, no missing values
    [InlineData(7)]   // one constant
    [InlineData(8)]   // regression
    public void Scores_leaves_outputs_and_contributions_are_the_librarys(int number)
    {
        var scorer = new LightGbmScorer(Model(number));
        var (rows, explained) = (0, 0);
        foreach (var item in Cases($"cases_{number}.json"))
        {
            double[] row = [.. item.GetProperty("x").EnumerateArray().Select(x => x.ValueKind is JsonValueKind.Null ? double.NaN : x.GetDouble())];
            var raw = item.GetProperty("raw").GetDouble();
            Assert.Equal(raw, scorer.RawScore(row));
            Assert.Equal(item.GetProperty("output").GetDouble(), scorer.Model.Output(raw), 1e-15 * Math.Max(1, Math.Abs(raw)));
            if (item.TryGetProperty("leaf", out var leaves))
                Assert.Equal(leaves.EnumerateArray().Select(leaf => leaf.GetInt32()), scorer.Model.Trees.Select(tree => tree.LeafOf(row)));
            rows++;
            if (!item.TryGetProperty("contrib", out var contrib)) continue;
            explained++;
            var contributions = new double[row.Length];
            scorer.Explain(row, contributions);
            for (var f = 0; f < row.Length; f++) Assert.Equal(contrib[f].GetDouble(), contributions[f], 1e-12);
            Assert.Equal(contrib[row.Length].GetDouble(), scorer.ExpectedScore, 1e-12);
            Assert.Equal(raw, contributions.Sum() + scorer.ExpectedScore, 1e-9);
        }

        Assert.Equal((200, 50), (rows, explained));
    }

    [Fact]
    public void Infinities_denormals_negative_zero_and_categories_beyond_every_set_decide_as_in_the_library()
    {
        var scorers = Enumerable.Range(1, 8).ToDictionary(number => $"model_{number}.txt", number => new LightGbmScorer(Model(number)));
        var cases = 0;
        foreach (var item in Cases("edges.json"))
        {
            double[] row = [.. item.GetProperty("x").EnumerateArray().Select(x => double.Parse(x.GetString()!, NumberStyles.Float, CultureInfo.InvariantCulture))];
            var scorer = scorers[item.GetProperty("model").GetString()!];
            Assert.Equal(item.GetProperty("raw").GetDouble(), scorer.RawScore(row));
            Assert.Equal(item.GetProperty("raw").GetDouble(), scorer.Model.Trees.Sum(tree => tree.LeafValue[tree.LeafOf(row)]));
            cases++;
        }

        Assert.True(cases > 100, $"{cases} cases");
    }

    [Fact]
    public void A_forests_probability_comes_from_the_mean_of_its_trees_and_its_contributions_add_up_to_that()
    {
        var model = Model(5);
        var scorer = ImportedScorer.Load(ImportedModelFile.Write(ImportedModelFile.Import(Text(5), 7, model.Features, null)));
        foreach (var item in Cases("cases_5.json").Take(50))
        {
            float[] vector = [.. item.GetProperty("x").EnumerateArray().Select(x => x.ValueKind is JsonValueKind.Null ? float.NaN : (float)x.GetDouble())];
            double[] widened = [.. vector.Select(value => (double)value)];
            var raw = scorer.RawScore(vector);
            Assert.Equal(model.Output(new LightGbmScorer(model).RawScore(widened)), scorer.Probability(raw), 1e-15);
            var contributions = new double[vector.Length];
            scorer.Explain(vector, contributions);
            Assert.Equal(raw, contributions.Sum() + scorer.ExpectedScore, 1e-9);
        }
    }

    [Fact]
    public void An_imported_model_takes_its_features_by_name_wherever_the_vector_has_them()
    {
        var features = Model(1).Features;
        string[] vectorNames = ["first", .. features.Reverse(), "last"];
        var file = ImportedModelFile.Write(ImportedModelFile.Import(Text(1), 7, vectorNames, null));
        var scorer = ScorerFile.Load(file, 7);
        var direct = new LightGbmScorer(Model(1));
        foreach (var item in Cases("cases_1.json").Take(50))
        {
            float[] row = [.. item.GetProperty("x").EnumerateArray().Select(x => x.ValueKind is JsonValueKind.Null ? float.NaN : (float)x.GetDouble())];
            float[] vector = [float.NaN, .. row.Reverse(), 1e9f];
            Assert.Equal(direct.RawScore(row), scorer.RawScore(vector));
            var (own, theirs) = (new double[row.Length], new double[vector.Length]);
            direct.Explain([.. row.Select(value => (double)value)], own);
            scorer.Explain(vector, theirs);
            Assert.Equal([0, .. own.Reverse(), 0], theirs);
        }
    }

    [Fact]
    public void What_cannot_be_served_is_refused_by_name()
    {
        var text = Encoding.UTF8.GetString(Text(2));
        Refused(ModelFileProblem.Unreadable, "does not begin", "hello");
        Refused(ModelFileProblem.Unreadable, "cut short in tree", text[..(text.Length / 2)]);
        Refused(ModelFileProblem.Unreadable, "'end of trees' does not follow", text[..text.IndexOf("end of trees", StringComparison.Ordinal)]);
        Refused(ModelFileProblem.Unreadable, "has to correct its size", text.Replace("leaf_value=-2.1633853227465529", "leaf_value=-2.16", StringComparison.Ordinal));
        Refused(ModelFileProblem.NewerVersion, "version v5", text.Replace("version=v4", "version=v5", StringComparison.Ordinal));
        Refused(ModelFileProblem.Invalid, "3 classes", text.Replace("num_class=1", "num_class=3", StringComparison.Ordinal));
        Refused(ModelFileProblem.Invalid, "'lambdarank'", text.Replace("objective=binary sigmoid:1", "objective=lambdarank", StringComparison.Ordinal));
        Refused(ModelFileProblem.Invalid, "linear leaves", Tree(text, "is_linear=0", "is_linear=1"));
        Refused(ModelFileProblem.Invalid, "looks at feature 9 of 7", Tree(text, "split_feature=0", "split_feature=9"));
        Refused(ModelFileProblem.Invalid, "has the value NaN", Tree(text, "leaf_value=-2.1633853227465529", "leaf_value=nan"));
        Refused(ModelFileProblem.Invalid, "has the cover -", Tree(text, "leaf_count=", "leaf_count=-"));
        Refused(ModelFileProblem.Unreadable, "names categories that are not there", Tree(text, "\nthreshold=0 ", "\nthreshold=99 "));
        Refused(ModelFileProblem.Invalid, "gives no probability", Encoding.UTF8.GetString(Text(8)), Model(8).Features);
        Refused(ModelFileProblem.WrongLayout, "asks for 7 features that this program does not compute", text, ["other"]);

        void Refused(ModelFileProblem problem, string because, string file, string[]? vectorNames = null)
        {
            var refused = Assert.Throws<ModelFileException>(() => ImportedModelFile.Import(Encoding.UTF8.GetBytes(file), 7, vectorNames ?? Model(2).Features, null));
            Assert.Contains(because, refused.Message, StringComparison.Ordinal);
            Assert.Equal(problem, refused.Problem);
        }

        // The first place only, and the tree's size with it, as an honest editor would.
        static string Tree(string text, string old, string with)
        {
            var at = text.IndexOf(old, text.IndexOf("Tree=0", StringComparison.Ordinal), StringComparison.Ordinal);
            var edited = string.Concat(text.AsSpan(0, at), with, text.AsSpan(at + old.Length));
            var size = int.Parse(text.Split("tree_sizes=")[1].Split(' ')[0], CultureInfo.InvariantCulture);
            return edited.Replace($"tree_sizes={size} ", $"tree_sizes={size + with.Length - old.Length} ", StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_damaged_or_foreign_imported_file_is_refused()
    {
        var file = ImportedModelFile.Write(ImportedModelFile.Import(Text(1), 7, Model(1).Features, null));
        Assert.Equal(ModelFileProblem.WrongLayout, Assert.Throws<ModelFileException>(() => ScorerFile.Load(file, 8)).Problem);
        Assert.Equal(ModelFileProblem.Unreadable, Assert.Throws<ModelFileException>(() => ScorerFile.Load(file.AsSpan(0, file.Length / 2), 7)).Problem);
        var damaged = Encoding.UTF8.GetString(file).Replace("sigmoid:1", "sigmoid:9", StringComparison.Ordinal);
        Assert.Equal(ModelFileProblem.Damaged, Assert.Throws<ModelFileException>(() => ScorerFile.Load(Encoding.UTF8.GetBytes(damaged), 7)).Problem);
    }

    private static LightGbmModel Model(int number) => LightGbmText.Read(Text(number));

    private static byte[] Text(int number) => File.ReadAllBytes(Path.Combine(Folder(), $"model_{number}.txt"));

    private static List<JsonElement> Cases(string name)
    {
        using var cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder(), name)));
        return [.. cases.RootElement.GetProperty("cases").EnumerateArray().Select(item => item.Clone())];
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
