using System.Numerics;

namespace Promotions.Features.State;

internal readonly record struct Totals(long Count, long Sum);

/// <summary>A node of a <see cref="SeriesTree"/>: a leaf of (time, value), or an inner node of (first time, sum, count, child).</summary>
/// <remarks>Where no feature sums the series there are no values. Encoded a node has at most 256 × (10 + 10) bytes as a leaf,
/// 128 × (10 + 10 + 10 + 5) as an inner node, and a few in front.</remarks>
internal sealed class SeriesNode
{
    public const int LeafMax = 256;
    public const int InnerMax = 128;

    private const int HeightMax = 8; // 256 × 64^8 events, if all nodes were half full

    private readonly bool _hasValues;
    private long[] _times;
    private long[] _values;
    private readonly long[] _counts;
    private readonly uint[] _ids;
    private readonly SeriesNode?[] _children;

    public SeriesNode(uint id, int height, int capacity, bool hasValues)
    {
        Id = id;
        Height = height;
        _hasValues = hasValues;
        var size = height == 0 ? Math.Max(2, capacity) : InnerMax;
        _times = new long[size];
        _values = hasValues ? new long[size] : [];
        _counts = height == 0 ? [] : new long[InnerMax];
        _ids = height == 0 ? [] : new uint[InnerMax];
        _children = height == 0 ? [] : new SeriesNode?[InnerMax];
        IsDirty = Touched = true;
    }

    /// <summary>A leaf with the events of a slab's section.</summary>
    public SeriesNode(uint id, ReadOnlySpan<long> times, ReadOnlySpan<long> values, bool hasValues) : this(id, 0, times.Length, hasValues)
    {
        times.CopyTo(_times);
        values.CopyTo(_values);
        Count = times.Length;
    }

    public uint Id { get; }
    public int Height { get; }
    public int Count { get; private set; }
    public bool IsDirty { get; set; }
    /// <summary>A tile of its own lies in the store.</summary>
    public bool Stored { get; set; }
    public bool Touched { get; set; }
    public bool IsFull => Count == (Height == 0 ? LeafMax : InnerMax);

    /// <summary>The object and its arrays, each with its header.</summary>
    public long SizeBytes => 72 + 24 + (_times.Length * 8L) + (_hasValues ? 24 + (_values.Length * 8L) : 0) + (Height == 0 ? 0 : 72 + (InnerMax * (8L + 4 + 8)));

    public Span<long> Times => _times.AsSpan(0, Count);
    public Span<long> Values => _hasValues ? _values.AsSpan(0, Count) : default;
    public Span<long> Counts => _counts.AsSpan(0, Count);
    public Span<uint> Ids => _ids.AsSpan(0, Count);
    public Span<SeriesNode?> Children => _children.AsSpan(0, Height == 0 ? 0 : Count);

    /// <summary>How many times are at most x.</summary>
    public int UpTo(long x) => Series.UpTo(Times, x);

    public Totals Total => new(Height == 0 ? Count : Series.SumOf(Counts), Series.SumOf(Values));

    /// <summary>What lies in the first children, or events.</summary>
    public Totals First(int count) => new(Height == 0 ? count : Series.SumOf(_counts.AsSpan(0, count)), _hasValues ? Series.SumOf(_values.AsSpan(0, count)) : 0);

    public void Insert(int index, long time, long value, Totals child = default, SeriesNode? node = null)
    {
        if (Count == _times.Length) Grow();
        Open(_times, index, time);
        if (_hasValues) Open(_values, index, value);
        if (Height > 0)
        {
            Open(_counts, index, child.Count);
            Open(_ids, index, node!.Id);
            Open(_children, index, node);
        }
        Count++;
        IsDirty = true;
    }

    /// <summary>Counts what goes below a child.</summary>
    public void Add(int index, Totals more)
    {
        unchecked
        {
            _counts[index] += more.Count;
            if (_hasValues) _values[index] += more.Sum;
        }
        IsDirty = true;
    }

    public void Set(int index, Totals child)
    {
        _counts[index] = child.Count;
        if (_hasValues) _values[index] = child.Sum;
        IsDirty = true;
    }

    public void RemoveFirst(int count)
    {
        Array.Copy(_times, count, _times, 0, Count - count);
        if (_hasValues) Array.Copy(_values, count, _values, 0, Count - count);
        if (Height > 0)
        {
            Array.Copy(_counts, count, _counts, 0, Count - count);
            Array.Copy(_ids, count, _ids, 0, Count - count);
            Array.Copy(_children, count, _children, 0, Count - count);
            Array.Clear(_children, Count - count, count);
        }
        Count -= count;
        IsDirty = true;
    }

    /// <summary>Moves the upper half to a new node.</summary>
    public SeriesNode Halve(uint id)
    {
        var half = Count / 2;
        var right = new SeriesNode(id, Height, LeafMax, _hasValues) { Count = Count - half };
        Times[half..].CopyTo(right._times);
        if (_hasValues) Values[half..].CopyTo(right._values);
        if (Height > 0)
        {
            Counts[half..].CopyTo(right._counts);
            Ids[half..].CopyTo(right._ids);
            Children[half..].CopyTo(right._children);
            Children[half..].Clear();
        }
        Count = half;
        IsDirty = true;
        return right;
    }

    public void Write(ref TileEncoder to)
    {
        to.Unsigned(Id);
        to.Unsigned((ulong)Height);
        to.Unsigned((ulong)Count);
        to.Times(Times, 0); // alone in its tile: nothing near is known
        foreach (var value in Values) to.Signed(value);
        if (Height == 0) return;
        foreach (var count in Counts) to.Signed(count);
        foreach (var id in Ids) to.Unsigned(id);
    }

    /// <param name="height">What the parent says; null of a root.</param>
    /// <exception cref="InvalidDataException">Another tile, or torn.</exception>
    public static SeriesNode Read(ref TileDecoder from, uint id, int? height, bool hasValues)
    {
        if (from.UInt32() != id) throw TileDecoder.Torn("a tile lies under another's number");
        var found = from.Count(HeightMax);
        if (height is { } wanted && found != wanted) throw TileDecoder.Torn("a node has the wrong height");
        var count = from.Count(found == 0 ? LeafMax : InnerMax);
        if (count == 0) throw TileDecoder.Torn("a node is empty");
        var node = new SeriesNode(id, found, (int)BitOperations.RoundUpToPowerOf2((uint)count), hasValues) { Count = count, IsDirty = false, Stored = true };
        from.Times(node.Times, 0);
        foreach (ref var value in node.Values) value = from.Signed();
        if (found > 0)
        {
            foreach (ref var below in node.Counts) below = from.Signed();
            foreach (ref var child in node.Ids) child = from.UInt32();
        }
        from.End();
        return node;
    }

    private void Grow()
    {
        Array.Resize(ref _times, Math.Min(LeafMax, _times.Length * 2));
        if (_hasValues) Array.Resize(ref _values, _times.Length);
    }

    private void Open<T>(T[] array, int index, T value)
    {
        if (index < Count) Array.Copy(array, index, array, index + 1, Count - index);
        array[index] = value;
    }
}
