namespace Promotions.Processing.Embedded;

/// <summary>FNV-1a over the bits of a vector: what replay compares. Never 0, which stands for no hash.</summary>
internal static class VectorHash
{
    public static ulong Of(ReadOnlySpan<float> vector)
    {
        var hash = 14695981039346656037UL;
        foreach (var value in vector) hash = unchecked((hash ^ BitConverter.SingleToUInt32Bits(value)) * 1099511628211UL);
        return hash == 0 ? 1 : hash;
    }
}
