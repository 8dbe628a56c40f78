using Promotions.Scoring.Drift;

namespace Promotions.Scoring;

/// <summary>A boosted ensemble: what a model file says.</summary>
/// <param name="LayoutHash">The feature layout that the vectors must have.</param>
/// <param name="Features">Names in the vector's order.</param>
/// <param name="Population">What values were usual; null where nobody measured it, and then reasons make no comparison.</param>
/// <param name="Reference">What live traffic is compared with; null where nobody measured it, and then drift is not told.</param>
public sealed record TreeModel(ulong LayoutHash, string[] Features, DecisionTree[] Trees, Calibration Calibration, TrainingCard? Card, ModelPopulation? Population = null, ModelReference? Reference = null)
{
    /// <exception cref="ModelFileException">Says which tree or part is not usable.</exception>
    public void Validate()
    {
        if (Features.Length == 0) throw Bad("it names no features");
        var repeated = Features.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1 || string.IsNullOrWhiteSpace(g.Key));
        if (repeated is not null) throw Bad($"the feature name '{repeated.Key}' is empty or used twice");
        if (Trees.Length == 0) throw Bad("it has no trees");
        for (var i = 0; i < Trees.Length; i++)
            if (Trees[i].Problem(Features.Length) is { } problem) throw Bad($"tree {i}: {problem}");
        if (Calibration.Problem() is { } wrong) throw Bad($"calibration: {wrong}");
        if (Population?.Problem(Features) is { } strange) throw Bad($"population: {strange}");
        if (Reference?.Problem(Features) is { } odd) throw Bad($"reference: {odd}");

        static ModelFileException Bad(string what) => new(ModelFileProblem.Invalid, $"The model is invalid: {what}.");
    }
}
