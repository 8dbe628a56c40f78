using System.Diagnostics.CodeAnalysis;

namespace Promotions.Domain;

/// <summary>A country by its two letters (ISO 3166-1 alpha-2, or a letter pair that a registry uses in its place). <c>default</c> is no country.</summary>
public readonly record struct Country
{
    private const int Letters = 26;
    private static readonly string[] Names = [.. Enumerable.Range(0, Letters * Letters).Select(pair => $"{(char)('A' + (pair / Letters))}{(char)('A' + (pair % Letters))}")];

    private Country(ushort number) => Number = number;

    /// <summary>The greatest number of a country.</summary>
    public const int NumberMax = Letters * Letters;

    /// <summary>0 for none, then 1 for AA to 676 for ZZ: what records hold.</summary>
    public ushort Number { get; }

    public bool IsKnown => Number > 0;

    /// <summary>Two capital letters, nothing else.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Country country)
    {
        var known = text is [>= 'A' and <= 'Z', >= 'A' and <= 'Z'];
        country = known ? new((ushort)(((text![0] - 'A') * Letters) + (text[1] - 'A') + 1)) : default;
        return known;
    }

    /// <exception cref="ArgumentOutOfRangeException">No such number.</exception>
    public static Country FromNumber(int number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, NumberMax);
        return new((ushort)number);
    }

    /// <summary>The two letters; empty for none. The same string each time.</summary>
    public override string ToString() => IsKnown ? Names[Number - 1] : "";
}
