using System.Globalization;
using Promotions.Api.Models;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Scoring;

namespace Promotions.Server;

/// <summary>The model that comes with the program, or why there is none. It serves where the registry has no champion.</summary>
internal sealed record LoadedModel(IScorer? Scorer, string? MissingBecause)
{
    private static readonly string[] Features = [.. FeatureRegistry.Features.Select(feature => feature.Name)];

    /// <summary>The file that PROMOTIONS_MODEL names, else the one that comes with the program.</summary>
    public static string DefaultPath => Environment.GetEnvironmentVariable("PROMOTIONS_MODEL") ?? Path.Combine(AppContext.BaseDirectory, "models", "default.json");

    /// <summary>Where the model that serves comes from, for the dashboard.</summary>
    public static string? SentenceOf(ModelSet served) => served.Champion is not { } champion ? served.MissingBecause
        : champion.Card is { } card
            ? string.Create(CultureInfo.InvariantCulture, $"Model {champion.ModelHash[..12]}: {card.TrainedOn}, {card.PeriodFrom:yyyy-MM-dd} to {card.PeriodTo:yyyy-MM-dd}, seed {card.Seed}")
            : $"Model {champion.ModelHash[..12]}";

    /// <summary>The registry over these settings.</summary>
    /// <exception cref="StartRefusedException">What is written there is of another version of the program.</exception>
    public static ModelRegistry OpenRegistry(ISettingsStore settings, TimeProvider time, ILeases? leases = null)
    {
        try
        {
            return new(settings, FeatureRegistry.LayoutHash, Features, time, leases);
        }
        catch (InvalidDataException e)
        {
            throw new StartRefusedException(e.Message + " Start the version that wrote it.", e);
        }
    }

    /// <summary>Models as the registry has them, and this one where it has no champion. What cannot be loaded is logged.</summary>
    public ServedModels Serve(ModelRegistry registry, ILogger logger)
    {
        var served = new ServedModels(registry, Scorer, MissingBecause);
        Tell(registry.Current);
        registry.Changed += Tell;
        return served;

        void Tell(ModelBook book)
        {
            var now = served.Current;
            if (now.MissingBecause is { } reason) ServerLog.ModelMissing(logger, reason);
            foreach (var (hash, fault) in now.Faults) ServerLog.ModelFault(logger, hash, fault);
        }
    }

    public static LoadedModel Load()
    {
        var path = DefaultPath;
        if (!File.Exists(path)) return new(null, $"there is no model file at {path}");
        try
        {
            return new(ScorerFile.Load(File.ReadAllBytes(path), FeatureRegistry.LayoutHash, Features), null);
        }
        catch (ModelFileException e)
        {
            return new(null, e.Message);
        }
    }
}
