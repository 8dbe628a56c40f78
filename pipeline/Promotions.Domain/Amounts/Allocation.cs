namespace Promotions.Domain.Amounts;

/// <summary>Splits an amount into whole minor units that sum to it exactly. Policy: largest remainder.</summary>
/// <remarks>Each part is amount × weight ÷ sum cut toward zero; the units left over go, one each and with the amount's sign, to the largest fractions, ties to
/// the first part. So allocate(−a) = −allocate(a), a weight of zero receives nothing, and where |amount| ≤ sum of weights no part exceeds its weight.</remarks>
public static class Allocation
{
    /// <param name="amount">Minor units, any sign.</param>
    /// <param name="weights">Not negative, at least one positive.</param>
    /// <param name="parts">Receives one part per weight.</param>
    /// <exception cref="ArgumentException">No weight is positive, one is negative, or the lengths differ.</exception>
    public static void LargestRemainder(long amount, ReadOnlySpan<long> weights, Span<long> parts)
    {
        if (parts.Length != weights.Length) throw new ArgumentException("One part per weight.", nameof(parts));
        Int128 sum = 0;
        foreach (var weight in weights)
        {
            if (weight < 0) throw new ArgumentException("A weight is negative.", nameof(weights));
            sum += weight;
        }

        if (sum == 0) throw new ArgumentException("No weight is positive.", nameof(weights));

        var fractions = new Int128[weights.Length];
        var order = new int[weights.Length];
        var left = amount;
        for (var i = 0; i < weights.Length; i++)
        {
            var (share, fraction) = Int128.DivRem((Int128)amount * weights[i], sum);   // DivRem cuts toward zero
            parts[i] = (long)share;
            fractions[i] = Int128.Abs(fraction);
            order[i] = i;
            left -= parts[i];
        }

        // What is left is fewer units than there are fractions above zero, so the loop below never reaches a part without one.
        Array.Sort(order, (one, other) => fractions[one] == fractions[other] ? one.CompareTo(other) : fractions[other].CompareTo(fractions[one]));
        var unit = Math.Sign(left);
        for (var next = 0; left != 0; next++, left -= unit) parts[order[next]] += unit;
    }
}
