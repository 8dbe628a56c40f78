namespace Promotions.Features.State;

/// <summary>A series of more events than a slab takes: a counted B+ tree whose nodes are tiles.</summary>
/// <remarks>Window (a, b] is the difference of two prefixes, so nothing has to be expired for an answer to be right, and each answer reads one node
/// per level. Old leaves are dropped two per insert, whatever has become old in the meantime.</remarks>
internal sealed class SeriesTree
{
    private const int DropsPerInsertMax = 2;
    private const int ObjectBytes = 48;

    private readonly Branches _space;
    private readonly bool _hasValues;
    private SeriesNode _root;
    private long _bytes = ObjectBytes;

    private SeriesTree(Branches space, bool hasValues, SeriesNode root)
    {
        (_space, _hasValues) = (space, hasValues);
        _root = Track(root);
    }

    public long SizeBytes => _bytes;

    /// <summary>Of height 0 between calls of the owner only: it takes such a root back into the slab.</summary>
    public SeriesNode Root => _root;

    /// <summary>A tree of one leaf with the events of a slab's section.</summary>
    public static SeriesTree Plant(Branches space, ReadOnlySpan<long> times, ReadOnlySpan<long> values, bool hasValues) =>
        new(space, hasValues, new SeriesNode(space.Take(), times, values, hasValues));

    public static SeriesTree Read(Branches space, uint tile, bool hasValues)
    {
        var root = space.ReadNode(tile, null, hasValues);
        return root.Height > 0 ? new(space, hasValues, root) : throw TileDecoder.Torn("a tree is a leaf");
    }

    /// <summary>How many and how much at or before x.</summary>
    public Totals UpTo(long x)
    {
        long count = 0, sum = 0;
        var node = _root;
        unchecked
        {
            while (true)
            {
                Touch(node);
                var index = node.UpTo(x);
                var whole = node.Height == 0 ? index : index - 1; // of an inner node's last child a part may be later
                if (whole > 0)
                {
                    var first = node.First(whole);
                    count += first.Count;
                    sum += first.Sum;
                }
                if (node.Height == 0 || index == 0) return new(count, sum);
                node = Child(node, index - 1);
            }
        }
    }

    /// <summary>The latest time at or before x; <see cref="long.MinValue"/> when there is none.</summary>
    public long LatestUpTo(long x)
    {
        var (leaf, index) = Find(x);
        return index == 0 ? long.MinValue : leaf.Times[index - 1];
    }

    /// <summary>The latest event at or before x, where values are kept; null when there is none.</summary>
    public (long Time, long Value)? LastUpTo(long x)
    {
        var (leaf, index) = Find(x);
        return index == 0 ? null : (leaf.Times[index - 1], leaf.Values[index - 1]);
    }

    /// <returns>The leaf that holds the latest event at or before x, and one more than its place there; 0 when there is none.</returns>
    private (SeriesNode Node, int Index) Find(long x)
    {
        var node = _root;
        while (true)
        {
            Touch(node);
            var index = node.UpTo(x);
            if (index == 0 || node.Height == 0) return (node, index);
            node = Child(node, index - 1);
        }
    }

    /// <summary>Adds an event, behind those of equal time.</summary>
    public void Insert(long time, long value)
    {
        var right = Insert(_root, time, value);
        if (right is null) return;
        var root = Track(new SeriesNode(_space.Take(), _root.Height + 1, 0, _hasValues));
        root.Insert(0, _root.Times[0], _root.Total.Sum, _root.Total, _root);
        root.Insert(1, right.Times[0], right.Total.Sum, right.Total, right);
        _root = root;
    }

    /// <summary>Drops leaves at or before the horizon, a few at a time.</summary>
    public void Drop(long horizon)
    {
        for (var drops = 0; drops < DropsPerInsertMax && _root.Height > 0; drops++)
        {
            if (DropFirst(_root, long.MaxValue, horizon).Count == 0) break;
            while (_root.Height > 0 && _root.Count == 1)
            {
                var only = Child(_root, 0);
                Remove(_root);
                _root = only;
            }
        }
    }

