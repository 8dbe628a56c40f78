using System.Security.Cryptography;
using System.Text;

namespace Promotions.Domain.Campaigns.Codes;

/// <summary>A whole number from 0 up to, not including, the argument, evenly: <c>RandomNumberGenerator.GetInt32</c> in production, seeded in tests.</summary>
public delegate int DrawBelow(int exclusiveMax);

/// <summary>Makes codes that nobody can guess, and tells typos and guesses from codes without looking into a store.</summary>
/// <remarks>The tail is an HMAC-SHA256 of pattern and code under a key of the installation, so that a script which knows the scheme cannot make one that passes. It is
/// no proof: one guess in 30^tail passes, and only the store says whether a code was given out.</remarks>
public sealed class CodeGenerator
{
    /// <summary>The share of a code space that is used at most: 0.1. A guess that has the tail right still misses nine times of ten, and
    /// drawing distinct codes takes hardly more draws than codes.</summary>
    public const double SpaceShareMax = 0.1;

    private readonly CodePattern _pattern;
    private readonly byte[] _key;

    /// <exception cref="ArgumentException">The key is shorter than 16 bytes.</exception>
    public CodeGenerator(CodePattern pattern, ReadOnlySpan<byte> key)
    {
        if (key.Length < 16) throw new ArgumentException("A key has at least 16 bytes.", nameof(key));
        (_pattern, _key) = (pattern, key.ToArray());
    }

    /// <summary>False for what cannot be a code of this pattern: a typo or a guess. Upper case only; the caller normalises.</summary>
    public bool IsPlausible(ReadOnlySpan<char> code)
    {
        Span<char> places = stackalloc char[_pattern.FreeLength + _pattern.TailLength];
        if (!_pattern.TryRead(code, places)) return false;
        Span<char> tail = stackalloc char[_pattern.TailLength];
        WriteTail(places[.._pattern.FreeLength], tail);
        return places[_pattern.FreeLength..].SequenceEqual(tail);
    }

    /// <summary>Can so many codes be made beside those of this pattern that exist?</summary>
    public bool HasRoomFor(long count, long existing) => (double)checked((Int128)count + existing) <= SpaceShareMax * (double)_pattern.Space;

    /// <summary>Distinct codes, in the order drawn.</summary>
    /// <param name="existing">How many codes of this pattern there are already.</param>
    /// <param name="isTaken">Whether a code exists; drawn again then.</param>
    /// <exception cref="ArgumentException">More than <see cref="SpaceShareMax"/> of the space would be used: lengthen the pattern.</exception>
    /// <exception cref="InvalidOperationException">Draw after draw is taken: the count of existing codes is wrong, or the draw is not random.</exception>
    public IReadOnlyList<string> Generate(int count, long existing, Func<string, bool> isTaken, DrawBelow draw)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegative(existing);
        if (!HasRoomFor(count, existing))
            throw new ArgumentException($"'{_pattern.Text}' has {_pattern.Space} codes; {existing} exist and {count} more would use over {SpaceShareMax:P0}. Add places.", nameof(count));

        var made = new HashSet<string>(count, StringComparer.Ordinal);
        var codes = new List<string>(count);
        Span<char> places = stackalloc char[_pattern.FreeLength + _pattern.TailLength];
        var drawsLeft = 20L * count + 1_000;   // with a tenth of the space used, nine draws of ten are new
        while (codes.Count < count)
        {
            if (drawsLeft-- == 0) throw new InvalidOperationException($"'{_pattern.Text}' gives no new codes: {codes.Count} of {count} made. Are there more than {existing}?");
            for (var i = 0; i < _pattern.FreeLength; i++) places[i] = CodePattern.Alphabet[draw(CodePattern.Alphabet.Length)];
            WriteTail(places[.._pattern.FreeLength], places[_pattern.FreeLength..]);
            var code = _pattern.Fill(places);
            if (made.Add(code) && !isTaken(code)) codes.Add(code);
        }

        return codes;
    }

    private void WriteTail(ReadOnlySpan<char> free, Span<char> tail)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes(string.Concat(_pattern.Text, "\n", free)), hash);
        var number = new System.Numerics.BigInteger(hash, isUnsigned: true);
        for (var i = 0; i < tail.Length; i++)
        {
            number = System.Numerics.BigInteger.DivRem(number, CodePattern.Alphabet.Length, out var index);
            tail[i] = CodePattern.Alphabet[(int)index];
        }
    }
}
