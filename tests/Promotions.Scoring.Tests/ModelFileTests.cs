using System.Text;

namespace Promotions.Scoring.Tests;

public class ModelFileTests
{
    private static readonly TreeModel Model = RandomModels.Model(1, 5, 8, 4) with
    {
        Card = new("simulated", 42, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(30), 1000, 0.02, "promotions-ml train",
            new(200, 0.03, DateTimeOffset.UnixEpoch.AddDays(30), DateTimeOffset.UnixEpoch.AddDays(40), 0.98, 0.8, 0.05, 0.004, [new(0.002, 0.9, 0.7)])),
    };

    [Fact]
    public void A_model_written_and_read_is_the_same_and_is_named_by_its_bytes()
    {
        var bytes = ModelFile.Write(Model);
        Assert.Equal(bytes, ModelFile.Write(ModelFile.Read(bytes)));
        Assert.Equal(bytes, ModelFile.Write(Model));
        var scorer = TreeScorer.Load(bytes, Model.LayoutHash);
        Assert.Equal(ModelFile.HashOf(bytes), scorer.ModelHash);
        Assert.Equal(64, scorer.ModelHash.Length);
        Assert.Equal(Model.Card!.Held!.FalseAlarms, scorer.Model.Card!.Held!.FalseAlarms);
        Assert.Equal(Model.Features, scorer.Model.Features);
    }

    [Fact]
    public void Floats_and_doubles_come_back_bit_for_bit()
    {
        var tree = new DecisionTree([0], [float.Epsilon], [true], [-1], [-2], [0.1 + 0.2, -double.Epsilon], [1, 2]);
        var back = ModelFile.Read(ModelFile.Write(ScorerTests.Of(tree))).Trees[0];
        Assert.Equal(tree.Threshold, back.Threshold);
        Assert.Equal(tree.LeafValue, back.LeafValue);
    }

