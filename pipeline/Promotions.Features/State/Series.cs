using System.Numerics;
using System.Runtime.InteropServices;

namespace Promotions.Features.State;

/// <summary>Events of one sort in order of time, that answer "how many, and how much" in any window.</summary>
/// <remarks>Up to 256 of them are a section of the slab; more are a <see cref="SeriesTree"/>, which returns to the slab when it has shrunk to one leaf:
/// one form for equal states.</remarks>
internal static class Series
{
    /// <summary>In the slab.</summary>
    public const int Max = SeriesNode.LeafMax;

    /// <summary>Up to here going back one event at a time is quicker than halving.</summary>
    private const int ScanMax = 32;

    /// <summary>Answers the windows that end at the time, the shortest first.</summary>
    /// <param name="answers">As many as queries; a sum only where the query asks for it.</param>
    public static void Answer(ref EntityMemory memory, int series, long time, ReadOnlySpan<WindowQuery> queries, Span<Totals> answers)
    {
        if (memory.Tree(series) is { } tree)
        {
            Answer(tree, time, queries, answers);
            return;
        }

        var section = memory.Plan.SeriesSections[series];
        var times = memory.Slab.Column(section, 0);
        var values = memory.Plan.HasValues[series] ? memory.Slab.Column(section, 1) : default;
        var end = UpTo(times, time);
        var (first, summed, sum) = (end, end, 0L);
        for (var q = 0; q < queries.Length; q++)
        {
            var start = time - queries[q].Window;
            if (first <= ScanMax)
                while (first > 0 && times[first - 1] > start) first--;
            else first = UpTo(times[..first], start);
            if (queries[q].Sum)
            {
                sum = unchecked(sum + SumOf(values[first..summed]));
                summed = first;
            }
            answers[q] = new(end - first, sum);
        }
    }

    /// <summary>The latest time at or before x; <see cref="long.MinValue"/> when there is none.</summary>
    public static long LatestUpTo(ref EntityMemory memory, int series, long x)
    {
        if (memory.Tree(series) is { } tree) return tree.LatestUpTo(x);
        var times = memory.Slab.Column(memory.Plan.SeriesSections[series], 0);
        var index = UpTo(times, x);
        return index == 0 ? long.MinValue : times[index - 1];
    }

    /// <summary>The latest event at or before x, of a series that keeps values; null when there is none.</summary>
    public static (long Time, long Value)? LastUpTo(ref EntityMemory memory, int series, long x)
    {
        if (memory.Tree(series) is { } tree) return tree.LastUpTo(x);
        var section = memory.Plan.SeriesSections[series];
        var index = UpTo(memory.Slab.Column(section, 0), x);
        return index == 0 ? null : (memory.Slab.Column(section, 0)[index - 1], memory.Slab.Column(section, 1)[index - 1]);
    }

    /// <summary>Adds an event, if the kind keeps the series and some window reaches it, and drops some of what no window reaches any more.</summary>
    /// <param name="orderedUpTo">No record comes before it any more: newest − grace.</param>
    public static void Insert(ref EntityMemory memory, int series, long time, long value, long orderedUpTo)
    {
        var section = memory.Plan.SeriesSections[series];
        if (section == EntityPlan.None) return;
        var horizon = orderedUpTo - memory.Plan.SeriesWindows[series];
        if (time <= horizon) return;
        var tree = memory.Tree(series);
        if (tree is not null)
        {
            tree.Drop(horizon);
        }
        else
        {
            var times = memory.Slab.Column(section, 0);
            if (times.Length > 0 && times[0] <= horizon)
            {
                memory.Slab.RemoveAt(section, 0, UpTo(times, horizon));
                times = memory.Slab.Column(section, 0);
            }
            if (times.Length < Max)
            {
                memory.Slab.Insert(section, UpTo(times, time), time, value);
                return;
            }
            tree = Plant(ref memory, series, section);
        }
        tree.Insert(time, value);
        if (tree.Root.Height == 0) Fell(ref memory, series, section, tree);
    }

    /// <summary>How many of the ascending times are at most x.</summary>
    public static int UpTo(ReadOnlySpan<long> times, long x)
    {
        int low = 0, high = times.Length;
        if (high > 0 && times[high - 1] <= x) return high; // the newest record asks most
        while (low < high)
        {
            var middle = (int)((uint)(low + high) >> 1);
            if (times[middle] <= x) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>Modulo 2^64: differences of prefixes are right as long as the window's own sum fits.</summary>
    public static long SumOf(ReadOnlySpan<long> values)
    {
        unchecked
        {
            var vectors = MemoryMarshal.Cast<long, Vector<long>>(values);
            var lanes = Vector<long>.Zero;
            foreach (var vector in vectors) lanes += vector;
            var sum = Vector.Sum(lanes);
            for (var i = vectors.Length * Vector<long>.Count; i < values.Length; i++) sum += values[i];
            return sum;
        }
    }

    private static void Answer(SeriesTree tree, long time, ReadOnlySpan<WindowQuery> queries, Span<Totals> answers)
    {
        var end = tree.UpTo(time);
        for (var q = 0; q < queries.Length; q++)
        {
            var start = tree.UpTo(time - queries[q].Window);
            answers[q] = unchecked(new(end.Count - start.Count, end.Sum - start.Sum));
        }
    }

    private static SeriesTree Plant(ref EntityMemory memory, int series, int section)
    {
        var branches = memory.Branch();
        var hasValues = memory.Plan.HasValues[series];
        var tree = SeriesTree.Plant(branches, memory.Slab.Column(section, 0), hasValues ? memory.Slab.Column(section, 1) : default, hasValues);
        branches.Trees[series] = tree;
        memory.Slab.Vacate(section);
        return tree;
    }

    private static void Fell(ref EntityMemory memory, int series, int section, SeriesTree tree)
    {
        memory.Slab.Fill(section, tree.Root.Count);
        tree.Root.Times.CopyTo(memory.Slab.Column(section, 0));
        if (memory.Plan.HasValues[series]) tree.Root.Values.CopyTo(memory.Slab.Column(section, 1));
        tree.Fell();
        memory.Branches!.Trees[series] = null;
    }
}
