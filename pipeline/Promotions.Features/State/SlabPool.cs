namespace Promotions.Features.State;

/// <summary>Arrays that slabs have grown out of, for others to grow into.</summary>
/// <remarks>An entity grows a dozen times, and what it leaves has lived long: without this, each growth is garbage in the oldest generation and a survivor to copy in the
/// youngest. By exact length, since slabs have no spare room at their end. Safe from several threads; partitions share it.</remarks>
internal static class SlabPool
{
    private const int LengthMax = 512;
    private const int WordsMax = 1 << 20;
    private static readonly Lock Gate = new();
    private static readonly Stack<long[]>?[] ByLength = new Stack<long[]>?[LengthMax + 1];
    private static int s_words;

    /// <summary>An array of that length with anything in it.</summary>
    public static long[] Take(int length)
    {
        if (length <= LengthMax)
        {
            lock (Gate)
            {
                if (ByLength[length] is { Count: > 0 } stack)
                {
                    s_words -= length;
                    return stack.Pop();
                }
            }
        }

        return GC.AllocateUninitializedArray<long>(length);
    }

    /// <param name="words">Never read or written by the giver again.</param>
    public static void Give(long[] words)
    {
        if (words.Length is 0 or > LengthMax) return;
        lock (Gate)
        {
            if (s_words + words.Length > WordsMax) return;
            (ByLength[words.Length] ??= new()).Push(words);
            s_words += words.Length;
        }
    }
}
