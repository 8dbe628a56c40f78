using System.Numerics;
using System.Runtime.InteropServices;

namespace Promotions.Features.State;

internal readonly record struct Totals(long Count, long Sum);

/// <summary>A node of <see cref="Series"/>: a leaf of (time, value), or an inner node of (first time, sum, count, child).</summary>
internal sealed class SeriesNode
{
    public const int LeafMax = 256;
    public const int InnerMax = 128;

    private long[] _times;
    private long[] _values;
    private readonly long[] _counts;
    private readonly uint[] _ids;
    private readonly SeriesNode?[] _children;

    public SeriesNode(uint id, int height, int capacity)
    {
        Id = id;
        Height = height;
        var size = height == 0 ? Math.Max(2, capacity) : InnerMax;
        _times = new long[size];
        _values = new long[size];
        _counts = height == 0 ? [] : new long[InnerMax];
        _ids = height == 0 ? [] : new uint[InnerMax];
        _children = height == 0 ? [] : new SeriesNode?[InnerMax];
        IsDirty = Touched = true;
    }

    public uint Id { get; }
    public int Height { get; }
    public int Count { get; private set; }
    public bool IsDirty { get; set; }
    /// <summary>A tile of its own lies in the store.</summary>
    public bool Stored { get; set; }
    public bool Touched { get; set; }
    public bool IsFull => Count == (Height == 0 ? LeafMax : InnerMax);
    public long SizeBytes => 200 + (_times.Length * 16L) + (_counts.Length * 20L);

    public Span<long> Times => _times.AsSpan(0, Count);
    public Span<long> Values => _values.AsSpan(0, Count);
    public Span<long> Counts => _counts.AsSpan(0, Count);
    public Span<uint> Ids => _ids.AsSpan(0, Count);
    public Span<SeriesNode?> Children => _children.AsSpan(0, Height == 0 ? 0 : Count);

    /// <summary>How many times are at most x.</summary>
    public int UpTo(long x)
    {
        var times = Times;
        int low = 0, high = times.Length;
        if (high > 0 && times[high - 1] <= x) return high; // the newest record asks most
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (times[middle] <= x) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    public Totals Total => new(Height == 0 ? Count : SumOf(Counts), SumOf(Values));

    public void Insert(int index, long time, long value, Totals child = default, SeriesNode? node = null)
    {
        if (Count == _times.Length) Grow();
        Open(_times, index, time);
        Open(_values, index, value);
        if (Height > 0)
        {
            Open(_counts, index, child.Count);
            Open(_ids, index, node!.Id);
            Open(_children, index, node);
        }
        Count++;
        IsDirty = true;
    }

    public void RemoveFirst(int count)
    {
        Array.Copy(_times, count, _times, 0, Count - count);
        Array.Copy(_values, count, _values, 0, Count - count);
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
        var right = new SeriesNode(id, Height, LeafMax);
        for (var i = half; i < Count; i++)
        {
            if (Height == 0) right.Insert(i - half, _times[i], _values[i]);
            else
            {
                right.Insert(i - half, _times[i], _values[i], new(_counts[i], 0), this);
                right._ids[i - half] = _ids[i];
                right._children[i - half] = _children[i];
            }
        }
        if (Height > 0) Array.Clear(_children, half, Count - half);
        Count = half;
        IsDirty = true;
        return right;
    }

    public void Write(ref TileCursor to)
    {
        to.UInt32(Id);
        to.UInt32((uint)Height);
        to.UInt32((uint)Count);
        to.Many<long>(Times);
        to.Many<long>(Values);
        if (Height == 0) return;
        to.Many<long>(Counts);
        to.Many<uint>(Ids);
    }

    public static SeriesNode Read(ref TileCursor from)
    {
        var id = from.ReadUInt32();
        var height = (int)from.ReadUInt32();
        var count = (int)from.ReadUInt32();
        var node = new SeriesNode(id, height, (int)BitOperations.RoundUpToPowerOf2((uint)count)) { Count = count, IsDirty = false };
        from.ReadMany(node.Times);
        from.ReadMany(node.Values);
        if (height == 0) return node;
        from.ReadMany(node.Counts);
        from.ReadMany(node.Ids);
        return node;
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

    private void Grow()
    {
        Array.Resize(ref _times, Math.Min(LeafMax, _times.Length * 2));
        Array.Resize(ref _values, _times.Length);
    }

    private void Open<T>(T[] array, int index, T value)
    {
        if (index < Count) Array.Copy(array, index, array, index + 1, Count - index);
        array[index] = value;
    }
}
