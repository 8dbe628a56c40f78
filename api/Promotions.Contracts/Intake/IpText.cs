using System.Globalization;

namespace Promotions.Contracts.Intake;

/// <summary>Addresses as numbers, without an object: an IPv4 address is the IPv6 address that it maps to, ::ffff:a.b.c.d.</summary>
public static class IpText
{
    /// <summary>Of <c>::ffff:0.0.0.0</c>.</summary>
    public static readonly UInt128 IPv4 = (UInt128)0xFFFF << 32;

    private const int Groups = 8;

    /// <summary>Reads four decimal numbers, or groups of IPv6 with at most one <c>::</c> and perhaps an IPv4 address at the end.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out UInt128 address)
    {
        if (!text.Contains(':'))
        {
            var is4 = TryParse4(text, out var four);
            address = IPv4 + four;
            return is4;
        }

        address = 0;
        var gap = text.IndexOf("::");
        if (gap < 0) return TryGroups(text, out address, out var count) && count == Groups;
        if (!TryGroups(text[..gap], out var high, out var before) || !TryGroups(text[(gap + 2)..], out var low, out var after) || before + after >= Groups) return false;
        address = (before == 0 ? 0 : high << (16 * (Groups - before))) | low;
        return true;
    }

    private static bool TryGroups(ReadOnlySpan<char> text, out UInt128 value, out int count)
    {
        (value, count) = (0, 0);
        if (text.IsEmpty) return true;
        foreach (var part in text.Split(':'))
        {
            var group = text[part];
            if (group.Contains('.'))
            {
                if (part.End.GetOffset(text.Length) != text.Length || !TryParse4(group, out var four)) return false;
                (value, count) = ((value << 32) | four, count + 2);
                continue;
            }
            if (group.Length is 0 or > 4 || !ushort.TryParse(group, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)) return false;
            (value, count) = ((value << 16) | number, count + 1);
        }
        return count <= Groups;
    }

    private static bool TryParse4(ReadOnlySpan<char> text, out uint value)
    {
        (value, var count) = (0u, 0);
        foreach (var part in text.Split('.'))
        {
            if (++count > 4 || !byte.TryParse(text[part], NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
            value = (value << 8) | number;
        }
        return count == 4;
    }
}
