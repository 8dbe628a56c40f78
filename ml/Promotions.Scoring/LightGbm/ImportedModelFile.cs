using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Promotions.Scoring.Drift;

namespace Promotions.Scoring.LightGbm;

/// <summary>A model that was trained elsewhere, with what a server has to know to give it rows.</summary>
/// <param name="LayoutHash">The feature layout of the vectors that it will be given.</param>
/// <param name="FeatureCount">Of a vector of that layout.</param>
/// <param name="Map">For each feature of the model, its place in the vector.</param>
/// <param name="Text">The model in LightGBM's text format, as it was given.</param>
/// <param name="Reference">What live traffic is compared with, by the vector's features; null where nobody measured it.</param>
public sealed record ImportedModel(ulong LayoutHash, int FeatureCount, int[] Map, TrainingCard? Card, string Text, ModelReference? Reference = null);

/// <summary>Reads and writes imported models: JSON around LightGBM's own text, with a checksum.</summary>
public static class ImportedModelFile
{
    public const string Format = "promotions-lightgbm";
    /// <summary>The version written. Version 1, which knew no reference, is read as well.</summary>
    public const int Version = 2;

    private static readonly JsonSerializerOptions Strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Finds the model's features among the vector's, by name.</summary>
    /// <param name="text">LightGBM's text.</param>
    /// <param name="vectorFeatures">Names in the vector's order.</param>
    /// <exception cref="ModelFileException">The text is no model that can be served, or names a feature that vectors do not have.</exception>
    public static ImportedModel Import(ReadOnlySpan<byte> text, ulong layoutHash, IReadOnlyList<string> vectorFeatures, TrainingCard? card)
    {
        var model = LightGbmText.Read(text);
        if (model.Sigmoid == 0) throw new ModelFileException(ModelFileProblem.Invalid, $"The LightGBM model cannot be served: its objective is {model.Objective}, which gives no probability.");
        var places = vectorFeatures.Select((name, index) => (name, index)).ToDictionary(f => f.name, f => f.index, StringComparer.Ordinal);
        var unknown = model.Features.Where(name => !places.ContainsKey(name)).ToList();
        if (unknown.Count > 0)
            throw new ModelFileException(ModelFileProblem.WrongLayout, $"The LightGBM model asks for {unknown.Count} features that this program does not compute: {string.Join(", ", unknown.Take(5))}{(unknown.Count > 5 ? " ..." : "")}. Train it on columns named as in the feature registry.");
        return new(layoutHash, vectorFeatures.Count, [.. model.Features.Select(name => places[name])], card, Encoding.UTF8.GetString(text));
    }

    /// <summary>Whether the bytes begin as such a file does.</summary>
    public static bool IsOne(ReadOnlySpan<byte> file) => file.StartsWith(Encoding.ASCII.GetBytes($"{{\"format\":\"{Format}\""));

    public static byte[] Write(ImportedModel model) => JsonSerializer.SerializeToUtf8Bytes(
        new FileText(Format, Version, ModelFile.HashOf(Encoding.UTF8.GetBytes(model.Text)), model.LayoutHash.ToString("x16", CultureInfo.InvariantCulture), model.FeatureCount, model.Map, model.Card, model.Text, model.Reference, ReferenceHash(model.Reference)), Strict);

    /// <exception cref="ModelFileException">The bytes are not a usable model; the message and the problem say why.</exception>
    public static ImportedModel Read(ReadOnlySpan<byte> file)
    {
        FileText text;
        try
        {
            text = JsonSerializer.Deserialize<FileText>(file, Strict)!;
        }
        catch (JsonException e)
        {
            throw new ModelFileException(ModelFileProblem.Unreadable, $"The model file does not parse; it may be cut short: {e.Message}", e);
        }

        if (text.Version > Version) throw new ModelFileException(ModelFileProblem.NewerVersion, $"The model file has version {text.Version}; this program reads up to {Version}. Update the program or import again.");
        if (ModelFile.HashOf(Encoding.UTF8.GetBytes(text.Text)) is var found && found != text.Checksum)
            throw new ModelFileException(ModelFileProblem.Damaged, $"The model file is damaged: its checksum is {found[..12]}…, and it says {text.Checksum}.");
        if (!ulong.TryParse(text.Layout, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var layout))
            throw new ModelFileException(ModelFileProblem.Invalid, $"The model is invalid: \"layout\" is '{text.Layout}', not 16 hexadecimal digits.");
        if (text.FeatureCount < 1 || Array.Exists(text.Map, place => place < 0 || place >= text.FeatureCount))
            throw new ModelFileException(ModelFileProblem.Invalid, "The model is invalid: \"map\" names a place outside the vector.");
        if (ReferenceHash(text.Reference) != text.ReferenceChecksum) throw new ModelFileException(ModelFileProblem.Damaged, "The model file is damaged: its reference does not have the checksum that it says.");
        if (text.Reference?.Problem(null) is { } odd) throw new ModelFileException(ModelFileProblem.Invalid, $"The model is invalid: reference: {odd}.");
        return new(layout, text.FeatureCount, text.Map, text.Card, text.Text, text.Reference);
    }

    private static string? ReferenceHash(ModelReference? reference) => reference is null ? null : ModelFile.HashOf(JsonSerializer.SerializeToUtf8Bytes(reference, Strict));

    private sealed record FileText(string Format, int Version, string Checksum, string Layout, int FeatureCount, int[] Map, TrainingCard? Card, string Text, ModelReference? Reference = null, string? ReferenceChecksum = null);
}
