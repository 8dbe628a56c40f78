namespace Promotions.Domain.Campaigns.Codes;

/// <summary>How a campaign's codes look: <c>SPRING-####-####</c>. Each <c>#</c> is one character of <see cref="Alphabet"/>, the last of them the check tail.</summary>
/// <remarks>The alphabet leaves out 0, 1, I, L, O and U, which people misread; 30 characters are left. A code is upper case and at most 64 characters.</remarks>
public sealed class CodePattern
{
    public const string Alphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// <summary>A guess passes two characters of tail once in 900, and a store never sees the others.</summary>
    public const int TailLengthDefault = 2;

    private CodePattern(string text, int freeLength, int tailLength) => (Text, FreeLength, TailLength) = (text, freeLength, tailLength);

    public string Text { get; }

    /// <summary>Characters drawn at random.</summary>
    public int FreeLength { get; }

    /// <summary>Characters that check the others.</summary>
    public int TailLength { get; }

    /// <summary>How many codes there are: 30 to the power of <see cref="FreeLength"/>.</summary>
    public Int128 Space
    {
        get
        {
            Int128 space = 1;
            for (var i = 0; i < FreeLength; i++) space *= Alphabet.Length;
            return space;
        }
    }

    /// <exception cref="ArgumentException">No random place is left, a literal is no upper-case id character, or the code would be too long.</exception>
    public static CodePattern Parse(string text, int tailLength = TailLengthDefault)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tailLength);
        var places = text.Count(c => c == '#');
        if (places - tailLength is < 1 or > 24) throw new ArgumentException($"'{text}' needs {tailLength + 1} to {tailLength + 24} places '#'.", nameof(text));
        if (!Identifier.IsValid(text.Replace('#', 'X')) || text.Any(char.IsAsciiLetterLower))
            throw new ArgumentException($"'{text}' may hold '#' and A-Z 0-9 . _ : - and at most {Identifier.LengthMax} characters.", nameof(text));
        return new(text, places - tailLength, tailLength);
    }

    /// <summary>Puts the characters into the places, from the left.</summary>
    internal string Fill(ReadOnlySpan<char> places)
    {
        var code = Text.ToCharArray();
        var next = 0;
        for (var i = 0; i < code.Length; i++)
            if (code[i] == '#') code[i] = places[next++];
        return new(code);
    }

    /// <returns>False when the code is of another pattern.</returns>
    internal bool TryRead(ReadOnlySpan<char> code, Span<char> places)
    {
        if (code.Length != Text.Length) return false;
        var next = 0;
        for (var i = 0; i < code.Length; i++)
        {
            if (Text[i] != '#')
            {
                if (code[i] != Text[i]) return false;
                continue;
            }

            if (!Alphabet.Contains(code[i], StringComparison.Ordinal)) return false;
            places[next++] = code[i];
        }

        return true;
    }
}
