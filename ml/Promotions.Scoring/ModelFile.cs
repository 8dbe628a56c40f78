using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Scoring.Drift;

namespace Promotions.Scoring;

/// <summary>Reads and writes model files: JSON, one tree a line, described in README.md beside this file.</summary>
public static class ModelFile
{
    public const string Format = "promotions-model";
    /// <summary>The version written. Versions 1, which knew no population, and 2, which knew no reference, are read as well.</summary>
    public const int Version = 3;

    private const string ChecksumKey = "\"checksum\":\"";
    private const int ChecksumLength = 64;

    private static readonly JsonSerializerOptions Strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>SHA-256 of the bytes, lower-case hex: the name of a model in decision records.</summary>
    public static string HashOf(ReadOnlySpan<byte> file) => Convert.ToHexStringLower(SHA256.HashData(file));

    /// <exception cref="ModelFileException">The model is not valid.</exception>
    public static byte[] Write(TreeModel model)
    {
        model.Validate();
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{{\"format\":\"{Format}\",\"version\":{Version},\n");
        text.Append(ChecksumKey).Append('0', ChecksumLength).Append("\",\n");
        text.Append(CultureInfo.InvariantCulture, $"\"layout\":\"{model.LayoutHash:x16}\",\n");
        text.Append("\"card\":").Append(JsonSerializer.Serialize(model.Card, Strict)).Append(",\n");
        text.Append("\"calibration\":").Append(JsonSerializer.Serialize(model.Calibration, Strict)).Append(",\n");
        if (model.Population is { } population) AppendPopulation(text, population);
        if (model.Reference is { } reference) AppendReference(text, reference);
        text.Append("\"features\":").Append(JsonSerializer.Serialize(model.Features, Strict)).Append(",\n");
        text.Append("\"trees\":[\n");
        text.AppendJoin(",\n", model.Trees.Select(tree => JsonSerializer.Serialize(TreeText.From(tree), Strict)));
        text.Append("\n]}\n");

        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        var checksum = Encoding.ASCII.GetBytes(HashOf(bytes));
        checksum.CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(ChecksumKey)) + ChecksumKey.Length));
        return bytes;
    }

    /// <exception cref="ModelFileException">The bytes are not a usable model; the message and the problem say why.</exception>
    public static TreeModel Read(ReadOnlySpan<byte> file)
    {
        FileText text;
        try
        {
            // The version comes first, so that a newer file says "newer" and not "unknown field".
            var header = JsonSerializer.Deserialize<HeaderText>(file);
            if (header?.Format != Format) throw new ModelFileException(ModelFileProblem.Unreadable, $"Not a model file: \"format\" is not \"{Format}\".");
            if (header.Version > Version)
                throw new ModelFileException(ModelFileProblem.NewerVersion, $"The model file has version {header.Version}; this program reads up to {Version}. Update the program or train again.");
            if (header.Version < 1) throw new ModelFileException(ModelFileProblem.Unreadable, "Not a model file: it has no \"version\".");
            CheckChecksum(file);
            text = JsonSerializer.Deserialize<FileText>(file, Strict)!;
        }
        catch (JsonException e)
        {
            throw new ModelFileException(ModelFileProblem.Unreadable, $"The model file does not parse; it may be cut short: {e.Message}", e);
        }

        if (text.Layout.Length != 16 || !ulong.TryParse(text.Layout, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var layout))
            throw new ModelFileException(ModelFileProblem.Invalid, $"The model is invalid: \"layout\" is '{text.Layout}', not 16 hexadecimal digits.");
        var model = new TreeModel(layout, text.Features, [.. text.Trees.Select(tree => tree.ToTree())], text.Calibration, text.Card, text.Population, text.Reference);
        model.Validate();
        return model;
    }

    /// <summary>One feature a line, for people.</summary>
    private static void AppendPopulation(StringBuilder text, ModelPopulation population)
    {
        text.Append("\"population\":{\"shares\":").Append(JsonSerializer.Serialize(population.Shares, Strict)).Append(",\"features\":{\n");
        text.AppendJoin(",\n", population.Features.Select(static f => JsonSerializer.Serialize(f.Key, Strict) + ":" + JsonSerializer.Serialize(f.Value, Strict)));
        text.Append("\n}},\n");
    }

    private static void AppendReference(StringBuilder text, ModelReference reference)
    {
        text.Append("\"reference\":{\"period_from\":").Append(JsonSerializer.Serialize(reference.PeriodFrom, Strict)).Append(",\"period_to\":").Append(JsonSerializer.Serialize(reference.PeriodTo, Strict));
        text.Append(CultureInfo.InvariantCulture, $",\"rows\":{reference.Rows},\"score\":{JsonSerializer.Serialize(reference.Score, Strict)},\"features\":{{\n");
        text.AppendJoin(",\n", reference.Features.Select(static f => JsonSerializer.Serialize(f.Key, Strict) + ":" + JsonSerializer.Serialize(f.Value, Strict)));
        text.Append("\n}},\n");
    }

    private static void CheckChecksum(ReadOnlySpan<byte> file)
    {
        var key = file.IndexOf(Encoding.ASCII.GetBytes(ChecksumKey));
        if (key < 0 || key + ChecksumKey.Length + ChecksumLength > file.Length) throw new ModelFileException(ModelFileProblem.Damaged, "The model file is damaged: it has no checksum.");
        var blanked = file.ToArray();
        var written = blanked.AsSpan(key + ChecksumKey.Length, ChecksumLength);
        var said = Encoding.ASCII.GetString(written);
        written.Fill((byte)'0');
        var found = HashOf(blanked);
        if (said != found)
            throw new ModelFileException(ModelFileProblem.Damaged, $"The model file is damaged: its checksum is {found[..12]}…, and it says {said[..12]}….");
    }

    private sealed record HeaderText([property: JsonPropertyName("format")] string? Format, [property: JsonPropertyName("version")] int Version);

    private sealed record FileText(string Format, int Version, string Checksum, string Layout, TrainingCard? Card, Calibration Calibration, string[] Features, TreeText[] Trees, ModelPopulation? Population = null, ModelReference? Reference = null);

    /// <summary>MissingLeft is written as 0 and 1, which keeps a tree on one readable line.</summary>
    private sealed record TreeText(int[] Feature, float[] Threshold, int[] MissingLeft, int[] Left, int[] Right, double[] LeafValue, double[] LeafCover)
    {
        public static TreeText From(DecisionTree tree) =>
            new(tree.Feature, tree.Threshold, [.. tree.MissingLeft.Select(left => left ? 1 : 0)], tree.Left, tree.Right, tree.LeafValue, tree.LeafCover);

        public DecisionTree ToTree() => new(Feature, Threshold, [.. MissingLeft.Select(left => left != 0)], Left, Right, LeafValue, LeafCover);
    }
}
