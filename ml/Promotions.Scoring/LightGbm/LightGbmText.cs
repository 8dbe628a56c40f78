using System.Globalization;
using System.Text;

namespace Promotions.Scoring.LightGbm;

/// <summary>Reads LightGBM's text format, version 4: a header, trees whose lengths in bytes the header names, and what predictions do not need.</summary>
/// <remarks>Predictions and contributions depend on nothing that is left out here: gains, weights and shrinkage are records only.</remarks>
public static class LightGbmText
{
    private const string EndOfTrees = "end of trees";

    /// <exception cref="ModelFileException">Cut short, edited, or a kind of model that is not supported; the message names what and where.</exception>
    public static LightGbmModel Read(ReadOnlySpan<byte> file)
    {
        var headerEnd = file.IndexOf("\n\n"u8);
        if (!file.StartsWith("tree\n"u8) || headerEnd < 0) throw Unreadable("it does not begin with 'tree' and a header");
        var header = Fields(Encoding.UTF8.GetString(file[..headerEnd]), "the header");
        if (Text(header, "version", "the header") != "v4") throw new ModelFileException(ModelFileProblem.NewerVersion, $"The LightGBM file has version {header["version"]}; this program reads v4.");
        if (Text(header, "num_class", "the header") != "1" || Text(header, "num_tree_per_iteration", "the header") != "1") throw Unsupported($"it predicts {header["num_class"]} classes; one probability is what a scorer gives");

        var features = Text(header, "feature_names", "the header").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (features.Length != Number(Text(header, "max_feature_idx", "the header"), "max_feature_idx") + 1) throw Unreadable($"it names {features.Length} features and says that the last has index {header["max_feature_idx"]}");
        var (objective, sigmoid) = Objective(Text(header, "objective", "the header"));
        var model = new LightGbmModel(features, Trees(file, headerEnd + 2, Text(header, "tree_sizes", "the header")), objective, sigmoid, header.ContainsKey("average_output"));
        for (var i = 0; i < model.Trees.Length; i++)
            if (model.Trees[i].Problem(features.Length) is { } problem) throw new ModelFileException(ModelFileProblem.Invalid, $"The LightGBM model is invalid: tree {i}: {problem}.");
        return model;
    }

    private static LightGbmTree[] Trees(ReadOnlySpan<byte> file, int from, string sizes)
    {
        var lengths = Integers(sizes, "tree_sizes");
        if (lengths.Length == 0) throw Unreadable("it has no trees");
        var trees = new LightGbmTree[lengths.Length];
        for (var i = 0; i < trees.Length; i++)
        {
            if (lengths[i] <= 0 || lengths[i] > file.Length - from) throw Unreadable($"it is cut short in tree {i} of {trees.Length}");
            var block = Encoding.UTF8.GetString(file.Slice(from, lengths[i])).TrimEnd();
            if (!block.StartsWith(string.Create(CultureInfo.InvariantCulture, $"Tree={i}\n"), StringComparison.Ordinal) || block.Contains("\n\n", StringComparison.Ordinal))
                throw Unreadable(string.Create(CultureInfo.InvariantCulture, $"tree {i} does not lie where tree_sizes says: whoever edits a tree has to correct its size"));
            trees[i] = Tree(Fields(block, $"tree {i}"), $"tree {i}");
            from += lengths[i];
        }

        return file[from..].TrimStart("\n\r "u8).StartsWith(Encoding.ASCII.GetBytes(EndOfTrees)) ? trees : throw Unreadable($"'{EndOfTrees}' does not follow the last tree: it is cut short or was edited");
    }

