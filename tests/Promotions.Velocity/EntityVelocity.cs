using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Streams.State;

namespace Promotions.Velocity;

/// <summary>What one entity did in the day before an event, the event included.</summary>
/// <param name="SumDay">Unit: minor units.</param>
public readonly record struct Counts(int Hour, int Day, long SumDay);

/// <summary>One entity's events of a day, in order of time: blocks of up to <see cref="BlockMax"/>, of which the newest is written with the directory and each other once, when it is full.</summary>
/// <remarks>
/// A window is a difference of prefixes: a binary search over the directory and one in a block, whatever has or has not been dropped. So a hot coupon's event costs what a quiet one's does, and a
/// record up to an hour out of order is counted at its own place. An event counts once: the same id at the same time is the same event.
/// </remarks>
internal sealed class EntityVelocity
{
    public const int BlockMax = 256;

    /// <summary>As many as one tile's directory holds: 120,000 events of one entity in a day. A workload beyond it wants a tree, as Promotions.Features keeps.</summary>
    public const int BlocksMax = 480;

    private const long Hour = 3_600_000;
    private const long Day = 24 * Hour;
    private const int EventBytes = 24;
    private const int EntryBytes = 24;
    private const byte Version = 1;

    private readonly EntityKey _key;
    private readonly ITileSource<EntityKey> _tiles;
    private readonly List<Block> _blocks = [];
    private readonly List<uint> _deleted = [];
    private uint _next = 1;

    private EntityVelocity(in EntityKey key, ITileSource<EntityKey> tiles) => (_key, _tiles) = (key, tiles);

    public bool IsDirty { get; private set; }

    public long SizeBytes { get; private set; } = 160;

    public EventTime ExpiresAt => _blocks.Count == 0 ? default : new(Newest + Day + 1);

    private long Newest => Loaded(_blocks[^1])[^1].At;

    /// <summary>Counts the event unless it was counted, and answers its windows.</summary>
    public Counts Observe(long at, long amount, ulong id)
    {
        if (!Contains(at, id)) Insert(new(at, amount, id));
        var upTo = Prefix(at);
        var beforeDay = Prefix(at - Day);
        return new(checked((int)(upTo.Count - Prefix(at - Hour).Count)), checked((int)(upTo.Count - beforeDay.Count)), upTo.Sum - beforeDay.Sum);
    }

    [SkipLocalsInit]
    public static EntityVelocity Load(in EntityKey key, ITileSource<EntityKey> tiles)
    {
        var state = new EntityVelocity(in key, tiles);
        Span<byte> buffer = stackalloc byte[IStateBackend.ValueBytesMax];
        var length = tiles.Read(in key, 0, buffer);
        if (length < 0) return state;
        var root = buffer[..length];
        if (root[0] != Version) throw new InvalidDataException($"Velocity state version {root[0]} is not known here.");
        state._next = BinaryPrimitives.ReadUInt32LittleEndian(root[1..]);
        var blocks = BinaryPrimitives.ReadUInt16LittleEndian(root[5..]);
        for (var i = 0; i < blocks; i++)
        {
            var entry = root[(7 + (i * EntryBytes))..];
            state._blocks.Add(new(BinaryPrimitives.ReadUInt32LittleEndian(entry), BinaryPrimitives.ReadInt64LittleEndian(entry[4..]),
                BinaryPrimitives.ReadInt32LittleEndian(entry[12..]), BinaryPrimitives.ReadInt64LittleEndian(entry[16..])) { Stored = true });
        }

        if (blocks > 0)
        {
            state._blocks[^1].Stored = false;       // the newest has no tile of its own yet
            state.Keep(state._blocks[^1], Read(root[(7 + (blocks * EntryBytes))..]));
        }

        state.SizeBytes += blocks * 56;
        return state;
    }

