using Promotions.Features;
using Promotions.Scoring;

namespace Promotions.Training;

/// <summary>Measures what values are usual, for the comparisons that reasons make.</summary>
/// <remarks>A feature about an entity is counted by entities, each with the greatest value that it ever had: "99 % of devices never had more than 2". A feature
/// of the request, and every feature where rows do not name their entities, is counted by attempts. Left out: amounts, since the population's currency may be
/// another than the reader's; times since something, where the small values are the unusual ones; and what has no order.</remarks>
public static class PopulationMeasure
{
    /// <summary>What is measured, and how reasons say it: half, nine of ten, 99 of 100, 999 of 1,000.</summary>
    public static readonly IReadOnlyList<double> Shares = [0.5, 0.9, 0.99, 0.999];

    /// <param name="rows">Vectors in the registry's layout, none masked.</param>
    public static ModelPopulation Of(IReadOnlyList<TrainingRow> rows)
    {
        var features = new Dictionary<string, FeaturePopulation>(StringComparer.Ordinal);
        foreach (var feature in FeatureRegistry.Features.Where(Comparable))
        {
            var (member, values) = Values(rows, feature);
            if (values.Length == 0) continue;
            Array.Sort(values);
            var bounds = Bounds(values, feature);
            if (bounds.Length > 0) features.Add(feature.Name, new(member, values.Length, bounds));
        }

        return new([.. Shares], features);
    }

    internal static bool Comparable(FeatureDefinition feature) =>
        feature.Unit is FeatureUnit.Count or FeatureUnit.Ratio or FeatureUnit.Share && feature.Measure is not (Measure.SinceFirst or Measure.SinceLast);

    private static (string Member, float[] Values) Values(IReadOnlyList<TrainingRow> rows, FeatureDefinition feature)
    {
        if (feature.Entity is EntityKind.None || rows.Count == 0 || rows[0].Entities is null)
            return ("attempt", [.. rows.Select(row => row.Vector[feature.Index]).Where(static value => !float.IsNaN(value))]);

        var kind = Entities.Kinds.ToList().IndexOf(feature.Entity);
        var greatest = new Dictionary<ulong, float>();
        foreach (var row in rows)
        {
            var (key, value) = (row.Entities![kind], row.Vector[feature.Index]);
            if (key == 0 || float.IsNaN(value)) continue;
            if (!greatest.TryGetValue(key, out var known) || value > known) greatest[key] = value;
        }

        return (feature.Entity is EntityKind.PaymentToken ? "payment_token" : feature.Entity.ToString().ToLowerInvariant(), [.. greatest.Values]);
    }

    /// <summary>Until there are too few members for at least one to lie beyond a share, or the bound is only known as "at least".</summary>
    private static float[] Bounds(float[] ascending, FeatureDefinition feature) =>
        [.. Shares.TakeWhile(share => ascending.Length * (1 - share) >= 1)
            .Select(share => ascending[(int)Math.Ceiling((ascending.Length * share) - 1e-9) - 1])
            .TakeWhile(bound => feature.Exactness is not Exactness.LowerBoundBeyondSet || bound < FeatureRegistry.DistinctMax)];
}
