using Promotions.Domain;
using Promotions.Domain.Events;

namespace Promotions.Contracts.Intake;

/// <summary>Where ips are, and what lists say of them. Read once, searched by halving, without an allocation; safe from any thread.</summary>
public sealed class IpDirectory
{
    private readonly IpRange[] _ranges;
    private readonly Country[] _countries;
    private readonly IpRange[]? _hosting, _tor;

    /// <param name="countries">Ranges that do not overlap, in any order.</param>
    /// <param name="hosting">Ranges of hosting providers; null where no list is given, which is not the same as an empty one.</param>
    /// <param name="tor">Tor's exits; null as above.</param>
    /// <exception cref="ArgumentException">Two ranges of countries overlap.</exception>
    public IpDirectory(IEnumerable<(IpRange Range, Country Country)> countries, IEnumerable<IpRange>? hosting = null, IEnumerable<IpRange>? tor = null)
    {
        var merged = new List<(IpRange Range, Country Country)>();
        foreach (var next in countries.OrderBy(static one => one.Range.First))
        {
            if (merged.Count > 0 && next.Range.First <= merged[^1].Range.Last) throw new ArgumentException($"Two ranges overlap, of {merged[^1].Country} and of {next.Country}.", nameof(countries));
            if (merged.Count > 0 && merged[^1].Country == next.Country && merged[^1].Range.Last + 1 == next.Range.First) merged[^1] = (merged[^1].Range with { Last = next.Range.Last }, next.Country);
            else merged.Add(next);
        }
        (_ranges, _countries) = ([.. merged.Select(static one => one.Range)], [.. merged.Select(static one => one.Country)]);
        (_hosting, _tor) = (Union(hosting), Union(tor));
    }

    /// <summary>Ranges of countries, neighbours of one country counted once; 0 where no database is given.</summary>
    public int CountryRanges => _ranges.Length;

    public bool HasHosting => _hosting is not null;
    public bool HasTor => _tor is not null;

    /// <summary>The country of the range that an address lies in (none where no range holds it), and what the lists say. Nothing of a text that is no address.</summary>
    public (Country Country, IpFlags Flags) Find(ReadOnlySpan<char> ip)
    {
        if (!IpText.TryParse(ip, out var address)) return default;
        var flags = Flag(_hosting, address, IpFlags.HostingKnown, IpFlags.Hosting) | Flag(_tor, address, IpFlags.TorKnown, IpFlags.Tor);
        return (IndexOf(_ranges, address) is >= 0 and var index ? _countries[index] : default, flags);
    }

    private static IpFlags Flag(IpRange[]? list, UInt128 address, IpFlags known, IpFlags set) => list is null ? IpFlags.None : IndexOf(list, address) >= 0 ? known | set : known;

    private static int IndexOf(IpRange[] ranges, UInt128 address)
    {
        int low = 0, high = ranges.Length;
        while (low < high)
        {
            var middle = (int)((uint)(low + high) >> 1);
            if (ranges[middle].First <= address) low = middle + 1;
            else high = middle;
        }
        return low > 0 && address <= ranges[low - 1].Last ? low - 1 : -1;
    }

    private static IpRange[]? Union(IEnumerable<IpRange>? ranges)
    {
        if (ranges is null) return null;
        var union = new List<IpRange>();
        foreach (var next in ranges.OrderBy(static one => one.First))
        {
            if (union.Count > 0 && next.First <= union[^1].Last) union[^1] = union[^1] with { Last = UInt128.Max(union[^1].Last, next.Last) };
            else union.Add(next);
        }
        return [.. union];
    }
}
