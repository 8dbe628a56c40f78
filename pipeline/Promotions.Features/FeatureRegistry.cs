using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace Promotions.Features;

/// <summary>Offset and length of one entity's part of the vector.</summary>
public readonly record struct FeatureBlock(EntityKind Entity, int Offset, int Length);

/// <summary>All features, in the vector's order: the request's own, then one contiguous block per entity kind.</summary>
/// <remarks>A change of any name, order, window, source or meaning is another layout: raise <see cref="LayoutVersion"/> where the hash alone would
/// not show it. A model names the layout that it was trained on, and state is rebuilt from the log for a new one.</remarks>
public static class FeatureRegistry
{
    public const int LayoutVersion = 1;

    /// <summary>Distinct others are exact up to this many per entity and set; a value at it reads "at least".</summary>
    public const int DistinctMax = 512;

    /// <summary>Abuse rate = (abuse labels + prior share × prior weight) / (labels + prior weight).</summary>
    /// <remarks>1 % is the order of promotion abuse among attempts; a weight of 10 labels lets two abuse labels of two speak (18 %), and one of a hundred not.</remarks>
    public const double AbusePriorShare = 0.01;
    public const double AbusePriorWeight = 10;

    private static readonly FeatureDefinition[] All = FeatureCatalogue.Build();
    private static readonly FeatureBlock[] Blocks = BlocksOf(All);
    private static readonly Dictionary<string, int> Indexes = All.ToDictionary(f => f.Name, f => f.Index, StringComparer.Ordinal);

    public static IReadOnlyList<FeatureDefinition> Features => All;

    /// <summary>The vector's length.</summary>
    public static int Count => All.Length;

    /// <summary>XxHash64 over everything that gives the vector its meaning.</summary>
    public static ulong LayoutHash { get; } = HashOf(All);

    /// <summary>The block of a kind; of None: the request's own features.</summary>
    public static FeatureBlock Block(EntityKind entity) => Blocks[(int)entity];

    /// <exception cref="KeyNotFoundException">No feature has the name.</exception>
    public static int IndexOf(string name) => Indexes[name];

    private static FeatureBlock[] BlocksOf(FeatureDefinition[] features)
    {
        var blocks = new FeatureBlock[Entities.Kinds.Count + 1];
        foreach (var group in features.GroupBy(f => f.Entity))
            blocks[(int)group.Key] = new(group.Key, group.Min(f => f.Index), group.Count());
        return blocks;
    }

    private static ulong HashOf(FeatureDefinition[] features)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"v{LayoutVersion} distinct {DistinctMax} prior {AbusePriorShare} {AbusePriorWeight} grace {Windows.Grace}\n");
        foreach (var f in features)
            text.Append(CultureInfo.InvariantCulture, $"{f.Index} {f.Name} {f.Entity} {f.Unit} {f.Window} {f.Measure} {f.Source} {f.Exactness} {f.Combine}\n");
        return XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(text.ToString()));
    }
}
