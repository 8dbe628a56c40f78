using System.Runtime.CompilerServices;

namespace Promotions.Features.State;

/// <summary>An entity as bytes: the root tile, and tiles of their own for sections that are long.</summary>
/// <remarks>
/// Root: format, layout (4 bytes), newest, newest − first, next free tile, segments' tiles, then for each section its length, then their contents.
/// Times are steps, the first from newest; amounts and lengths are short when small; hashes are 8 bytes. Equal states write equal bytes:
/// what answers nothing any more is not written into a root, and a tile of its own holds the section as it was when it last changed.
/// <para>Nothing exceeds 16 KB, whatever the times and amounts: in the root at most 5 × 64 events of 20 bytes, 5 × (32 others of 18 + 32 intervals of 29),
/// 32 ids of 18, 63 segments of 5 and 100 in front make 15 KB. In a tile of its own a set has at most 512 others of 8 + 9 (that many
/// ascending times cannot all be further apart) and 256 intervals of 29: 16,138. A leaf has 256 × 20, a segment 256 × 18.</para>
/// </remarks>
internal static class RootTile
{
    private const int SeriesInlineMax = 64;
    private const uint FirstSeriesTile = 1;
    private const uint FirstOtherTile = FirstSeriesTile + EntityPlan.SeriesCount;
    private const uint IdsTile = FirstOtherTile + EntityPlan.OtherCount;

    private static readonly uint Layout = unchecked((uint)(FeatureRegistry.LayoutHash ^ (FeatureRegistry.LayoutHash >> 32)));

    /// <summary>Writes what changed; the root always.</summary>
    [SkipLocalsInit]
    public static void Write(ref EntityMemory memory, long newest, long first, long orderedUpTo, ITileWriter writer)
    {
        Span<byte> bytes = stackalloc byte[Tile.BytesMax], buffer = stackalloc byte[Tile.BytesMax];
        memory.Branches?.Write(writer, buffer);
        var root = new TileEncoder(bytes);
        WriteHead(ref root, in memory, newest, first, orderedUpTo);
        var (plan, slab) = (memory.Plan, memory.Slab);

        for (var s = 0; s < EntityPlan.SeriesCount; s++)
        {
            if (plan.SeriesSections[s] is var section && section == EntityPlan.None) continue;
            var values = plan.HasValues[s] ? slab.Column(section, 1) : default;
            if (IsPutNow(in memory, section, section, EventsAreOwn(in slab, section), FirstSeriesTile + (uint)s, writer))
            {
                var own = new TileEncoder(buffer);
                WriteEvents(ref own, slab.Column(section, 0), values, 0);
                Put(in memory, FirstSeriesTile + (uint)s, own, writer);
            }
            if (!slab[section].Stored) WriteEvents(ref root, slab.Column(section, 0), values, newest);
        }
        for (var o = 0; o < EntityPlan.OtherCount; o++)
        {
            if (plan.OtherSections[o] is var section && section == EntityPlan.None) continue;
            if (IsPutNow(in memory, section, section + 1, OthersAreOwn(in slab, section), FirstOtherTile + (uint)o, writer))
            {
                var own = new TileEncoder(buffer);
                WriteOthers(ref own, slab, section, 0, long.MinValue);
                Put(in memory, FirstOtherTile + (uint)o, own, writer);
            }
            if (!slab[section].Stored) WriteOthers(ref root, slab, section, newest, orderedUpTo);
        }

        Span<long> ids = slab.Column(plan.IdsSection, 0), times = slab.Column(plan.IdsSection, 1);
        if (IsPutNow(in memory, plan.IdsSection, plan.IdsSection, IdsAreOwn(in slab, plan.IdsSection), IdsTile, writer))
        {
            var own = new TileEncoder(buffer);
            WriteIds(ref own, ids, times, 0);
            Put(in memory, IdsTile, own, writer);
        }
        if (!slab[plan.IdsSection].Stored) WriteIds(ref root, ids, times, newest, orderedUpTo - Windows.Grace);

        var key = memory.Key;
        writer.Put(in key, Tile.Root, root.Written);
    }

