namespace Promotions.Streams.State;

/// <summary>What every backend holds its keys and values to.</summary>
public static class StateKeys
{
    public const int KeyBytesMax = 255;

    /// <exception cref="ArgumentException">The key or value is out of bounds.</exception>
    public static void Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value = default)
    {
        if (key.Length is 0 or > KeyBytesMax) throw new ArgumentException($"A state key has 1 to {KeyBytesMax} bytes, not {key.Length}.", nameof(key));
        if (value.Length > IStateBackend.ValueBytesMax)
            throw new ArgumentException($"A state value has at most {IStateBackend.ValueBytesMax} bytes, not {value.Length}: split it into tiles.", nameof(value));
    }

    /// <summary>The first key behind all that start with <paramref name="prefix"/>.</summary>
    /// <returns>False when there is no such key: the prefix is all 0xFF.</returns>
    public static bool TryEnd(ReadOnlySpan<byte> prefix, out byte[] end)
    {
        var last = prefix.LastIndexOfAnyExcept((byte)0xFF);
        end = last < 0 ? [] : prefix[..(last + 1)].ToArray();
        if (last >= 0) end[last]++;
        return last >= 0;
    }
}
