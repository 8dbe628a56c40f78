using System.Numerics;

namespace Promotions.Features.State;

/// <summary>The ids counted within grace, so that a retry in flight is not a second attempt.</summary>
/// <remarks>In order of arrival: the latest in the slab, full segments of 256 beside it. What no retry can meet any more goes at each addition while
/// few are kept, and at powers of two beyond that, so a typical entity holds one to four. At the bound (16,384 ids of one entity in grace, 27 a second)
/// the oldest segment is forgotten: such an entity may count a retry twice, one in thousands; its customer, far below the bound, never does.</remarks>
internal static class RequestIds
{
    /// <summary>Up to here, ids lie in the root tile.</summary>
    public const int InlineMax = 32;

    public const int SegmentsMax = 64;

    /// <param name="orderedUpTo">Newest − grace.</param>
    public static bool Contains(ref EntityMemory memory, ulong id, long time, long orderedUpTo)
    {
        var section = memory.Plan.IdsSection;
        var known = orderedUpTo - Windows.Grace;
        var wanted = unchecked((long)id);
        if (Contains(memory.Slab.Column(section, 0), memory.Slab.Column(section, 1), wanted, time, known)) return true;
        if (memory.Branches is not { Segments.Count: > 0 } branches) return false;
        foreach (var segment in branches.Segments)
            if (segment.Latest > known && segment.MayContain(wanted) && Contains(segment.Ids, segment.Times, wanted, time, known)) return true;
        return false;
    }

    public static void Add(ref EntityMemory memory, ulong id, long time, long orderedUpTo)
    {
        var section = memory.Plan.IdsSection;
        var known = orderedUpTo - Windows.Grace;
        if (memory.Branches is { Segments.Count: > 0 } branches) DropOld(branches, known);
        int count = memory.Slab[section].Count;
        if (count > 0 && (count <= InlineMax || BitOperations.IsPow2(count))) Prune(ref memory, section, known);
        if (memory.Slab[section].Count == IdSegment.Max) Detach(ref memory, section);
        memory.Slab.Insert(section, memory.Slab[section].Count, unchecked((long)id), time);
    }

    /// <summary>The ids that a retry could still meet.</summary>
    public static int Alive(in EntityMemory memory, long orderedUpTo)
    {
        var alive = 0;
        foreach (var time in memory.Slab.Column(memory.Plan.IdsSection, 1))
            if (time > orderedUpTo - Windows.Grace) alive++;
        return alive;
    }

    private static bool Contains(ReadOnlySpan<long> ids, ReadOnlySpan<long> times, long id, long time, long known)
    {
        var from = 0;
        while (true)
        {
            var found = ids[from..].IndexOf(id);
            if (found < 0) return false;
            from += found;
            if (times[from] > known && Math.Abs(times[from] - time) <= Windows.Grace) return true;
            from++;
        }
    }

    private static void DropOld(Branches branches, long known)
    {
        for (var drops = 0; drops < 2 && branches.Segments.Count > 0 && branches.Segments[0].Latest <= known; drops++) DropFirst(branches);
    }

    private static void DropFirst(Branches branches)
    {
        var first = branches.Segments[0];
        if (first.Stored) branches.Delete(first.Tile);
        branches.Segments.RemoveAt(0);
    }

    private static void Prune(ref EntityMemory memory, int section, long known)
    {
        Span<long> ids = memory.Slab.Column(section, 0), times = memory.Slab.Column(section, 1);
        var kept = 0;
        for (var i = 0; i < times.Length; i++)
        {
            if (times[i] <= known) continue;
            (ids[kept], times[kept]) = (ids[i], times[i]);
            kept++;
        }
        if (kept < times.Length) memory.Slab.Truncate(section, kept);
    }

    private static void Detach(ref EntityMemory memory, int section)
    {
        var branches = memory.Branch();
        branches.Segments.Add(new(branches.Take(), memory.Slab.Column(section, 0), memory.Slab.Column(section, 1)));
        if (branches.Segments.Count == SegmentsMax) DropFirst(branches);
        memory.Slab.Truncate(section, 0);
    }
}

/// <summary>256 ids that came in turn, and never change: a tile.</summary>
internal sealed class IdSegment
{
    public const int Max = 256;

    /// <summary>The object and its arrays, each with its header.</summary>
    public const long SizeBytes = 64 + (3 * 24) + (Max * 16) + (FilterWords * 8);

    private const int FilterWords = 64; // 16 bits an id: in one of 70 looks for a strange id a segment is searched for nothing

    private readonly long[] _filter = new long[FilterWords];

    public IdSegment(uint tile, ReadOnlySpan<long> ids, ReadOnlySpan<long> times)
    {
        (Tile, Ids, Times) = (tile, ids.ToArray(), times.ToArray());
        foreach (var time in Times) Latest = Math.Max(Latest, time);
        foreach (var id in Ids)
        {
            var (first, second) = BitsOf(id);
            _filter[first >> 6] |= 1L << (first & 63);
            _filter[second >> 6] |= 1L << (second & 63);
        }
    }

    public uint Tile { get; }
    public long[] Ids { get; }
    public long[] Times { get; }
    public long Latest { get; } = long.MinValue;
    public bool Stored { get; set; }

    public bool MayContain(long id)
    {
        var (first, second) = BitsOf(id);
        return (_filter[first >> 6] & (1L << (first & 63))) != 0 && (_filter[second >> 6] & (1L << (second & 63))) != 0;
    }

    public void Write(ref TileEncoder to)
    {
        to.Unsigned(Tile);
        RootTile.WriteIds(ref to, Ids, Times, 0);
    }

    /// <exception cref="InvalidDataException">Another tile, or torn.</exception>
    public static IdSegment Read(uint tile, ref TileDecoder from)
    {
        if (from.UInt32() != tile) throw TileDecoder.Torn("a tile lies under another's number");
        Span<long> ids = stackalloc long[Max], times = stackalloc long[Max];
        RootTile.ReadIds(ref from, ids, times, 0);
        from.End();
        return new(tile, ids, times) { Stored = true };
    }

    /// <summary>Two of the filter's bits. Ids are hashes already; the product makes numbers in turn as good as hashes.</summary>
    private static (int First, int Second) BitsOf(long id)
    {
        var mixed = unchecked((ulong)id * 0x9E3779B97F4A7C15UL);
        return ((int)(mixed >> 52), (int)((mixed >> 40) & 0xFFF));
    }
}
