namespace Promotions.Features;

/// <summary>Where an entity's state lies: values of at most <see cref="Tile.BytesMax"/> bytes under (entity, tile).</summary>
/// <remarks>Values are absolute, never deltas: the last one written under a key is the state. Tile 0 is the root, and the only tile of a typical entity.</remarks>
public interface ITileReader
{
    /// <summary>Reads the value last written.</summary>
    /// <param name="destination">At least <see cref="Tile.BytesMax"/> long.</param>
    /// <returns>The value's length; −1 when there is none.</returns>
    int Read(in EntityKey entity, uint tile, Span<byte> destination);
}

/// <summary>Takes changed tiles. All calls of one <see cref="EntityState.WriteDirty"/> belong to one atomic batch.</summary>
public interface ITileWriter
{
    void Put(in EntityKey entity, uint tile, ReadOnlySpan<byte> value);
    void Delete(in EntityKey entity, uint tile);

    /// <summary>Deletes all tiles of the entity; comes before its puts. A range deletion over the key's prefix does it at constant cost.</summary>
    void Clear(in EntityKey entity);
}

public static class Tile
{
    public const int BytesMax = 16 * 1024;
    public const uint Root = 0;
}

/// <summary>No tiles: every entity starts new.</summary>
public sealed class NoTiles : ITileReader
{
    public static readonly NoTiles Instance = new();
    public int Read(in EntityKey entity, uint tile, Span<byte> destination) => -1;
}
