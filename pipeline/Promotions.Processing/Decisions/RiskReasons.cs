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
        if (hard is not null)
        {
            var index = catalog.IndexOf(hard.Feature);
            reasons.Add(new(hard.Feature, $"{Sentence(index, vector[index])}: the rule '{hard.Name}' blocks from {hard.AtLeast:0.##} on.", vector[index], 0, catalog.EntityOf(index, entities)));
        }

        if (scorer is null) return reasons;
        scorer.Explain(vector, contributions);
        foreach (var index in Enumerable.Range(0, catalog.Count).OrderByDescending(i => Math.Abs(contributions[i])).Take(ReasonsMax))
        {
            if (contributions[index] == 0) break;
            reasons.Add(new(catalog.NameOf(index), Sentence(index, vector[index]), vector[index], contributions[index], catalog.EntityOf(index, entities)));
        }

        return reasons;

        string Sentence(int index, float value)
        {
            var sentence = catalog.Describe(index, value, currency, entities);
            return scorer?.UsualBelow(index, value) is { } bound && catalog.Compare(index, bound, currency) is { } comparison ? $"{sentence}; {comparison}" : sentence;
        }
    }
}