    /// <summary>Reads the root, and what lies in tiles of its own but for trees below their roots.</summary>
    /// <exception cref="InvalidDataException">Another format or layout, or torn.</exception>
    [SkipLocalsInit]
    public static (long Newest, long First) Read(ref EntityMemory memory, ReadOnlySpan<byte> bytes)
    {
        var root = new TileDecoder(bytes);
        var newest = ReadNewest(ref root);
        var first = unchecked(newest - root.Signed());
        ReadBranches(ref root, ref memory);
        var plan = memory.Plan;
        Span<bool> isOwn = stackalloc bool[plan.Sections];
        Span<int> counts = stackalloc int[plan.Sections];
        ReadLengths(ref root, ref memory, counts, isOwn);

        Span<int> capacities = stackalloc int[plan.Sections];
        for (var i = 0; i < counts.Length; i++) capacities[i] = Slab.RoomFor(counts[i]);
        if (plan.SeriesSections[(int)SeriesKind.Attempts] is var attempts && counts[attempts] < Series.Max && memory.Tree((int)SeriesKind.Attempts) is null)
            capacities[attempts] = Slab.RoomFor(counts[attempts] + 1); // read to be observed again, usually
        memory.Slab = plan.NewSlab(capacities);
        var slab = memory.Slab;
        for (var i = 0; i < counts.Length; i++)
        {
            ref var section = ref slab[i];
            (section.Count, section.Stored) = ((ushort)counts[i], isOwn[i]);
        }

        Span<byte> buffer = stackalloc byte[Tile.BytesMax];
        for (var s = 0; s < EntityPlan.SeriesCount; s++)
        {
            if (plan.SeriesSections[s] is var section && section == EntityPlan.None) continue;
            var values = plan.HasValues[s] ? slab.Column(section, 1) : default;
            if (!isOwn[section])
            {
                ReadEvents(ref root, slab.Column(section, 0), values, newest);
                continue;
            }
            var own = Open(in memory, FirstSeriesTile + (uint)s, buffer);
            ReadEvents(ref own, slab.Column(section, 0), values, 0);
            own.End();
        }
        for (var o = 0; o < EntityPlan.OtherCount; o++)
        {
            if (plan.OtherSections[o] is var section && section == EntityPlan.None) continue;
            if (!isOwn[section])
            {
                ReadOthers(ref root, slab, section, newest);
                continue;
            }
            var own = Open(in memory, FirstOtherTile + (uint)o, buffer);
            ReadOthers(ref own, slab, section, 0);
            own.End();
        }
        Span<long> ids = slab.Column(plan.IdsSection, 0), idTimes = slab.Column(plan.IdsSection, 1);
        if (isOwn[plan.IdsSection])
        {
            var own = Open(in memory, IdsTile, buffer);
            ReadIds(ref own, ids, idTimes, 0);
            own.End();
        }
        else
        {
            ReadIds(ref root, ids, idTimes, newest);
        }
        root.End();
        return (newest, first);
    }

    /// <summary>Checks format and layout, and reads the newest event time.</summary>
    public static long ReadNewest(ref TileDecoder root)
    {
        var format = root.Byte();
        if (format != EntityState.StateFormat)
            throw new InvalidDataException($"Feature state has format {format}, this program {EntityState.StateFormat}: rebuild it from the log.");
        var layout = root.Fixed32();
        if (layout != Layout)
            throw new InvalidDataException($"Feature state has layout {layout:x8}, this program {Layout:x8}: rebuild it from the log.");
        return root.Signed();
    }

    /// <param name="known">Ids at or before it are left out.</param>
    public static void WriteIds(ref TileEncoder to, ReadOnlySpan<long> ids, ReadOnlySpan<long> times, long near, long known = long.MinValue)
    {
        for (var i = 0; i < ids.Length; i++)
        {
            if (times[i] <= known) continue;
            to.Fixed(ids[i]);
            to.Signed(unchecked(times[i] - near));
            near = times[i];
        }
    }

