namespace Promotions.Processing.Changes;

/// <summary>Combinations of changes, fewest first, then least given up, then as the request names them.</summary>
internal static class ChangeCombinations
{
    /// <summary>More at once is another order, not a small change.</summary>
    public const int SizeMax = 3;

    /// <summary>Combinations looked at for one request, at most: a size that would go beyond is not begun.</summary>
    public const int CombinationsMax = 20_000;

    /// <summary>The largest size of which all combinations are looked at.</summary>
    public static int SizeFor(int changes)
    {
        long combinations = 0, ofSize = 1;
        var size = 0;
        for (var next = 1; next <= Math.Min(SizeMax, changes); next++)
        {
            ofSize = ofSize * (changes - next + 1) / next;
            combinations += ofSize;
            if (combinations > CombinationsMax) break;
            size = next;
        }

        return size;
    }

    /// <summary>All combinations of exactly this size, in order.</summary>
    public static IEnumerable<CustomerChange[]> OfSize(IReadOnlyList<CustomerChange> changes, int size)
    {
        var found = new List<(long GivenUp, int[] Indexes)>();
        var indexes = new int[size];
        Add(0, 0, 0);
        found.Sort(static (one, other) => one.GivenUp != other.GivenUp ? one.GivenUp.CompareTo(other.GivenUp) : one.Indexes.AsSpan().SequenceCompareTo(other.Indexes));
        foreach (var (_, chosen) in found) yield return Array.ConvertAll(chosen, index => changes[index]);

        void Add(int depth, int from, long givenUp)
        {
            if (depth == size)
            {
                found.Add((givenUp, indexes.ToArray()));
                return;
            }

            for (var i = from; i < changes.Count; i++)
            {
                indexes[depth] = i;
                Add(depth + 1, i + 1, checked(givenUp + changes[i].GivenUp));
            }
        }
    }
}
