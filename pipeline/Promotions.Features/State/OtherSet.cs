using System.Numerics;

namespace Promotions.Features.State;

/// <summary>The distinct others of one sort by the time each was last seen: "how many in (a, b]" is two binary searches.</summary>
/// <remarks>For b before the newest record, an other seen again later must still be found at its earlier time: for the length of grace an interval
/// [from, to) remembers that it was seen at from, and next at to. At the set's bound the longest unseen leaves, so short windows stay exact longest.
/// Intervals that ended before grace answer nothing. They go at each addition while few, and at powers of two beyond that: by what is kept
/// alone, never by what was written or loaded when, so that equal histories keep equal intervals wherever these go into a tile of their own.</remarks>
internal static class OtherSet
{
    public const int Max = FeatureRegistry.DistinctMax;
    public const int IntervalsMax = 256;

    /// <summary>Up to here, others and intervals lie in the root tile.</summary>
    public const int InlineMax = 32;

    /// <summary>Distinct others seen in (a, b].</summary>
    /// <param name="section">That of the set; its intervals' is the next.</param>
    public static int Distinct(ref EntityMemory memory, int section, long a, long b, long orderedUpTo)
    {
        var times = memory.Slab.Column(section, 1);
        var last = Series.UpTo(times, b);
        var found = last - Series.UpTo(times[..last], a);
        if (last < times.Length) // none was seen after b: then no interval ends after it
        {
            Span<long> froms = memory.Slab.Column(section + 1, 1), tos = memory.Slab.Column(section + 1, 2);
            for (var i = 0; i < froms.Length; i++)
                if (froms[i] > a && froms[i] <= b && b < tos[i] && tos[i] > orderedUpTo) found++;
        }
        return Math.Min(found, Max);
    }

    /// <param name="other">0 stands for none.</param>
    /// <param name="orderedUpTo">No record comes before it any more: newest − grace.</param>
    public static void Add(ref EntityMemory memory, int kind, ulong other, long time, long orderedUpTo)
    {
        var section = memory.Plan.OtherSections[kind];
        if (section == EntityPlan.None || other == 0) return;
        var horizon = orderedUpTo - memory.Plan.OtherWindows[kind];
        if (time <= horizon) return;
        var times = memory.Slab.Column(section, 1);
        if (times.Length > 0 && times[0] <= horizon) memory.Slab.RemoveAt(section, 0, Series.UpTo(times, horizon));
        int intervals = memory.Slab[section + 1].Count;
        if (intervals > 0 && (intervals <= InlineMax || (intervals < IntervalsMax && BitOperations.IsPow2(intervals)))) Prune(ref memory, section + 1, orderedUpTo);

        var value = unchecked((long)other);
        var index = memory.Slab.Column(section, 0).IndexOf(value);
        if (index >= 0)
        {
            var last = memory.Slab.Column(section, 1)[index];
            if (time < last) AddEarlier(ref memory, section, value, time, last, orderedUpTo);
            else if (time > last) MoveLater(ref memory, section, index, value, last, time, orderedUpTo);
            return;
        }

        times = memory.Slab.Column(section, 1);
        if (times.Length == Max)
        {
            if (time < times[0]) return;
            memory.Slab.RemoveAt(section, 0, 1);
            times = memory.Slab.Column(section, 1);
        }
        var place = Series.UpTo(times, time);
        if (place < times.Length) EndIntervals(ref memory, section + 1, value, time);
        memory.Slab.Insert(section, place, value, time);
    }

    /// <summary>The intervals that still answer something.</summary>
    public static int Alive(in EntityMemory memory, int intervals, long orderedUpTo)
    {
        var alive = 0;
        foreach (var to in memory.Slab.Column(intervals, 2))
            if (to > orderedUpTo) alive++;
        return alive;
    }

    private static void MoveLater(ref EntityMemory memory, int section, int index, long value, long last, long time, long orderedUpTo)
    {
        Span<long> values = memory.Slab.Column(section, 0), times = memory.Slab.Column(section, 1);
        var place = Series.UpTo(times, time) - 1;
        values[(index + 1)..(place + 1)].CopyTo(values[index..]);
        times[(index + 1)..(place + 1)].CopyTo(times[index..]);
        values[place] = value;
        times[place] = time;
        memory.Slab[section].IsDirty = true;
        AddInterval(ref memory, section + 1, value, last, time, orderedUpTo);
    }

    private static void AddEarlier(ref EntityMemory memory, int section, long value, long time, long last, long orderedUpTo)
    {
        var intervals = section + 1;
        Span<long> values = memory.Slab.Column(intervals, 0), froms = memory.Slab.Column(intervals, 1), tos = memory.Slab.Column(intervals, 2);
        var next = last;
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] != value || tos[i] <= orderedUpTo) continue; // those are gone, whether or not room was made yet
            if (froms[i] == time) return;
            if (froms[i] < time && time < tos[i])
            {
                next = tos[i];
                tos[i] = time;
                break;
            }
            if (froms[i] > time) next = Math.Min(next, froms[i]);
        }
        memory.Slab[section].IsDirty = true;
        AddInterval(ref memory, intervals, value, time, next, orderedUpTo);
    }

    /// <summary>An other that had left the set is back at an earlier time: its intervals must not count it twice.</summary>
    private static void EndIntervals(ref EntityMemory memory, int intervals, long value, long time)
    {
        Span<long> values = memory.Slab.Column(intervals, 0), froms = memory.Slab.Column(intervals, 1), tos = memory.Slab.Column(intervals, 2);
        for (var i = 0; i < values.Length; i++)
            if (values[i] == value && froms[i] <= time && time < tos[i]) tos[i] = time;
    }

    private static void AddInterval(ref EntityMemory memory, int intervals, long value, long from, long to, long orderedUpTo)
    {
        if (to <= orderedUpTo) return;
        if (memory.Slab[intervals].Count == IntervalsMax) MakeRoom(ref memory, intervals, orderedUpTo);
        memory.Slab.Insert(intervals, memory.Slab[intervals].Count, value, from, to);
    }

    private static void Prune(ref EntityMemory memory, int intervals, long orderedUpTo)
    {
        Span<long> values = memory.Slab.Column(intervals, 0), froms = memory.Slab.Column(intervals, 1), tos = memory.Slab.Column(intervals, 2);
        var kept = 0;
        for (var i = 0; i < tos.Length; i++)
        {
            if (tos[i] <= orderedUpTo) continue;
            (values[kept], froms[kept], tos[kept]) = (values[i], froms[i], tos[i]);
            kept++;
        }
        if (kept < tos.Length) memory.Slab.Truncate(intervals, kept);
    }

    /// <summary>What answers nothing goes; if all do, the one that ended first: records out of order may count one other less.</summary>
    private static void MakeRoom(ref EntityMemory memory, int intervals, long orderedUpTo)
    {
        Span<long> values = memory.Slab.Column(intervals, 0), froms = memory.Slab.Column(intervals, 1), tos = memory.Slab.Column(intervals, 2);
        var earliest = 0;
        for (var i = 1; i < tos.Length; i++)
            if (tos[i] < tos[earliest]) earliest = i;
        if (tos[earliest] <= orderedUpTo)
        {
            Prune(ref memory, intervals, orderedUpTo);
            return;
        }
        (values[earliest], froms[earliest], tos[earliest]) = (values[^1], froms[^1], tos[^1]);
        memory.Slab.Truncate(intervals, tos.Length - 1);
    }
}
