namespace Promotions.Features.State;

/// <summary>Events of one sort in order of time, that answer "how many, and how much, up to x" from any x.</summary>
/// <remarks>A counted B+ tree whose nodes are tiles. Window (a, b] is the difference of two prefixes, so nothing has to be expired for an answer to
/// be right, and each answer reads one node per level. Old leaves are dropped two per insert, whatever has become old in the meantime.</remarks>
internal sealed class Series
{
    private const int InlineMax = 32;
    private const int DropsPerInsertMax = 2;

    private SeriesNode? _root;
    private long _bytes = 40;

    public bool IsEmpty => _root is null || _root.Count == 0;
    public long SizeBytes => _bytes;

    /// <summary>How many and how much at or before x.</summary>
    public Totals UpTo(TileSpace space, long x)
    {
        if (_root is null) return default;
        long count = 0, sum = 0;
        var node = _root;
        unchecked
        {
            while (true)
            {
                space.Touches++;
                node.Touched = true;
                var index = node.UpTo(x);
                if (node.Height == 0) return new(count + index, sum + SeriesNode.SumOf(node.Values[..index]));
                if (index == 0) return new(count, sum);
                count += SeriesNode.SumOf(node.Counts[..(index - 1)]);
                sum += SeriesNode.SumOf(node.Values[..(index - 1)]);
                node = Child(space, node, index - 1);
            }
        }
    }

    /// <summary>The latest time at or before x; <see cref="long.MinValue"/> when there is none.</summary>
    public long LatestUpTo(TileSpace space, long x)
    {
        var node = _root;
        while (node is not null)
        {
            space.Touches++;
            node.Touched = true;
            var index = node.UpTo(x);
            if (index == 0) return long.MinValue;
            if (node.Height == 0) return node.Times[index - 1];
            node = Child(space, node, index - 1);
        }
        return long.MinValue;
    }

    /// <summary>Adds an event, behind those of equal time, and drops some of what lies at or before the horizon.</summary>
    public void Insert(TileSpace space, long time, long value, long horizon)
    {
        if (time <= horizon) return;
        _root ??= Track(new SeriesNode(space.Take(), 0, 2));
        Drop(space, horizon);
        var right = Insert(space, _root, time, value);
        if (right is null) return;
        var root = Track(new SeriesNode(space.Take(), _root.Height + 1, 0));
        root.Insert(0, _root.Times[0], _root.Total.Sum, _root.Total, _root);
        root.Insert(1, right.Times[0], right.Total.Sum, right.Total, right);
        _root = root;
    }

    public void WriteRoot(TileSpace space, ref TileCursor to)
    {
        var inline = _root is null || (_root.Height == 0 && _root.Count <= InlineMax);
        to.Byte(_root is null ? (byte)0 : inline ? (byte)1 : (byte)2);
        if (_root is null) return;
        if (!inline)
        {
            to.UInt32(_root.Id);
            return;
        }
        if (_root.Stored) space.Delete(_root.Id);
        _root.Stored = false;
        _root.Write(ref to);
        _root.IsDirty = false;
    }

    public static Series ReadRoot(TileSpace space, ref TileCursor from)
    {
        var series = new Series();
        var form = from.ReadByte();
        if (form == 1) series._root = series.Track(SeriesNode.Read(ref from));
        else if (form == 2) series._root = series.Track(Load(space, from.ReadUInt32()));
        return series;
    }

    /// <summary>Puts changed nodes. Comes before <see cref="WriteRoot"/> marks an inline root clean.</summary>
    public void WriteNodes(TileSpace space, ITileWriter writer, Span<byte> buffer)
    {
        if (_root is null || (_root.Height == 0 && _root.Count <= InlineMax)) return;
        Write(space, _root, writer, buffer);
    }

    /// <summary>Lets go of clean nodes below the root that nothing touched since the last call.</summary>
    public void Release()
    {
        if (_root is { Height: > 0 }) Release(_root);
    }

    private SeriesNode? Insert(TileSpace space, SeriesNode node, long time, long value)
    {
        space.Touches++;
        node.Touched = node.IsDirty = true;
        var index = node.UpTo(time);
        if (node.Height == 0) return Place(space, node, index, time, value);

        if (index == 0)
        {
            node.Times[0] = time;
            index = 1;
        }
        var child = Child(space, node, index - 1);
        unchecked
        {
            node.Counts[index - 1]++;
            node.Values[index - 1] += value;
        }
        var right = Insert(space, child, time, value);
        if (right is null) return null;
        var (left, added) = (child.Total, right.Total);
        node.Counts[index - 1] = left.Count;
        node.Values[index - 1] = left.Sum;
        return Place(space, node, index, right.Times[0], added.Sum, added, right);
    }

