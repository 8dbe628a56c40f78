using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Scoring;

namespace Promotions.Processing.Decisions;

/// <summary>A vector's reasons. One code for the pipeline, which records those of what it flags, and for whoever asks about the others later: equal vectors give equal bytes.</summary>
internal static class RiskReasons
{
    private const int ReasonsMax = 8;

    /// <param name="hard">The hard rule that blocked; its reason comes first.</param>
    /// <param name="scorer">Null when no model gave a score: then the hard rule's reason is all there is.</param>
    /// <param name="contributions">Room for one number per feature.</param>
    public static List<RiskReason> Of(
        ReadOnlySpan<float> vector, AttemptEntities entities, string currency, HardRule? hard, IScorer? scorer, IFeatureCatalog catalog, double[] contributions)
    {
        var reasons = new List<RiskReason>();
        if (hard is not null) reasons.Add(OfRule(hard, vector, entities, currency, scorer, catalog));
        if (scorer is null) return reasons;
        scorer.Explain(vector, contributions);
        foreach (var index in Enumerable.Range(0, catalog.Count).OrderByDescending(i => Math.Abs(contributions[i])).Take(ReasonsMax))
        {
            if (contributions[index] == 0) break;
            reasons.Add(OfFeature(index, vector, contributions[index], entities, currency, scorer, catalog));
        }

        return reasons;
    }

    public static RiskReason OfRule(HardRule hard, ReadOnlySpan<float> vector, AttemptEntities entities, string currency, IScorer? scorer, IFeatureCatalog catalog)
    {
        var index = catalog.IndexOf(hard.Feature);
        return new(hard.Feature, $"{Sentence(index, vector[index], entities, currency, scorer, catalog)}: the rule '{hard.Name}' blocks {(hard.StrangersOnly ? "customers whom nobody here had seen two days before " : "")}from {hard.AtLeast:0.##} on{(hard.Note is { } note ? $" ({note})" : "")}.", vector[index], 0, catalog.EntityOf(index, entities));
    }

    public static RiskReason OfFeature(int index, ReadOnlySpan<float> vector, double contribution, AttemptEntities entities, string currency, IScorer scorer, IFeatureCatalog catalog) =>
        new(catalog.NameOf(index), Sentence(index, vector[index], entities, currency, scorer, catalog), vector[index], contribution, catalog.EntityOf(index, entities));

    private static string Sentence(int index, float value, AttemptEntities entities, string currency, IScorer? scorer, IFeatureCatalog catalog)
    {
        var sentence = catalog.Describe(index, value, currency, entities);
        return scorer?.UsualBelow(index, value) is { } bound && catalog.Compare(index, bound, currency) is { } comparison ? $"{sentence}; {comparison}" : sentence;
    }
}
