using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Promotions.Domain.Events;

namespace Promotions.Domain.Campaigns;

/// <summary>Which lines of a cart a campaign's conditions match.</summary>
/// <remarks>A line matches when it is named by an included sku or category, or when nothing is included by name, and no excluded sku or category names it.
/// Conditions of thousands of skus are looked up by hash; the sets are made once per campaign version and die with it.</remarks>
internal sealed class LineMatcher
{
    private static readonly ConditionalWeakTable<Conditions, LineMatcher> Made = [];

    private readonly FrozenSet<string>? _includedSkus;
    private readonly FrozenSet<string>? _includedCategories;
    private readonly FrozenSet<string>? _excludedSkus;
    private readonly FrozenSet<string>? _excludedCategories;

    private LineMatcher(Conditions conditions)
    {
        _includedSkus = SetOf(conditions.IncludedSkus);
        _includedCategories = SetOf(conditions.IncludedCategories);
        _excludedSkus = SetOf(conditions.ExcludedSkus);
        _excludedCategories = SetOf(conditions.ExcludedCategories);
    }

    public static LineMatcher Of(Conditions conditions) => Made.GetValue(conditions, static made => new LineMatcher(made));

    public bool IsExcluded(CartLine line) => Names(_excludedSkus, line.Sku) || Names(_excludedCategories, line.Category);

    public bool Matches(CartLine line) => !IsExcluded(line)
        && ((_includedSkus is null && _includedCategories is null) || Names(_includedSkus, line.Sku) || Names(_includedCategories, line.Category));

    private static bool Names(FrozenSet<string>? names, string? name) => names is not null && name is not null && names.Contains(name);

    private static FrozenSet<string>? SetOf(IReadOnlyList<string> names) => names.Count == 0 ? null : names.ToFrozenSet(StringComparer.Ordinal);
}
