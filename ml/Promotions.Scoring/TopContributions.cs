namespace Promotions.Scoring;

/// <summary>One feature's share of a raw score.</summary>
/// <param name="Feature">Index in the vector.</param>
/// <param name="Value">Log-odds; above 0 speaks for abuse.</param>
public readonly record struct Contribution(int Feature, double Value);

/// <summary>Picks what a reader should see first.</summary>
public static class TopContributions
{
    /// <summary>Fills <paramref name="top"/> with the contributions largest in size, largest first; equal sizes by feature index. Zeros are left out.</summary>
    /// <returns>How many were filled.</returns>
    public static int BySize(ReadOnlySpan<double> contributions, Span<Contribution> top)
    {
        var count = 0;
        for (var feature = 0; feature < contributions.Length; feature++)
        {
            var size = Math.Abs(contributions[feature]);
            if (!(size > 0)) continue;
            var place = count;
            while (place > 0 && Math.Abs(top[place - 1].Value) < size) place--;
            if (place == top.Length) continue;
            count = Math.Min(count + 1, top.Length);
            top[place..(count - 1)].CopyTo(top[(place + 1)..]);
            top[place] = new(feature, contributions[feature]);
        }
        return count;
    }

    /// <summary>Adds contributions up by group, for instance by entity: additive contributions stay exact when added.</summary>
    /// <param name="groupOf">Group index of each feature.</param>
    /// <param name="sums">One per group; overwritten.</param>
    public static void ByGroup(ReadOnlySpan<double> contributions, ReadOnlySpan<int> groupOf, Span<double> sums)
    {
        if (groupOf.Length != contributions.Length) throw new ArgumentException("One group per feature.", nameof(groupOf));
        sums.Clear();
        for (var feature = 0; feature < contributions.Length; feature++) sums[groupOf[feature]] += contributions[feature];
    }
}
