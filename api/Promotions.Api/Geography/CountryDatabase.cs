using System.Net;
using System.Net.Sockets;
using MaxMind.Db;
using Promotions.Contracts.Intake;
using Promotions.Domain;

namespace Promotions.Api.Geography;

/// <summary>Reads a MaxMind DB with <c>country_code</c>, or with <c>country.iso_code</c> as GeoLite2's has it, into ranges: its own look-up would make a dictionary for each request.</summary>
public static class CountryDatabase
{
    /// <summary>All ranges with a country; those without one (satellites) are left out.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is no such database, or names no country.</exception>
    public static IReadOnlyList<(IpRange Range, Country Country)> Read(string path)
    {
        try
        {
            return Ranges(path);
        }
        catch (InvalidDatabaseException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }

    private static List<(IpRange Range, Country Country)> Ranges(string path)
    {
        var ranges = new Dictionary<IpRange, Country>();       // IPv4 is found again under ::ffff:0:0/96 where a database has aliases
        using var database = new Reader(path, FileAccessMode.Memory);
        foreach (var node in database.FindAll<Dictionary<string, object>>())
        {
            if (!Country.TryParse(CodeOf(node.Data), out var country)) continue;
            var four = node.Start.AddressFamily is AddressFamily.InterNetwork;
            ranges[IpRange.OfPrefix(NumberOf(node.Start), four && node.PrefixLength <= 32 ? node.PrefixLength + 96 : node.PrefixLength)] = country;
        }
        return ranges.Count > 0 ? [.. ranges.Select(static range => (range.Key, range.Value))] : throw new InvalidDataException("the database names no country");
    }

    private static string? CodeOf(Dictionary<string, object> data) => data.TryGetValue("country_code", out var code) ? code as string
        : data.TryGetValue("country", out var country) && country is IDictionary<string, object> named && named.TryGetValue("iso_code", out var iso) ? iso as string : null;

    private static UInt128 NumberOf(IPAddress address) => IpText.TryParse(address.ToString(), out var number) ? number : throw new InvalidDataException($"'{address}' is no address");
}
