using System.Globalization;
using Promotions.Domain;

namespace Promotions.Features;

/// <summary>How far apart two countries are at least, by their outlines (Natural Earth, public domain; <c>deploy/lib/country-distances</c> makes the table).</summary>
/// <remarks>A database of countries knows no towns, so nothing finer is claimed: between the borders that are nearest to each other, overseas parts included.</remarks>
public static class CountryDistances
{
    private const int UnitKilometres = 100;
    private static readonly short[] Rows = new short[1 + (26 * 26)];
    private static readonly byte[][] Table = Read(Rows);

    /// <summary>Unit: km, in steps of 100, rounded down; 0 for the same country and for neighbours. Null where the outline of either is not known (regions, small islands, anonymous ranges).</summary>
    public static int? KilometresAtLeast(Country one, Country other)
    {
        if (one == other) return one.IsKnown ? 0 : null;
        var (row, column) = (Rows[one.Number], Rows[other.Number]);
        if (row < 0 || column < 0) return null;
        return Table[Math.Max(row, column)][Math.Min(row, column)] * UnitKilometres;
    }

    private static byte[][] Read(short[] rows)
    {
        using var stream = typeof(CountryDistances).Assembly.GetManifestResourceStream("country-distances") ?? throw new InvalidOperationException("The table of distances is not in the assembly.");
        using var reader = new StreamReader(stream);
        Array.Fill(rows, (short)-1);
        var table = new List<byte[]>();
        while (reader.ReadLine() is { } line)
        {
            if (!Country.TryParse(line[..2], out var country)) throw new InvalidDataException($"'{line}' names no country.");
            rows[country.Number] = (short)table.Count;
            var distances = Convert.FromHexString(line.AsSpan(2).Trim());
            if (distances.Length != table.Count) throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{country} has {distances.Length} distances, and stands below {table.Count} countries."));
            table.Add(distances);
        }

        return [.. table];
    }
}
