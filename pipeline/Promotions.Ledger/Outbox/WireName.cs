using System.Collections.Frozen;
using System.Text.Json;

namespace Promotions.Ledger.Outbox;

/// <summary>Enum members as they stand in JSON: snake_case, computed once.</summary>
public static class WireName
{
    /// <exception cref="KeyNotFoundException">The value is no member.</exception>
    public static string Of<TEnum>(TEnum value) where TEnum : struct, Enum => Cache<TEnum>.Names[value];

    private static class Cache<TEnum> where TEnum : struct, Enum
    {
        internal static readonly FrozenDictionary<TEnum, string> Names =
            Enum.GetValues<TEnum>().Distinct().ToFrozenDictionary(v => v, v => JsonNamingPolicy.SnakeCaseLower.ConvertName(v.ToString()));
    }
}