    [Fact]
    public void Another_layout_is_refused_by_name()
    {
        var e = Refused(ModelFile.Write(Model), ModelFileProblem.WrongLayout, layout: 3);
        Assert.Contains("feed000000000001", e.Message, StringComparison.Ordinal);
        Assert.Contains("0000000000000003", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_changed_byte_is_noticed()
    {
        var bytes = ModelFile.Write(Model);
        var random = new Random(3);
        for (var i = 0; i < 300; i++)
        {
            var changed = (byte[])bytes.Clone();
            changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(7));
            Assert.Throws<ModelFileException>(() => TreeScorer.Load(changed));
        }
    }

    [Fact]
    public void A_file_cut_short_anywhere_is_refused()
    {
        var bytes = ModelFile.Write(Model);
        for (var length = 0; length < bytes.Length - 1; length += 97) Assert.Throws<ModelFileException>(() => TreeScorer.Load(bytes.AsSpan(0, length)));
        Refused(bytes[..^4], ModelFileProblem.Unreadable);
    }

    private static readonly ModelPopulation Usual = new([0.5, 0.9, 0.99],
        new Dictionary<string, FeaturePopulation> { ["feature_1"] = new("device", 2_000, [1, 1, 4]), ["feature_3"] = new("attempt", 40, [0.25f]) });

    [Fact]
    public void A_population_is_written_read_hashed_with_the_model_and_changes_no_score()
    {
        var with = ModelFile.Write(Model with { Population = Usual });
        var (asked, plain) = (TreeScorer.Load(with), TreeScorer.Load(ModelFile.Write(Model)));
        Assert.NotEqual(plain.ModelHash, asked.ModelHash);
        Assert.Equal(with, ModelFile.Write(asked.Model));
        var random = new Random(5);
        for (var i = 0; i < 50; i++)
        {
            var row = RandomModels.Row(random, 4);
            Assert.Equal(plain.RawScore(row), asked.RawScore(row));
        }

        Assert.Equal(new PopulationBound("device", 0.99, 4), asked.UsualBelow(1, 5));
        Assert.Equal(new PopulationBound("device", 0.9, 1), asked.UsualBelow(1, 4));   // as much as the bound is not above it
        Assert.Null(asked.UsualBelow(1, 1));
        Assert.Equal(new PopulationBound("attempt", 0.5, 0.25f), asked.UsualBelow(3, 1e9f));
        Assert.Null(asked.UsualBelow(0, 1e9f));
        Assert.Null(asked.UsualBelow(1, float.NaN));
        Assert.Null(plain.UsualBelow(1, 1e9f));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_file_of_an_earlier_version_is_still_read(int version)
    {
        var text = Encoding.UTF8.GetString(ModelFile.Write(Model)).Replace("\"version\":3", $"\"version\":{version}", StringComparison.Ordinal);
        var key = text.IndexOf("\"checksum\":\"", StringComparison.Ordinal) + "\"checksum\":\"".Length;
        var blank = text.Remove(key, 64).Insert(key, new string('0', 64));
        var old = TreeScorer.Load(Encoding.UTF8.GetBytes(blank.Remove(key, 64).Insert(key, ModelFile.HashOf(Encoding.UTF8.GetBytes(blank)))));
        Assert.Equal(Model.Features, old.Model.Features);
        Assert.Null(old.Model.Population);
        Assert.Null(old.Reference);
    }

    public static TheoryData<double[], string, string, int, float[], string> WrongPopulations => new()
    {
        { [0.9, 0.5], "feature_1", "device", 9, [1], "the shares do not ascend" },
        { [0.5, 1], "feature_1", "device", 9, [1], "the shares do not ascend" },
        { [0.5], "feature_9", "device", 9, [1], "which the model does not have" },
        { [0.5], "feature_1", "", 9, [1], "nobody was counted" },
        { [0.5], "feature_1", "device", 0, [1], "nobody was counted" },
        { [0.5], "feature_1", "device", 9, [1, 2], "2 bounds for 1 shares" },
        { [0.5, 0.9], "feature_1", "device", 9, [2, 1], "the bounds do not ascend" },
        { [0.5, 0.9], "feature_1", "device", 9, [2, float.PositiveInfinity], "the bounds do not ascend" },
    };

    [Theory]
    [MemberData(nameof(WrongPopulations))]
    public void A_population_that_makes_no_sense_is_refused_by_name(double[] shares, string feature, string member, int members, float[] atMost, string said)
    {
        var population = new ModelPopulation(shares, new Dictionary<string, FeaturePopulation> { [feature] = new(member, members, atMost) });
        Assert.Contains(said, Assert.Throws<ModelFileException>(() => ModelFile.Write(Model with { Population = population })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_digit_changed_is_damage_and_a_newer_version_says_so()
    {
        var text = Encoding.UTF8.GetString(ModelFile.Write(Model));
        Refused(Encoding.UTF8.GetBytes(text.Replace("\"seed\":42", "\"seed\":43", StringComparison.Ordinal)), ModelFileProblem.Damaged);
        Refused(Encoding.UTF8.GetBytes(text.Replace("\"version\":3", "\"version\":4,\"new_field\":1", StringComparison.Ordinal)), ModelFileProblem.NewerVersion);
        Refused("{}"u8.ToArray(), ModelFileProblem.Unreadable);
        Refused("not json"u8.ToArray(), ModelFileProblem.Unreadable);
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { "nan leaf", "leaf 1 has the value NaN" },
        { "infinite threshold", "node 0 has the threshold" },
        { "negative cover", "leaf 0 has the cover -1" },
        { "no cover", "no training row reached node 1" },
        { "cycle", "node 1 has the child 0" },
        { "two parents", "has two parents" },
        { "unknown feature", "feature 1 of 1" },
        { "missing leaf", "one leaf more than nodes" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_model_that_is_no_model_is_refused_by_name(string what, string said)
    {
        var good = new DecisionTree([0, 0], [1, 2], [false, false], [-1, -2], [1, -3], [0.1, 0.2, 0.3], [5, 5, 5]);
        var bad = what switch
        {
            "nan leaf" => good with { LeafValue = [0.1, double.NaN, 0.3] },
            "infinite threshold" => good with { Threshold = [float.PositiveInfinity, 2] },
            "negative cover" => good with { LeafCover = [-1, 5, 5] },
            "no cover" => good with { LeafCover = [5, 0, 0] },
            "cycle" => good with { Left = [-1, 0] },
            "two parents" => good with { Left = [-1, -1] },
            "unknown feature" => good with { Feature = [1, 0] },
            _ => good with { LeafValue = [0.1, 0.2], LeafCover = [5, 5] },
        };
        ModelFile.Write(ScorerTests.Of(good));
        var e = Assert.Throws<ModelFileException>(() => ModelFile.Write(ScorerTests.Of(bad)));
        Assert.Equal(ModelFileProblem.Invalid, e.Problem);
        Assert.Contains("tree 0", e.Message, StringComparison.Ordinal);
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }

    private static ModelFileException Refused(byte[] bytes, ModelFileProblem problem, ulong? layout = null)
    {
        var e = Assert.Throws<ModelFileException>(() => layout is { } hash ? TreeScorer.Load(bytes, hash) : TreeScorer.Load(bytes));
        Assert.Equal(problem, e.Problem);
        return e;
    }
}