    private static LightGbmTree Tree(Dictionary<string, string> fields, string where)
    {
        if (fields.GetValueOrDefault("is_linear", "0") != "0") throw Unsupported($"{where} has linear leaves");
        var leaves = Number(Text(fields, "num_leaves", where), "num_leaves");
        if (leaves < 1) throw Unreadable($"{where} has {leaves} leaves");
        var values = Doubles(Text(fields, "leaf_value", where), leaves, $"leaf_value of {where}");
        // A constant tree has no splits to weigh, and its count may be missing.
        if (leaves == 1) return new([], [], [], [], [], [], [], values, [1]);

        var nodes = leaves - 1;
        var decisions = Integers(Text(fields, "decision_type", where), "decision_type");
        if (decisions.Length != nodes) throw Unreadable($"{where} has {decisions.Length} decisions and {leaves} leaves");
        var thresholds = Doubles(Text(fields, "threshold", where), nodes, $"threshold of {where}");
        var category = Categories(fields, decisions, thresholds, where);
        return new(
            Exactly(Integers(Text(fields, "split_feature", where), "split_feature"), nodes, $"split_feature of {where}"), thresholds, category,
            [.. decisions.Select(decision => Missing((decision >> 2) & 3, where))], [.. decisions.Select(decision => (decision & 2) != 0)],
            Exactly(Integers(Text(fields, "left_child", where), "left_child"), nodes, $"left_child of {where}"),
            Exactly(Integers(Text(fields, "right_child", where), "right_child"), nodes, $"right_child of {where}"),
            values, Doubles(Text(fields, "leaf_count", where), leaves, $"leaf_count of {where}"));
    }

    private static uint[]?[] Categories(Dictionary<string, string> fields, int[] decisions, double[] thresholds, string where)
    {
        var sets = new uint[]?[decisions.Length];
        if (!Array.Exists(decisions, decision => (decision & 1) != 0)) return sets;
        var bounds = Integers(Text(fields, "cat_boundaries", where), "cat_boundaries");
        var words = Text(fields, "cat_threshold", where).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (var node = 0; node < sets.Length; node++)
        {
            if ((decisions[node] & 1) == 0) continue;
            var index = thresholds[node] >= 0 && thresholds[node] < bounds.Length - 1 ? (int)thresholds[node] : throw NoSet(node);
            var (from, end) = (bounds[index], bounds[index + 1]);
            if (from < 0 || end < from || end > words.Length) throw NoSet(node);
            sets[node] = [.. words[from..end].Select(Word)];
        }

        return sets;

        uint Word(string word) => uint.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var bits) ? bits : throw Unreadable($"'{word}' in cat_threshold of {where} is no word of 32 bits");
        ModelFileException NoSet(int node) => Unreadable($"node {node} of {where} names categories that are not there");
    }

    private static (string Name, double Sigmoid) Objective(string text)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (words.FirstOrDefault())
        {
            case "binary":
                var option = Array.Find(words, word => word.StartsWith("sigmoid:", StringComparison.Ordinal)) ?? throw Unreadable("its objective names no sigmoid");
                return ("binary", Double(option["sigmoid:".Length..], "sigmoid") is > 0 and var sigmoid && double.IsFinite(sigmoid) ? sigmoid : throw Unreadable($"its objective has the sigmoid '{option}'"));
            case "cross_entropy": return ("cross_entropy", 1);
            case "regression" when !words.Contains("sqrt"): return ("regression", 0);
            default: throw Unsupported($"its objective is '{text}'; binary, cross_entropy and regression are read");
        }
    }

    private static MissingType Missing(int type, string where) => type is >= 0 and <= 2 ? (MissingType)type : throw Unreadable($"{where} has the missing type {type}");

    /// <summary>Lines of <c>key=value</c>; a key may stand alone.</summary>
    private static Dictionary<string, string> Fields(string block, string where)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in block.Split('\n'))
        {
            var at = line.IndexOf('=', StringComparison.Ordinal);
            if (!fields.TryAdd((at < 0 ? line : line[..at]).Trim(), at < 0 ? "" : line[(at + 1)..].Trim())) throw Unreadable($"{where} has the line '{line}' twice");
        }

        return fields;
    }

    private static string Text(Dictionary<string, string> fields, string name, string where) => fields.GetValueOrDefault(name) ?? throw Unreadable($"{where} has no '{name}'");

    private static int[] Integers(string text, string what) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => Number(word, what))];

    private static double[] Doubles(string text, int count, string what) => Exactly([.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => Double(word, what))], count, what);

    private static T[] Exactly<T>(T[] values, int count, string what) => values.Length == count ? values : throw Unreadable($"{what} has {values.Length} numbers instead of {count}");

    private static int Number(string text, string what) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw Unreadable($"'{text}' in {what} is no integer");

    private static double Double(string text, string what) => text is "inf" or "-inf" ? text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw Unreadable($"'{text}' in {what} is no number");

    private static ModelFileException Unreadable(string what) => new(ModelFileProblem.Unreadable, $"Not a whole LightGBM model: {what}.");
    private static ModelFileException Unsupported(string what) => new(ModelFileProblem.Invalid, $"The LightGBM model cannot be served: {what}.");
}
