using Promotions.Features;

namespace Promotions.Processing.State;

/// <summary>Durable tiles of entities, and the log position that they stand at. One writer.</summary>
/// <remarks>Keys are (entity, tile), values absolute and at most 16 KB: the same values would travel in a compacted changelog topic.</remarks>
public interface ITileStore : ITileReader, IDisposable
{
    /// <summary>Log position of the last checkpoint; 0 for none.</summary>
    long Position { get; }

    /// <summary>Layout of the features that wrote it; 0 when empty.</summary>
    ulong LayoutHash { get; }

    /// <summary>A batch whose tiles, position and layout become durable together, or not at all.</summary>
    ITileBatch Begin();

    /// <summary>Removes all tiles and the position: state is rebuilt from the log.</summary>
    void Clear();
}

public interface ITileBatch : ITileWriter, IDisposable
{
    void Commit(long position, ulong layoutHash);
}
