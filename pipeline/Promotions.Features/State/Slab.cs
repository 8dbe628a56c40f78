using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Promotions.Features.State;

/// <summary>A table inside a slab: columns of equal length, one behind the other, each with room for <see cref="Capacity"/> values.</summary>
[StructLayout(LayoutKind.Sequential, Size = sizeof(long))]
internal struct Section
{
    public ushort Offset;
    public ushort Count;
    public ushort Capacity;
    public byte Columns;
    private byte _flags;

    /// <summary>Changed since it was last put into a tile of its own.</summary>
    public bool IsDirty { readonly get => (_flags & 1) != 0; set => _flags = (byte)(value ? _flags | 1 : _flags & ~1); }

    /// <summary>A tile of its own lies in the store.</summary>
    public bool Stored { readonly get => (_flags & 2) != 0; set => _flags = (byte)(value ? _flags | 2 : _flags & ~2); }
}

/// <summary>All that an entity keeps, in one array: first a word that describes each section, then the sections in turn.</summary>
/// <remarks>One object instead of some fifteen: the collector has one thing to mark and the processor one place to fetch from. A section that grows
/// moves the later ones into a new array; a typical entity does so a dozen times in its life. Bounds keep a slab below 2^16 words.</remarks>
internal struct Slab
{
    private const int ArrayHeaderBytes = 24;
    private long[] _words;

    /// <summary>Makes a slab with the given sections.</summary>
    /// <param name="columns">Columns of each section.</param>
    /// <param name="capacities">Room of each section.</param>
    public Slab(ReadOnlySpan<byte> columns, ReadOnlySpan<int> capacities)
    {
        var end = columns.Length;
        for (var s = 0; s < columns.Length; s++) end += columns[s] * capacities[s];
        _words = SlabPool.Take(end);
        end = columns.Length;
        for (var s = 0; s < columns.Length; s++)
        {
            this[s] = new() { Offset = checked((ushort)end), Capacity = checked((ushort)capacities[s]), Columns = columns[s] };
            end += columns[s] * capacities[s];
        }
    }

    public readonly long SizeBytes => ArrayHeaderBytes + (_words.Length * (long)sizeof(long));

    public readonly ref Section this[int section] => ref MemoryMarshal.Cast<long, Section>(_words.AsSpan())[section];

    public readonly Slab Copy()
    {
        var words = SlabPool.Take(_words.Length);
        _words.CopyTo(words, 0);
        return new() { _words = words };
    }

    /// <summary>The kept values of a column. Valid until the next insertion anywhere in the slab.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Span<long> Column(int section, int column)
    {
        ref readonly var s = ref this[section];
        return _words.AsSpan(s.Offset + (column * s.Capacity), s.Count);
    }

    /// <summary>Opens a row and fills as many of the values as there are columns.</summary>
    public void Insert(int section, int index, long first, long second = 0, long third = 0)
    {
        if (this[section].Count == this[section].Capacity) Resize(section, RoomFor(this[section].Count + 1));
        ref var s = ref this[section];
        s.IsDirty = true;
        var count = s.Count++;
        for (var c = 0; c < s.Columns; c++)
        {
            var column = _words.AsSpan(s.Offset + (c * s.Capacity), count + 1);
            if (index < count) column[index..count].CopyTo(column[(index + 1)..]);
            column[index] = c switch { 0 => first, 1 => second, _ => third };
        }
    }

    public readonly void RemoveAt(int section, int index, int count)
    {
        ref var s = ref this[section];
        for (var c = 0; c < s.Columns; c++)
        {
            var column = Column(section, c);
            column[(index + count)..].CopyTo(column[index..]);
        }
        Truncate(section, s.Count - count);
    }

    public readonly void Truncate(int section, int count)
    {
        ref var s = ref this[section];
        s.Count = (ushort)count;
        s.IsDirty = true;
    }

    /// <summary>Takes many rows at once into an empty section, whose columns the caller fills.</summary>
    public void Fill(int section, int count)
    {
        if (this[section].Capacity < count) Resize(section, RoomFor(count));
        Truncate(section, count);
    }

    /// <summary>Empties a section and gives its room back.</summary>
    public void Vacate(int section)
    {
        Truncate(section, 0);
        Resize(section, 0);
    }

    /// <summary>1, 2, 3, 4, 6, 8, 12, 16 ...: at most a third of a section is spare.</summary>
    public static int RoomFor(int count)
    {
        if (count <= 2) return count;
        var power = (int)BitOperations.RoundUpToPowerOf2((uint)count);
        return count <= power / 4 * 3 ? power / 4 * 3 : power;
    }

    private void Resize(int section, int capacity)
    {
        var old = _words;
        var before = this[section];
        var behind = before.Offset + (before.Columns * before.Capacity);
        var growth = before.Columns * (capacity - before.Capacity);
        var words = SlabPool.Take(old.Length + growth);
        old.AsSpan(0, before.Offset).CopyTo(words);
        for (var c = 0; c < before.Columns; c++)
            old.AsSpan(before.Offset + (c * before.Capacity), before.Count).CopyTo(words.AsSpan(before.Offset + (c * capacity)));
        old.AsSpan(behind).CopyTo(words.AsSpan(behind + growth));
        _words = words;

        var sections = MemoryMarshal.Cast<long, Section>(words.AsSpan());
        sections[section].Capacity = checked((ushort)capacity);
        int count = sections[0].Offset; // the first section begins behind the descriptions
        for (var s = section + 1; s < count; s++)
            sections[s].Offset = checked((ushort)(sections[s].Offset + growth));
        SlabPool.Give(old);
    }

    /// <summary>Gives the array back; the slab is no more.</summary>
    public void Recycle()
    {
        if (_words is { } words) SlabPool.Give(words);
        _words = [];
    }
}