    /// <summary>Blocks that are full are written once more only where an event out of order came into one.</summary>
    [SkipLocalsInit]
    public void WriteDirty(in EntityKey key, ITileSink<EntityKey> tiles)
    {
        if (!IsDirty) return;
        Span<byte> buffer = stackalloc byte[IStateBackend.ValueBytesMax];
        foreach (var tile in _deleted) tiles.Delete(in key, tile);
        _deleted.Clear();
        buffer[0] = Version;
        BinaryPrimitives.WriteUInt32LittleEndian(buffer[1..], _next);
        BinaryPrimitives.WriteUInt16LittleEndian(buffer[5..], checked((ushort)_blocks.Count));
        var at = 7;
        for (var i = 0; i < _blocks.Count; i++, at += EntryBytes)
        {
            var block = _blocks[i];
            BinaryPrimitives.WriteUInt32LittleEndian(buffer[at..], block.Tile);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[(at + 4)..], block.First);
            BinaryPrimitives.WriteInt32LittleEndian(buffer[(at + 12)..], block.Count);
            BinaryPrimitives.WriteInt64LittleEndian(buffer[(at + 16)..], block.Sum);
        }

        var newest = Write(Loaded(_blocks[^1]), buffer[at..]);
        tiles.Put(in key, 0, buffer[..(at + newest)]);
        for (var i = 0; i < _blocks.Count - 1; i++)
        {
            if (_blocks[i] is not { Stored: false } block) continue;
            tiles.Put(in key, block.Tile, buffer[..Write(Loaded(block), buffer)]);
            block.Stored = true;
        }

