namespace Promotions.Scoring;

/// <summary>What values were usual among those that the model learned from, so that a reason can say how unusual one is.</summary>
/// <param name="Shares">Of the members, above 0 and below 1, ascending: 0.99 for "99 % of".</param>
/// <param name="Features">By feature name; a feature that is not here has nothing to be compared with.</param>
public sealed record ModelPopulation(double[] Shares, IReadOnlyDictionary<string, FeaturePopulation> Features)
{
    /// <returns>What is wrong, or null.</returns>
    internal string? Problem(string[] features)
    {
        for (var i = 0; i < Shares.Length; i++)
            if (!(Shares[i] > (i == 0 ? 0 : Shares[i - 1]) && Shares[i] < 1)) return "the shares do not ascend between 0 and 1";
        foreach (var (name, feature) in Features)
        {
            if (Array.IndexOf(features, name) < 0) return $"it names the feature '{name}', which the model does not have";
            if (string.IsNullOrWhiteSpace(feature.Member) || feature.Members < 1) return $"{name}: nobody was counted";
            if (feature.AtMost.Length > Shares.Length) return $"{name}: {feature.AtMost.Length} bounds for {Shares.Length} shares";
            for (var i = 0; i < feature.AtMost.Length; i++)
                if (!float.IsFinite(feature.AtMost[i]) || (i > 0 && feature.AtMost[i] < feature.AtMost[i - 1])) return $"{name}: the bounds do not ascend";
        }

        return null;
    }
}

/// <summary>The bounds of one feature.</summary>
/// <param name="Member">Who was counted: <c>attempt</c>, or an entity's kind, by the greatest value that each entity ever had.</param>
/// <param name="Members">How many.</param>
/// <param name="AtMost">For each share the smallest value that at least that share of the members never exceeded. Shorter than the shares where there were too few members to tell.</param>
public sealed record FeaturePopulation(string Member, int Members, float[] AtMost);

/// <summary>One comparison: at least this share of the members never exceeded the bound.</summary>
public readonly record struct PopulationBound(string Member, double Share, float AtMost);