    public static void ReadIds(ref TileDecoder from, scoped Span<long> ids, scoped Span<long> times, long near)
    {
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = from.Fixed();
            times[i] = near = unchecked(near + from.Signed());
        }
    }

    private static bool EventsAreOwn(in Slab slab, int section) => slab[section].Count > SeriesInlineMax;
    private static bool OthersAreOwn(in Slab slab, int section) => slab[section].Count > OtherSet.InlineMax || slab[section + 1].Count > OtherSet.InlineMax;
    private static bool IdsAreOwn(in Slab slab, int section) => slab[section].Count > RequestIds.InlineMax;

    private static void WriteHead(ref TileEncoder root, in EntityMemory memory, long newest, long first, long orderedUpTo)
    {
        root.Byte(EntityState.StateFormat);
        root.Fixed32(Layout);
        root.Signed(newest);
        root.Signed(unchecked(newest - first));
        var (plan, slab, branches) = (memory.Plan, memory.Slab, memory.Branches);
        root.Unsigned(branches is null ? 0 : branches.Next - Branches.FirstFree);
        root.Unsigned((ulong)(branches?.Segments.Count ?? 0));
        if (branches is not null)
            foreach (var segment in branches.Segments) root.Unsigned(segment.Tile);

        // Length × 2, + 1 where a tile of its own has it; 1 for a tree, whose root's tile follows.
        for (var s = 0; s < EntityPlan.SeriesCount; s++)
        {
            var section = plan.SeriesSections[s];
            if (section == EntityPlan.None) continue;
            if (memory.Tree(s) is { } tree)
            {
                root.Unsigned(1);
                root.Unsigned(tree.Root.Id);
            }
            else
            {
                Length(ref root, slab[section].Count, EventsAreOwn(in slab, section));
            }
        }
        for (var o = 0; o < EntityPlan.OtherCount; o++)
        {
            var section = plan.OtherSections[o];
            if (section == EntityPlan.None) continue;
            var own = OthersAreOwn(in slab, section);
            Length(ref root, slab[section].Count, own);
            Length(ref root, own ? slab[section + 1].Count : OtherSet.Alive(in memory, section + 1, orderedUpTo), own);
        }
        var idsOwn = IdsAreOwn(in slab, plan.IdsSection);
        Length(ref root, idsOwn ? slab[plan.IdsSection].Count : RequestIds.Alive(in memory, orderedUpTo), idsOwn);

        static void Length(ref TileEncoder root, int length, bool own) => root.Unsigned(((ulong)length << 1) | (own ? 1UL : 0));
    }

    private static void ReadBranches(ref TileDecoder root, ref EntityMemory memory)
    {
        var given = root.UInt32();
        var segments = root.Count(RequestIds.SegmentsMax - 1);
        if (given == 0 && segments == 0) return;
        if (given > uint.MaxValue - Branches.FirstFree) throw TileDecoder.Torn("a tile's number is too large");
        var branches = memory.Branch();
        branches.Next = Branches.FirstFree + given;
        for (var i = 0; i < segments; i++) branches.Segments.Add(branches.ReadSegment(root.UInt32()));
    }

    private static void ReadLengths(ref TileDecoder root, ref EntityMemory memory, scoped Span<int> counts, scoped Span<bool> isOwn)
    {
        var plan = memory.Plan;
        for (var s = 0; s < EntityPlan.SeriesCount; s++)
        {
            var section = plan.SeriesSections[s];
            if (section == EntityPlan.None) continue;
            Length(ref root, section, Series.Max, counts, isOwn);
            if (!isOwn[section] || counts[section] > 0) continue;
            isOwn[section] = false;
            var branches = memory.Branch();
            branches.Trees[s] = SeriesTree.Read(branches, root.UInt32(), plan.HasValues[s]);
        }
        for (var o = 0; o < EntityPlan.OtherCount; o++)
        {
            var section = plan.OtherSections[o];
            if (section == EntityPlan.None) continue;
            Length(ref root, section, OtherSet.Max, counts, isOwn);
            Length(ref root, section + 1, OtherSet.IntervalsMax, counts, isOwn);
            isOwn[section + 1] = false; // lies in the set's tile
        }
        Length(ref root, plan.IdsSection, IdSegment.Max, counts, isOwn);

        static void Length(ref TileDecoder root, int section, int max, scoped Span<int> counts, scoped Span<bool> isOwn)
        {
            var length = root.Count((max << 1) | 1);
            (counts[section], isOwn[section]) = (length >> 1, (length & 1) != 0);
        }
    }

    /// <summary>Whether a tile of its own is to be put now. One that is not needed any more is deleted.</summary>
    /// <param name="second">A section that lies in the same tile, or the same again.</param>
    private static bool IsPutNow(in EntityMemory memory, int section, int second, bool own, uint tile, ITileWriter writer)
    {
        var slab = memory.Slab;
        var key = memory.Key;
        var put = own && (!slab[section].Stored || slab[section].IsDirty || slab[second].IsDirty);
        if (!own && slab[section].Stored) writer.Delete(in key, tile);
        slab[section].Stored = own;
        slab[section].IsDirty = slab[second].IsDirty = false;
        return put;
    }

    private static void Put(in EntityMemory memory, uint tile, in TileEncoder own, ITileWriter writer)
    {
        var key = memory.Key;
        writer.Put(in key, tile, own.Written);
    }

    private static TileDecoder Open(in EntityMemory memory, uint tile, Span<byte> buffer)
    {
        var key = memory.Key;
        var length = memory.Reader.Read(in key, tile, buffer);
        return length >= 0 ? new(buffer[..length]) : throw TileDecoder.Torn($"tile {tile} of a {key.Kind} is missing");
    }

    private static void WriteEvents(ref TileEncoder to, ReadOnlySpan<long> times, ReadOnlySpan<long> values, long near)
    {
        to.Times(times, near);
        foreach (var value in values) to.Signed(value);
    }

    private static void ReadEvents(ref TileDecoder from, scoped Span<long> times, scoped Span<long> values, long near)
    {
        from.Times(times, near);
        foreach (ref var value in values) value = from.Signed();
    }

    /// <param name="orderedUpTo">Intervals that end at or before it are left out.</param>
    private static void WriteOthers(ref TileEncoder to, in Slab slab, int section, long near, long orderedUpTo)
    {
        ReadOnlySpan<long> others = slab.Column(section, 0), seen = slab.Column(section, 1);
        to.Times(seen, near);
        foreach (var other in others) to.Fixed(other);
        ReadOnlySpan<long> values = slab.Column(section + 1, 0), froms = slab.Column(section + 1, 1), tos = slab.Column(section + 1, 2);
        var last = seen.IsEmpty ? near : seen[^1];
        for (var i = 0; i < values.Length; i++)
        {
            if (tos[i] <= orderedUpTo) continue;
            var index = others.IndexOf(values[i]) + 1; // nearly always still in the set
            to.Unsigned((ulong)index);
            if (index == 0) to.Fixed(values[i]);
            to.Signed(unchecked(tos[i] - last));
            to.Unsigned(unchecked((ulong)(tos[i] - froms[i])));
        }
    }

    private static void ReadOthers(ref TileDecoder from, in Slab slab, int section, long near)
    {
        Span<long> others = slab.Column(section, 0), seen = slab.Column(section, 1);
        from.Times(seen, near);
        foreach (ref var other in others) other = from.Fixed();
        Span<long> values = slab.Column(section + 1, 0), froms = slab.Column(section + 1, 1), tos = slab.Column(section + 1, 2);
        var last = seen.IsEmpty ? near : seen[^1];
        for (var i = 0; i < values.Length; i++)
        {
            var index = from.Count(others.Length);
            values[i] = index == 0 ? from.Fixed() : others[index - 1];
            tos[i] = unchecked(last + from.Signed());
            froms[i] = unchecked(tos[i] - (long)from.Unsigned());
            if (froms[i] > tos[i]) throw TileDecoder.Torn("an interval ends before it begins");
        }
    }
}
