namespace Promotions.Processing.Decisions;

/// <summary>Blocks whatever the model says: a counted fact beyond doubt.</summary>
/// <param name="Name">Stable, snake_case.</param>
/// <param name="Feature">A name of the feature registry.</param>
/// <param name="AtLeast">The feature's value from which on it holds.</param>
/// <param name="Note">Why this limit, for who reads a reason; null or at most 128 characters.</param>
/// <param name="Code">The rule is about attempts that name this code and no other; null: about all. Of several codes a vector holds the larger value, which need not be this one's.</param>
/// <param name="StrangersOnly">It leaves alone whoever shopped here before: see <see cref="Strangers"/>.</param>
public sealed record HardRule(string Name, string Feature, float AtLeast, string? Note = null, string? Code = null, bool StrangersOnly = false)
{
    /// <summary>Never by a value that is missing or late.</summary>
    public bool IsReachedBy(float value) => value >= AtLeast;

    public bool IsAbout(IReadOnlyList<string> codes) => Code is null || (codes.Count == 1 && string.Equals(codes[0], Code, StringComparison.Ordinal));
}

/// <summary>Attempts of whom nobody here had seen anything two days before: neither the customer nor the device, and no other account at the address in 30 days.</summary>
/// <remarks>Whoever is new for a good reason is a stranger too. A device or address that is not named, or late, cannot vouch for anybody.</remarks>
public sealed class Strangers(IFeatureCatalog catalog)
{
    public static readonly TimeSpan NewFor = TimeSpan.FromDays(2);

    private readonly int _customer = catalog.IndexOf("customer_since_first"), _device = catalog.IndexOf("device_since_first"), _address = catalog.IndexOf("address_accounts_30d");

    public bool Are(ReadOnlySpan<float> vector) =>
        _customer >= 0 && vector[_customer] <= NewFor.TotalMilliseconds
        && !(_device >= 0 && vector[_device] > NewFor.TotalMilliseconds)
        && !(_address >= 0 && vector[_address] > 1);
}

/// <summary>The hard rules of a policy, asked of vectors. Looks names up once per policy.</summary>
/// <remarks>Not safe from several threads.</remarks>
public sealed class HardRules(IFeatureCatalog catalog)
{
    private readonly Strangers _strangers = new(catalog);
    private IReadOnlyList<HardRule> _rules = [];
    private int[] _indexes = [];

    /// <returns>The first that holds; null where none does. A rule about a feature that the layout lacks never holds.</returns>
    public HardRule? Find(IReadOnlyList<HardRule> rules, IReadOnlyList<string> codes, ReadOnlySpan<float> vector)
    {
        if (!ReferenceEquals(rules, _rules)) (_rules, _indexes) = (rules, [.. rules.Select(rule => catalog.IndexOf(rule.Feature))]);
        for (var i = 0; i < _indexes.Length; i++)
        {
            var rule = _rules[i];
            if (_indexes[i] is >= 0 and var index && rule.IsReachedBy(vector[index]) && rule.IsAbout(codes) && (!rule.StrangersOnly || _strangers.Are(vector))) return rule;
        }

        return null;
    }
}
