using System.Text.Json;
using Promotions.Features;
using Promotions.Ledger.Sqlite;
using Promotions.Scoring;

namespace Promotions.Training.Retraining;

/// <summary>The model that decides in a system, read from its settings.</summary>
internal static class ChampionOf
{
    /// <summary>The registry's champion, else the file that is named, else the one that comes with the program.</summary>
    /// <returns>The scorer, or why there is none to compare with.</returns>
    /// <exception cref="InvalidDataException">The registry's document cannot be read.</exception>
    public static (IScorer? Scorer, string? MissingBecause) Read(SqliteLogView system, FileInfo? named)
    {
        try
        {
            if (RegisteredHash(system) is { } hash)
            {
                var text = system.FindSetting(ModelSettings.FilesScope, hash);
                return text is null ? (null, $"the file of the champion {hash} is not in the registry") : (ScorerFile.Load(Convert.FromBase64String(text), FeatureRegistry.LayoutHash), null);
            }

            var path = named?.FullName ?? Path.Combine(AppContext.BaseDirectory, "models", "default.json");
            return File.Exists(path) ? (ScorerFile.Load(File.ReadAllBytes(path), FeatureRegistry.LayoutHash), null)
                : (null, "the registry has no champion, and --champion names no model file");
        }
        catch (Exception e) when (e is ModelFileException or FormatException)
        {
            return (null, "the champion cannot be read here: " + e.Message);
        }
    }

    private static string? RegisteredHash(SqliteLogView system)
    {
        if (system.FindSetting(ModelSettings.Scope, ModelSettings.CurrentName) is not { } text) return null;
        try
        {
            using var book = JsonDocument.Parse(text);
            foreach (var model in book.RootElement.GetProperty("models").EnumerateArray())
                if (model.GetProperty("state").GetString() == "Champion") return model.GetProperty("hash").GetString();
            return null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"The setting {ModelSettings.Scope}/{ModelSettings.CurrentName} is no model registry of this version: {e.Message}", e);
        }
    }
}