    /// <summary>Into the node, or into a new right neighbour. At the end nothing is halved: what comes in order fills nodes.</summary>
    private SeriesNode? Place(TileSpace space, SeriesNode node, int index, long time, long value, Totals child = default, SeriesNode? added = null)
    {
        var before = node.SizeBytes;
        if (!node.IsFull)
        {
            node.Insert(index, time, value, child, added);
            _bytes += node.SizeBytes - before;
            return null;
        }
        var right = index == node.Count ? new SeriesNode(space.Take(), node.Height, 2) : node.Halve(space.Take());
        if (index >= node.Count) right.Insert(index - node.Count, time, value, child, added);
        else node.Insert(index, time, value, child, added);
        Track(right);
        return right;
    }

    private void Drop(TileSpace space, long horizon)
    {
        if (_root!.Height == 0)
        {
            if (_root.Count > 0 && _root.Times[0] <= horizon) _root.RemoveFirst(_root.UpTo(horizon));
            return;
        }
        for (var drops = 0; drops < DropsPerInsertMax && _root.Height > 0; drops++)
        {
            if (DropFirst(space, _root, long.MaxValue, horizon).Count == 0) break;
            while (_root.Height > 0 && _root.Count == 1)
            {
                var only = Child(space, _root, 0);
                Remove(space, _root);
                _root = only;
            }
        }
    }

    /// <summary>Drops the oldest leaf if all of it is old, which the next leaf's first time tells without reading it.</summary>
    private Totals DropFirst(TileSpace space, SeriesNode node, long nextFirst, long horizon)
    {
        space.Touches++;
        if (node.Count > 1) nextFirst = node.Times[1];
        if (nextFirst > horizon) return default;
        Totals dropped;
        if (node.Height == 1)
        {
            dropped = new(node.Counts[0], node.Values[0]);
            RemoveFirst(space, node);
            return dropped;
        }
        var child = Child(space, node, 0);
        dropped = DropFirst(space, child, nextFirst, horizon);
        if (dropped.Count == 0) return dropped;
        unchecked
        {
            node.Counts[0] -= dropped.Count;
            node.Values[0] -= dropped.Sum;
        }
        node.IsDirty = true;
        if (child.Count == 0) RemoveFirst(space, node);
        else node.Times[0] = child.Times[0];
        return dropped;
    }

    private void RemoveFirst(TileSpace space, SeriesNode node)
    {
        var child = node.Children[0];
        if (child is null) space.Delete(node.Ids[0]); // not loaded, so it is stored
        else Remove(space, child);
        node.RemoveFirst(1);
    }

    private void Remove(TileSpace space, SeriesNode node)
    {
        _bytes -= node.SizeBytes;
        if (node.Stored) space.Delete(node.Id);
    }

    private SeriesNode Child(TileSpace space, SeriesNode node, int index) => node.Children[index] ??= Track(Load(space, node.Ids[index]));

    private SeriesNode Track(SeriesNode node)
    {
        _bytes += node.SizeBytes;
        return node;
    }

    private static SeriesNode Load(TileSpace space, uint tile)
    {
        Span<byte> buffer = stackalloc byte[Tile.BytesMax];
        var from = new TileCursor(buffer[..space.Read(tile, buffer)]);
        var node = SeriesNode.Read(ref from);
        node.Stored = true;
        return node;
    }

    /// <summary>A changed node's ancestors are changed too, so clean ones need no visit.</summary>
    private static void Write(TileSpace space, SeriesNode node, ITileWriter writer, Span<byte> buffer)
    {
        if (!node.IsDirty) return;
        foreach (var child in node.Children)
            if (child is not null) Write(space, child, writer, buffer);
        var to = new TileCursor(buffer);
        node.Write(ref to);
        var key = space.Key;
        writer.Put(in key, node.Id, to.Written);
        node.IsDirty = false;
        node.Stored = true;
    }

    private void Release(SeriesNode node)
    {
        for (var i = 0; i < node.Count; i++)
        {
            var child = node.Children[i];
            if (child is null) continue;
            if (child.Height > 0) Release(child);
            if (child is { IsDirty: false, Stored: true, Touched: false } && !HasChildren(child))
            {
                _bytes -= child.SizeBytes;
                node.Children[i] = null;
            }
            child.Touched = false;
        }
    }

    private static bool HasChildren(SeriesNode node)
    {
        foreach (var child in node.Children)
            if (child is not null) return true;
        return false;
    }
}
