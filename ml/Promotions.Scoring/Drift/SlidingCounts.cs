namespace Promotions.Scoring.Drift;

/// <summary>Counters over a window that slides by slots: the last so many whole slots and the one under way. Fixed memory; not safe from several threads.</summary>
/// <param name="slots">How many are kept.</param>
/// <param name="slotLength">Of one. Unit: ms.</param>
/// <param name="width">Counters of one slot.</param>
public sealed class SlidingCounts(int slots, long slotLength, int width)
{
    private readonly long[] _numbers = NewNumbers(slots);
    private readonly long[] _counts = new long[slots * width];

    /// <summary>The slot of that time, cleared when it held an older one. Empty when the time lies before the window: then nothing is counted.</summary>
    /// <param name="at">Unix time, ms; 0 or later.</param>
    public Span<long> At(long at)
    {
        var number = at / slotLength;
        var slot = (int)(number % slots);
        if (_numbers[slot] > number) return [];
        var counts = _counts.AsSpan(slot * width, width);
        if (_numbers[slot] < number)
        {
            counts.Clear();
            _numbers[slot] = number;
        }

        return counts;
    }

    /// <summary>Adds up what lies in the window that ends now.</summary>
    public void Sum(long now, Span<long> sums)
    {
        var newest = now / slotLength;
        sums.Clear();
        for (var slot = 0; slot < slots; slot++)
        {
            if (_numbers[slot] > newest || _numbers[slot] <= newest - slots) continue;
            var counts = _counts.AsSpan(slot * width, width);
            for (var i = 0; i < width; i++) sums[i] += counts[i];
        }
    }

    private static long[] NewNumbers(int slots)
    {
        var numbers = new long[slots];
        Array.Fill(numbers, -1);
        return numbers;
    }
}
