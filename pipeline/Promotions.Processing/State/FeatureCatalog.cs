using System.Globalization;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Scoring;

namespace Promotions.Processing.State;

/// <summary>The feature registry as the ladder and its reasons see it.</summary>
public sealed class FeatureCatalog : IFeatureCatalog
{
    private static readonly Dictionary<string, int> Indexes = FeatureRegistry.Features.ToDictionary(f => f.Name, f => f.Index, StringComparer.Ordinal);

    public int Count => FeatureRegistry.Count;
    public ulong LayoutHash => FeatureRegistry.LayoutHash;
    public int IndexOf(string name) => Indexes.TryGetValue(name, out var index) ? index : -1;
    public string NameOf(int index) => FeatureRegistry.Features[index].Name;

    public string Describe(int index, float value, string currency, AttemptEntities entities)
    {
        var feature = FeatureRegistry.Features[index];
        if (float.IsNaN(value))
            return feature.Entity is EntityKind.None || Entities.NameOf(entities, feature.Entity) is null ? feature.Absent : $"Nothing to count yet: {feature.Description}.";
        var sentence = feature.Sentence(value, currency);
        return feature.Entity is EntityKind.Coupon && entities.Codes.Count > 1 ? sentence.Replace("with this code", "with one of its codes", StringComparison.Ordinal) : sentence;
    }

    public string Compare(int index, PopulationBound bound, string currency)
    {
        var (whose, verb) = bound.Member switch
        {
            "attempt" => ("attempts", "had at most"),
            // Counted by the greatest value that each ever had.
            "address" => ("addresses", "never had more than"),
            var kind => (kind.Replace('_', ' ') + "s", "never had more than"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{bound.Share * 100:0.##} % of {whose} {verb} {FeatureRegistry.Features[index].Text(bound.AtMost, currency)}");
    }

    public string? EntityOf(int index, AttemptEntities entities)
    {
        var kind = FeatureRegistry.Features[index].Entity;
        // The vector holds the more telling value of several codes and not whose it is: naming the first would accuse it of what another did.
        if (kind is EntityKind.Coupon && entities.Codes.Count > 1) return $"{KindName(kind)}:{string.Join(',', entities.Codes)}";
        return kind is EntityKind.None || Entities.NameOf(entities, kind) is not { } name ? null : $"{KindName(kind)}:{name}";
    }

    /// <summary>The kind's name in settings and on the wire.</summary>
    public static string KindName(EntityKind kind) => kind is EntityKind.PaymentToken ? "payment_token" : kind.ToString().ToLowerInvariant();
}
