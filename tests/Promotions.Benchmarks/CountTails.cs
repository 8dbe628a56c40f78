using Promotions.Features;

namespace Promotions.Benchmarks;

/// <summary>How unusual the most unusual count of a row is, by rows without labels: what no model has met may still do something far too often.</summary>
/// <remarks>Counts and distinct others within a day, of people and what they hold. Codes are left out: how often a code is tried grows with its campaign, and means something else a month later.</remarks>
internal sealed class CountTails
{
    private static readonly int[] Counts = [.. FeatureRegistry.Features
        .Where(f => f.Measure is Measure.Count or Measure.Distinct && f.Window is > 0 and <= 86_400_000 && f.Entity is not (EntityKind.None or EntityKind.Coupon))
        .Select(f => f.Index)];

    private readonly float[][] _sorted;

    public CountTails(IReadOnlyCollection<float[]> rows) => _sorted = [.. Counts.Select(feature => rows.Select(row => row[feature]).Where(value => !float.IsNaN(value)).Order().ToArray())];

    /// <summary>−ln of the smallest share of rows that reach a count of this one: 0 for a row without counts.</summary>
    public double Of(ReadOnlySpan<float> row)
    {
        double most = 0;
        for (var c = 0; c < Counts.Length; c++)
        {
            var value = row[Counts[c]];
            if (float.IsNaN(value)) continue;
            var (sorted, low, high) = (_sorted[c], 0, _sorted[c].Length);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (sorted[middle] < value) low = middle + 1;
                else high = middle;
            }
            most = Math.Max(most, -Math.Log((sorted.Length - low + 1.0) / (sorted.Length + 1.0)));
        }
        return most;
    }
}
