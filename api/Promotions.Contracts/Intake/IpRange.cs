namespace Promotions.Contracts.Intake;

/// <summary>Addresses from one to another, both included, as <see cref="IpText"/> numbers them.</summary>
public readonly record struct IpRange(UInt128 First, UInt128 Last)
{
    /// <summary>The range of a prefix.</summary>
    /// <param name="length">Of the 128 bits: an IPv4 prefix has 96 more than one writes.</param>
    public static IpRange OfPrefix(UInt128 address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, 128);
        var rest = length == 0 ? UInt128.MaxValue : (UInt128.One << (128 - length)) - 1;
        return new(address & ~rest, address | rest);
    }

    /// <summary>Reads a list: an address, a prefix (<c>203.0.113.0/24</c>) or a range (<c>203.0.113.7-203.0.113.9</c>) a line; blank lines and what follows a # count for nothing.</summary>
    /// <param name="source">For messages.</param>
    /// <exception cref="FormatException">A line is none of these; the message names it.</exception>
    public static IReadOnlyList<IpRange> ReadList(TextReader list, string source)
    {
        var ranges = new List<IpRange>();
        for (var number = 1; list.ReadLine() is { } line; number++)
        {
            var text = line.AsSpan(0, line.IndexOf('#', StringComparison.Ordinal) is >= 0 and var comment ? comment : line.Length).Trim();
            if (text.IsEmpty) continue;
            ranges.Add(Of(text) ?? throw new FormatException($"{source}, line {number}: '{line}' is no address, prefix or range."));
        }
        return ranges;
    }

    private static IpRange? Of(ReadOnlySpan<char> text)
    {
        if (text.IndexOf('/') is > 0 and var slash)
        {
            if (!IpText.TryParse(text[..slash], out var address) || !byte.TryParse(text[(slash + 1)..], System.Globalization.NumberStyles.None, null, out var length)) return null;
            var bits = length + (text[..slash].Contains(':') ? 0 : 96);
            return bits > 128 ? null : OfPrefix(address, bits);
        }
        if (text.IndexOf('-') is > 0 and var dash)
            return IpText.TryParse(text[..dash].Trim(), out var first) && IpText.TryParse(text[(dash + 1)..].Trim(), out var last) && first <= last ? new(first, last) : null;
        return IpText.TryParse(text, out var one) ? new(one, one) : null;
    }
}
