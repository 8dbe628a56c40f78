using System.Runtime.InteropServices;

namespace Promotions.Features.State;

/// <summary>The distinct others of one sort by the time each was last seen: "how many in (a, b]" is two binary searches.</summary>
/// <remarks>For b before the newest record, an other seen again later must still be found at its earlier time: for the length of grace an interval
/// [from, to) remembers that it was seen at from, and next at to. At the set's bound the longest unseen leaves, so short windows stay exact longest.</remarks>
internal sealed class OtherSet
{
    public const int Max = FeatureRegistry.DistinctMax;
    private const int IntervalsMax = 256;
    private const int InlineMax = 32;

    [StructLayout(LayoutKind.Sequential)]
    private struct Interval { public ulong Value; public long From; public long To; }

    private ulong[] _values = new ulong[1];
    private long[] _times = new long[1];
    private Interval[] _intervals = [];
    private int _count;
    private int _intervalCount;
    private long _latestTo = long.MinValue;
    private bool _stored;

    public bool IsDirty { get; private set; }
    public long SizeBytes => 150 + (_values.Length * 16L) + (_intervals.Length * 24L);

    /// <summary>Distinct others seen in (a, b].</summary>
    public int Distinct(long a, long b, long orderedUpTo)
    {
        var found = UpTo(b) - UpTo(a);
        if (b < _latestTo)
            foreach (ref readonly var i in _intervals.AsSpan(0, _intervalCount))
                if (i.From > a && i.From <= b && b < i.To && i.To > orderedUpTo) found++;
        return Math.Min(found, Max);
    }

    /// <param name="horizon">No window reaches back to it any more.</param>
    /// <param name="orderedUpTo">No record comes before it any more: newest − grace.</param>
    public void Add(ulong value, long time, long horizon, long orderedUpTo)
    {
        if (time <= horizon) return;
        IsDirty = true;
        if (_count > 0 && _times[0] <= horizon) RemoveAt(0, UpTo(horizon));

        var index = _values.AsSpan(0, _count).IndexOf(value);
        if (index >= 0)
        {
            var last = _times[index];
            if (time < last) AddEarlier(value, time, last, orderedUpTo);
            else if (time > last)
            {
                RemoveAt(index, 1);
                AddInterval(value, last, time, orderedUpTo);
                Place(value, time);
            }
            return;
        }

        if (_count == Max)
        {
            if (time < _times[0]) return;
            RemoveAt(0, 1);
        }
        if (time < _latestTo) EndIntervals(value, time);
        Place(value, time);
    }

    private void Write(ref TileCursor to)
    {
        to.UInt32((uint)_count);
        to.UInt32((uint)_intervalCount);
        to.UInt32((uint)_intervals.Length); // room is made when full, so equal bytes need equal room
        to.Int64(_latestTo);
        to.Many<ulong>(_values.AsSpan(0, _count));
        to.Many<long>(_times.AsSpan(0, _count));
        to.Many<Interval>(_intervals.AsSpan(0, _intervalCount));
    }

    /// <summary>Into the root tile while small, else into a tile of its own, that is put only when changed.</summary>
    public void Write(TileSpace space, uint tile, ref TileCursor root, ITileWriter writer, Span<byte> buffer)
    {
        var inline = _count <= InlineMax && _intervalCount <= InlineMax;
        root.Byte(inline ? (byte)1 : (byte)2);
        if (inline)
        {
            if (_stored) space.Delete(tile);
            Write(ref root);
        }
        else if (IsDirty || !_stored)
        {
            var to = new TileCursor(buffer);
            Write(ref to);
            var key = space.Key;
            writer.Put(in key, tile, to.Written);
        }
        _stored = !inline;
        IsDirty = false;
    }

    public static OtherSet Read(TileSpace space, uint tile, ref TileCursor root)
    {
        var inline = root.ReadByte() == 1;
        if (inline) return Read(ref root);
        Span<byte> buffer = stackalloc byte[Tile.BytesMax];
        var from = new TileCursor(buffer[..space.Read(tile, buffer)]);
        var set = Read(ref from);
        set._stored = true;
        return set;
    }

    private static OtherSet Read(ref TileCursor from)
    {
        var set = new OtherSet { _count = (int)from.ReadUInt32(), _intervalCount = (int)from.ReadUInt32(), _intervals = new Interval[from.ReadUInt32()], _latestTo = from.ReadInt64() };
        set._values = new ulong[Math.Max(1, set._count)];
        set._times = new long[set._values.Length];
        from.ReadMany(set._values.AsSpan(0, set._count));
        from.ReadMany(set._times.AsSpan(0, set._count));
        from.ReadMany(set._intervals.AsSpan(0, set._intervalCount));
        return set;
    }

    private int UpTo(long x)
    {
        int low = 0, high = _count;
        if (high > 0 && _times[high - 1] <= x) return high;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_times[middle] <= x) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private void Place(ulong value, long time)
    {
        if (_count == _values.Length)
        {
            Array.Resize(ref _values, Math.Min(Max, _count * 2));
            Array.Resize(ref _times, _values.Length);
        }
        var index = UpTo(time);
        Array.Copy(_values, index, _values, index + 1, _count - index);
        Array.Copy(_times, index, _times, index + 1, _count - index);
        _values[index] = value;
        _times[index] = time;
        _count++;
    }

    private void RemoveAt(int index, int count)
    {
        Array.Copy(_values, index + count, _values, index, _count - index - count);
        Array.Copy(_times, index + count, _times, index, _count - index - count);
        _count -= count;
    }

    private void AddEarlier(ulong value, long time, long last, long orderedUpTo)
    {
        var next = last;
        foreach (ref var i in _intervals.AsSpan(0, _intervalCount))
        {
            if (i.Value != value || i.To <= orderedUpTo) continue; // those are gone, whether or not room was made yet
            if (i.From == time) return;
            if (i.From < time && time < i.To)
            {
                var to = i.To;
                i.To = time;
                AddInterval(value, time, to, orderedUpTo);
                return;
            }
            if (i.From > time) next = Math.Min(next, i.From);
        }
        AddInterval(value, time, next, orderedUpTo);
    }

    /// <summary>An other that had left the set is back at an earlier time: its intervals must not count it twice.</summary>
    private void EndIntervals(ulong value, long time)
    {
        foreach (ref var i in _intervals.AsSpan(0, _intervalCount))
            if (i.Value == value && i.From <= time && time < i.To) i.To = time;
    }

    private void AddInterval(ulong value, long from, long to, long orderedUpTo)
    {
        if (to <= orderedUpTo) return;
        if (_intervalCount == _intervals.Length) MakeRoom(orderedUpTo);
        _intervals[_intervalCount++] = new() { Value = value, From = from, To = to };
        _latestTo = Math.Max(_latestTo, to);
    }

    private void MakeRoom(long orderedUpTo)
    {
        var kept = 0;
        var oldest = 0;
        for (var i = 0; i < _intervalCount; i++)
        {
            if (_intervals[i].To <= orderedUpTo) continue;
            _intervals[kept] = _intervals[i];
            if (_intervals[kept].To < _intervals[oldest].To) oldest = kept;
            kept++;
        }
        _intervalCount = kept;
        if (kept < _intervals.Length) return;
        if (kept == IntervalsMax)
        {
            _intervals[oldest] = _intervals[--_intervalCount]; // out-of-order records may count one other less
            return;
        }
        Array.Resize(ref _intervals, Math.Min(IntervalsMax, Math.Max(1, kept * 2)));
    }
}
