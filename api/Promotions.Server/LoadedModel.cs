using System.Globalization;
using Promotions.Features;
using Promotions.Scoring;

namespace Promotions.Server;

/// <summary>The champion, or why there is none: then each channel's policy decides, and the record says so.</summary>
internal sealed record LoadedModel(IScorer? Scorer, string? MissingBecause)
{
    /// <summary>Where the model comes from, for the dashboard.</summary>
    public string? Sentence => Scorer?.Card is { } card
        ? string.Create(CultureInfo.InvariantCulture, $"Model {Scorer.ModelHash[..12]}: {card.TrainedOn}, {card.PeriodFrom:yyyy-MM-dd} to {card.PeriodTo:yyyy-MM-dd}, seed {card.Seed}")
        : MissingBecause;

    /// <summary>The loaded model with this hash, for explaining what it decided earlier; null when that was another one.</summary>
    public IScorer? Find(string hash) => Scorer?.ModelHash == hash ? Scorer : null;

    public static LoadedModel Load()
    {
        var path = Environment.GetEnvironmentVariable("PROMOTIONS_MODEL") ?? Path.Combine(AppContext.BaseDirectory, "models", "default.json");
        if (!File.Exists(path)) return new(null, $"there is no model file at {path}");
        try
        {
            return new(ScorerFile.Load(File.ReadAllBytes(path), FeatureRegistry.LayoutHash), null);
        }
        catch (ModelFileException e)
        {
            return new(null, e.Message);
        }
    }
}
