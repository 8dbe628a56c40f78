using System.Runtime.CompilerServices;

namespace Promotions.Features.State;

/// <summary>What of a hot entity has outgrown its slab: trees of events and full segments of ids, each node and segment a tile. Others have none.</summary>
internal sealed class Branches(EntityKey key, ITileReader reader)
{
    /// <summary>Tiles 1 to 15 are for sections that do not fit into the root; from here on tiles are given out in turn, none twice.</summary>
    public const uint FirstFree = 16;

    private const int OwnBytes = 96 + 24 + (EntityPlan.SeriesCount * 8) + 32; // this, the array of trees, the list of segments

    private List<uint>? _deleted;

    public EntityKey Key { get; } = key;
    public uint Next { get; set; } = FirstFree;

    /// <summary>Nodes visited so far: what bounds the work per record, and what tests count.</summary>
    public long Touches { get; set; }

    /// <summary>The tree of each series that has one.</summary>
    public SeriesTree?[] Trees { get; } = new SeriesTree?[EntityPlan.SeriesCount];

    /// <summary>Full segments of ids, the oldest first.</summary>
    public List<IdSegment> Segments { get; } = [];

    public long SizeBytes
    {
        get
        {
            var bytes = OwnBytes + (Segments.Count * IdSegment.SizeBytes) + (Segments.Capacity == 0 ? 0 : 24 + (Segments.Capacity * 8L));
            foreach (var tree in Trees) bytes += tree?.SizeBytes ?? 0;
            return bytes;
        }
    }

    public uint Take() => checked(Next++);

    public void Delete(uint tile) => (_deleted ??= []).Add(tile);

    /// <exception cref="InvalidDataException">There is none.</exception>
    public int Read(uint tile, Span<byte> buffer)
    {
        var key = Key;
        var length = reader.Read(in key, tile, buffer);
        return length >= 0 ? length : throw TileDecoder.Torn($"tile {tile} of a {key.Kind} is missing");
    }

    [SkipLocalsInit]
    public SeriesNode ReadNode(uint tile, int? height, bool hasValues)
    {
        Span<byte> buffer = stackalloc byte[Tile.BytesMax];
        var from = new TileDecoder(buffer[..Read(tile, buffer)]);
        return SeriesNode.Read(ref from, tile, height, hasValues);
    }

    [SkipLocalsInit]
    public IdSegment ReadSegment(uint tile)
    {
        Span<byte> buffer = stackalloc byte[Tile.BytesMax];
        var from = new TileDecoder(buffer[..Read(tile, buffer)]);
        return IdSegment.Read(tile, ref from);
    }

    /// <summary>Puts changed nodes and new segments, and deletes the tiles of those that are gone.</summary>
    public void Write(ITileWriter writer, Span<byte> buffer)
    {
        foreach (var tree in Trees) tree?.Write(writer, buffer);
        var key = Key;
        foreach (var segment in Segments)
        {
            if (segment.Stored) continue;
            var to = new TileEncoder(buffer);
            segment.Write(ref to);
            writer.Put(in key, segment.Tile, to.Written);
            segment.Stored = true;
        }
        if (_deleted is null) return;
        foreach (var tile in _deleted) writer.Delete(in key, tile);
        _deleted = null;
    }

    public void Release()
    {
        foreach (var tree in Trees) tree?.Release();
    }
}