    /// <summary>Forgets the tile of a root that goes back into the slab.</summary>
    public void Fell() => Remove(_root);

    /// <summary>Puts changed nodes. A changed node's ancestors are changed too, so clean ones need no visit.</summary>
    public void Write(ITileWriter writer, Span<byte> buffer) => Write(_root, writer, buffer);

    /// <summary>Lets go of clean nodes below the root that nothing touched since the last call.</summary>
    public void Release() => Release(_root);

    private SeriesNode? Insert(SeriesNode node, long time, long value)
    {
        Touch(node);
        node.IsDirty = true;
        var index = node.UpTo(time);
        if (node.Height == 0) return Place(node, index, time, value);

        if (index == 0)
        {
            node.Times[0] = time;
            index = 1;
        }
        var child = Child(node, index - 1);
        node.Add(index - 1, new(1, value));
        var right = Insert(child, time, value);
        if (right is null) return null;
        node.Set(index - 1, child.Total);
        var added = right.Total;
        return Place(node, index, right.Times[0], added.Sum, added, right);
    }

    /// <summary>Into the node, or into a new right neighbour. At the end nothing is halved: what comes in order fills nodes.</summary>
    private SeriesNode? Place(SeriesNode node, int index, long time, long value, Totals child = default, SeriesNode? added = null)
    {
        var before = node.SizeBytes;
        if (!node.IsFull)
        {
            node.Insert(index, time, value, child, added);
            _bytes += node.SizeBytes - before;
            return null;
        }
        var right = index == node.Count ? new SeriesNode(_space.Take(), node.Height, 2, _hasValues) : node.Halve(_space.Take());
        if (index >= node.Count) right.Insert(index - node.Count, time, value, child, added);
        else node.Insert(index, time, value, child, added);
        return Track(right);
    }

    /// <summary>Drops the oldest leaf if all of it is old, which the next leaf's first time tells without reading it.</summary>
    private Totals DropFirst(SeriesNode node, long nextFirst, long horizon)
    {
        _space.Touches++;
        if (node.Count > 1) nextFirst = node.Times[1];
        if (nextFirst > horizon) return default;
        if (node.Height == 1)
        {
            var leaf = node.First(1);
            RemoveFirst(node);
            return leaf;
        }
        var child = Child(node, 0);
        var dropped = DropFirst(child, nextFirst, horizon);
        if (dropped.Count == 0) return dropped;
        node.Add(0, unchecked(new(-dropped.Count, -dropped.Sum)));
        if (child.Count == 0) RemoveFirst(node);
        else node.Times[0] = child.Times[0];
        return dropped;
    }

    private void RemoveFirst(SeriesNode node)
    {
        if (node.Children[0] is { } child) Remove(child);
        else _space.Delete(node.Ids[0]); // not loaded, so it is stored
        node.RemoveFirst(1);
    }

    private void Remove(SeriesNode node)
    {
        _bytes -= node.SizeBytes;
        if (node.Stored) _space.Delete(node.Id);
    }

    private void Touch(SeriesNode node)
    {
        _space.Touches++;
        node.Touched = true;
    }

    private SeriesNode Child(SeriesNode node, int index) =>
        node.Children[index] ??= Track(_space.ReadNode(node.Ids[index], node.Height - 1, _hasValues));

    private SeriesNode Track(SeriesNode node)
    {
        _bytes += node.SizeBytes;
        return node;
    }

    private void Write(SeriesNode node, ITileWriter writer, Span<byte> buffer)
    {
        if (!node.IsDirty) return;
        foreach (var child in node.Children)
            if (child is not null) Write(child, writer, buffer);
        var to = new TileEncoder(buffer);
        node.Write(ref to);
        var key = _space.Key;
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
