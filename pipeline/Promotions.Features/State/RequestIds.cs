namespace Promotions.Features.State;

/// <summary>The ids counted within grace, so that a retry in flight is not a second attempt.</summary>
/// <remarks>In order of arrival, in segments that are tiles once there is more than one. At the bound (16,384 ids of one entity in grace, 27 a second)
/// the oldest segment is forgotten: such an entity may count a retry twice, one in thousands; its customer, far below the bound, never does.</remarks>
internal sealed class RequestIds
{
    private const int SegmentMax = 256;
    private const int SegmentsMax = 64;
    private const int InlineMax = 32;

    private sealed class Segment(uint tile, int capacity)
    {
        public readonly uint Tile = tile;
        public ulong[] Ids = new ulong[capacity];
        public long[] Times = new long[capacity];
        public int Count;
        public long Latest = long.MinValue;
        public bool IsDirty, Stored;

        public long SizeBytes => 130 + (Ids.Length * 16L);
    }

    private Segment? _last;
    private List<Segment>? _full;

    public long SizeBytes
    {
        get
        {
            var bytes = 32 + (_last?.SizeBytes ?? 0);
            if (_full is { Count: > 0 }) bytes += 64 + (_full.Count * _full[0].SizeBytes);
            return bytes;
        }
    }

    /// <param name="orderedUpTo">Newest − grace.</param>
    public bool Contains(ulong id, long time, long orderedUpTo)
    {
        if (_last is null) return false;
        var known = orderedUpTo - Windows.Grace;
        if (Contains(_last, id, time, known)) return true;
        if (_full is not null)
            for (var i = _full.Count - 1; i >= 0; i--)
                if (Contains(_full[i], id, time, known)) return true;
        return false;
    }

    public void Add(TileSpace space, ulong id, long time, long orderedUpTo)
    {
        var known = orderedUpTo - Windows.Grace;
        _last ??= new(space.Take(), 1);
        DropOld(space, known);
        if (_last.Count == _last.Ids.Length) MakeRoom(space, known);
        _last.Ids[_last.Count] = id;
        _last.Times[_last.Count++] = time;
        _last.Latest = Math.Max(_last.Latest, time);
        _last.IsDirty = true;
    }

    public void Write(TileSpace space, ref TileCursor root, ITileWriter writer, Span<byte> buffer)
    {
        root.Byte((byte)(_full?.Count ?? 0));
        if (_full is not null)
            foreach (var segment in _full)
            {
                root.UInt32(segment.Tile);
                Put(space, segment, writer, buffer);
            }
        var inline = _last is null || _last.Count <= InlineMax;
        root.Byte(_last is null ? (byte)0 : inline ? (byte)1 : (byte)2);
        if (_last is null) return;
        root.UInt32(_last.Tile);
        if (!inline)
        {
            Put(space, _last, writer, buffer);
            return;
        }
        if (_last.Stored) space.Delete(_last.Tile);
        _last.Stored = false;
        Write(_last, ref root);
    }

    public static RequestIds Read(TileSpace space, ref TileCursor root)
    {
        var ids = new RequestIds();
        var full = root.ReadByte();
        if (full > 0) ids._full = new(full);
        for (var i = 0; i < full; i++) ids._full!.Add(Load(space, root.ReadUInt32()));
        var form = root.ReadByte();
        if (form == 0) return ids;
        var tile = root.ReadUInt32();
        ids._last = form == 1 ? Read(tile, ref root) : Load(space, tile);
        return ids;
    }

    private static bool Contains(Segment segment, ulong id, long time, long known)
    {
        var from = 0;
        while (true)
        {
            var found = segment.Ids.AsSpan(from, segment.Count - from).IndexOf(id);
            if (found < 0) return false;
            from += found;
            if (segment.Times[from] > known && Math.Abs(segment.Times[from] - time) <= Windows.Grace) return true;
            from++;
        }
    }

    private void DropOld(TileSpace space, long known)
    {
        for (var drops = 0; drops < 2 && _full is { Count: > 0 } && _full[0].Latest <= known; drops++) DropFirst(space);
    }

    private void DropFirst(TileSpace space)
    {
        if (_full![0].Stored) space.Delete(_full[0].Tile);
        _full.RemoveAt(0);
    }

    private void MakeRoom(TileSpace space, long known)
    {
        var last = _last!;
        var kept = 0;
        last.Latest = long.MinValue;
        for (var i = 0; i < last.Count; i++)
        {
            if (last.Times[i] <= known) continue;
            last.Ids[kept] = last.Ids[i];
            last.Times[kept] = last.Times[i];
            last.Latest = Math.Max(last.Latest, last.Times[kept++]);
        }
        last.Count = kept;
        if (kept < last.Ids.Length) return;
        if (kept < SegmentMax)
        {
            Array.Resize(ref last.Ids, Math.Min(SegmentMax, kept * 2));
            Array.Resize(ref last.Times, last.Ids.Length);
            return;
        }
        (_full ??= []).Add(last);
        if (_full.Count == SegmentsMax) DropFirst(space);
        _last = new(space.Take(), SegmentMax);
    }

    private static void Put(TileSpace space, Segment segment, ITileWriter writer, Span<byte> buffer)
    {
        if (!segment.IsDirty && segment.Stored) return;
        var to = new TileCursor(buffer);
        Write(segment, ref to);
        var key = space.Key;
        writer.Put(in key, segment.Tile, to.Written);
        segment.Stored = true;
        segment.IsDirty = false;
    }

    private static void Write(Segment segment, ref TileCursor to)
    {
        to.UInt32((uint)segment.Count);
        to.UInt32((uint)segment.Ids.Length); // room is made when full, so equal histories need equal room
        to.Int64(segment.Latest);
        to.Many<ulong>(segment.Ids.AsSpan(0, segment.Count));
        to.Many<long>(segment.Times.AsSpan(0, segment.Count));
    }

    private static Segment Load(TileSpace space, uint tile)
    {
        Span<byte> buffer = stackalloc byte[Tile.BytesMax];
        var from = new TileCursor(buffer[..space.Read(tile, buffer)]);
        var segment = Read(tile, ref from);
        segment.Stored = true;
        return segment;
    }

    private static Segment Read(uint tile, ref TileCursor from)
    {
        var count = (int)from.ReadUInt32();
        var segment = new Segment(tile, (int)from.ReadUInt32()) { Count = count, Latest = from.ReadInt64() };
        from.ReadMany(segment.Ids.AsSpan(0, count));
        from.ReadMany(segment.Times.AsSpan(0, count));
        return segment;
    }
}
