namespace Promotions.Domain;

/// <summary>What an id may look like: 1 to 64 of <c>[A-Za-z0-9._:-]</c>, compared by ordinal.</summary>
public static class Identifier
{
    public const int LengthMax = 64;

    public static bool IsValid(ReadOnlySpan<char> id)
    {
        if (id.IsEmpty || id.Length > LengthMax) return false;
        foreach (var c in id)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or ':' or '-')) return false;
        return true;
    }
}