        IsDirty = false;
    }

    /// <summary>What was written is durable: only the newest block stays in memory, and what a window's edge touched lately.</summary>
    public void Release()
    {
        for (var i = 0; i < _blocks.Count - 1; i++)
        {
            var block = _blocks[i];
            if (!block.Touched && block.Stored && block.Events is { } events)
            {
                SizeBytes -= events.Capacity * EventBytes;
                block.Events = null;
            }

            block.Touched = false;
        }
    }

    public static EventTime ExpiresAtOf(ReadOnlySpan<byte> root) => root.Length < 7 + EventBytes ? default : new(BinaryPrimitives.ReadInt64LittleEndian(root[^EventBytes..]) + Day + 1);

    private bool Contains(long at, ulong id)
    {
        // Events of one time may lie on both sides of a border.
        for (var b = BlockOf(at); b >= 0 && b < _blocks.Count; b--)
        {
            var events = Loaded(_blocks[b]);
            var i = UpTo(events, at) - 1;
            for (; i >= 0 && events[i].At == at; i--)
                if (events[i].Id == id) return true;
            if (i >= 0) return false;
        }

        return false;
    }

    private void Insert(in Event added)
    {
        if (_blocks.Count == 0) Open(0, []);
        var at = Math.Max(0, BlockOf(added.At));
        if (_blocks[at].Count == BlockMax)
        {
            if (at == _blocks.Count - 1 && added.At >= Newest) Open(++at, []);
            else Halve(at, ref at, added.At);
        }

        var block = _blocks[at];
        var events = Loaded(block);
        var capacity = events.Capacity;
        events.Insert(UpTo(events, added.At), added);
        SizeBytes += (events.Capacity - capacity) * EventBytes;
        (block.Count, block.Sum, block.First, block.Stored) = (events.Count, unchecked(block.Sum + added.Amount), events[0].At, false);
        IsDirty = true;
        Drop();
    }

    /// <summary>At most two blocks a call: an hour of silence after a burst costs its next event nothing.</summary>
    private void Drop()
    {
        for (var dropped = 0; dropped < 2 && _blocks.Count > 2 && _blocks[1].First <= Newest - Day - Hour; dropped++)
        {
            _deleted.Add(_blocks[0].Tile);
            if (_blocks[0].Events is { } events) SizeBytes -= events.Capacity * EventBytes;
            SizeBytes -= 56;
            _blocks.RemoveAt(0);
        }
    }

    private void Halve(int index, ref int target, long at)
    {
        var events = Loaded(_blocks[index]);
        var upper = events.GetRange(BlockMax / 2, BlockMax / 2);
        events.RemoveRange(BlockMax / 2, BlockMax / 2);
        var lower = _blocks[index];
        (lower.Count, lower.Sum, lower.Stored) = (events.Count, events.Sum(e => e.Amount), false);
        Open(index + 1, upper);
        if (at >= upper[0].At) target = index + 1;
    }

    private void Open(int index, List<Event> events)
    {
        if (_blocks.Count == BlocksMax) throw new InvalidOperationException($"{_key} has more than {BlocksMax * BlockMax} events in a day.");
        _blocks.Insert(index, new(_next++, events.Count == 0 ? long.MaxValue : events[0].At, events.Count, events.Sum(e => e.Amount)) { Events = events });
        SizeBytes += 56 + (events.Capacity * EventBytes);
    }

    /// <summary>Count and sum of all events up to a time that are still kept.</summary>
    private (long Count, long Sum) Prefix(long time)
    {
        var block = BlockOf(time);
        long count = 0, sum = 0;
        for (var b = 0; b < block; b++) (count, sum) = (count + _blocks[b].Count, unchecked(sum + _blocks[b].Sum));
        if (block < 0) return (0, 0);
        var events = Loaded(_blocks[block]);
        var within = UpTo(events, time);
        for (var i = 0; i < within; i++) sum = unchecked(sum + events[i].Amount);
        return (count + within, sum);
    }

    /// <summary>The last block that begins at or before the time; -1 for none.</summary>
    private int BlockOf(long time)
    {
        var (low, high) = (0, _blocks.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_blocks[middle].First <= time) low = middle + 1;
            else high = middle;
        }

        return low - 1;
    }

    private List<Event> Loaded(Block block)
    {
        block.Touched = true;
        return block.Events ?? Fetch(block);
    }

    [SkipLocalsInit]
    private List<Event> Fetch(Block block)
    {
        Span<byte> buffer = stackalloc byte[IStateBackend.ValueBytesMax];
        var length = _tiles.Read(in _key, block.Tile, buffer);
        return length < 0 ? throw new InvalidDataException($"Tile {block.Tile} of {_key} is missing.") : Keep(block, Read(buffer[..length]));
    }

    private List<Event> Keep(Block block, List<Event> events)
    {
        SizeBytes += events.Capacity * EventBytes;
        return block.Events = events;
    }

    /// <summary>How many lie at or before the time.</summary>
    private static int UpTo(List<Event> events, long time)
    {
        var (low, high) = (0, events.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (events[middle].At <= time) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private static int Write(List<Event> events, Span<byte> to)
    {
        var at = 0;
        foreach (var (time, amount, id) in events)
        {
            BinaryPrimitives.WriteInt64LittleEndian(to[at..], time);
            BinaryPrimitives.WriteInt64LittleEndian(to[(at + 8)..], amount);
            BinaryPrimitives.WriteUInt64LittleEndian(to[(at + 16)..], id);
            at += EventBytes;
        }

        return at;
    }

    private static List<Event> Read(ReadOnlySpan<byte> bytes)
    {
        var events = new List<Event>(Math.Max(2, bytes.Length / EventBytes));
        for (; bytes.Length >= EventBytes; bytes = bytes[EventBytes..])
            events.Add(new(BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..])));
        return events;
    }

    private readonly record struct Event(long At, long Amount, ulong Id);

    private sealed class Block(uint tile, long first, int count, long sum)
    {
        public uint Tile => tile;
        public long First = first;
        public int Count = count;
        public long Sum = sum;
        public List<Event>? Events;
        public bool Stored;
        public bool Touched;
    }
}

internal sealed class EntityVelocitySerde : IStateSerde<EntityKey, EntityVelocity>
{
    public int KeyLength => EntityKey.Length;
    public void WriteKey(in EntityKey key, Span<byte> destination) => key.WriteTo(destination);
    public EntityKey ReadKey(ReadOnlySpan<byte> source) => EntityKey.ReadFrom(source);
    public EntityVelocity Load(in EntityKey key, ITileSource<EntityKey> tiles) => EntityVelocity.Load(in key, tiles);
    public long SizeBytes(EntityVelocity state) => state.SizeBytes;
    public bool IsDirty(EntityVelocity state) => state.IsDirty;
    public void WriteDirty(in EntityKey key, EntityVelocity state, ITileSink<EntityKey> tiles) => state.WriteDirty(in key, tiles);
    public void Release(EntityVelocity state) => state.Release();
    public EventTime ExpiresAt(EntityVelocity state) => state.ExpiresAt;
    public EventTime ExpiresAt(ReadOnlySpan<byte> rootTile) => EntityVelocity.ExpiresAtOf(rootTile);
}
