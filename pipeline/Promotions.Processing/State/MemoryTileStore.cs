using Promotions.Features;

namespace Promotions.Processing.State;

/// <summary>Tiles in memory: for the topology under test, training replay and backtests, where the log is short and a loss costs nothing.</summary>
public sealed class MemoryTileStore : ITileStore
{
    private readonly Dictionary<(EntityKey Entity, uint Tile), byte[]> _tiles = [];

    public long Position { get; private set; }
    public ulong LayoutHash { get; private set; }

    public int Read(in EntityKey entity, uint tile, Span<byte> destination)
    {
        if (!_tiles.TryGetValue((entity, tile), out var value)) return -1;
        value.CopyTo(destination);
        return value.Length;
    }

    public ITileBatch Begin() => new Batch(this);

    public void Clear()
    {
        _tiles.Clear();
        Position = 0;
        LayoutHash = 0;
    }

    public void Dispose() => _tiles.Clear();

    private sealed class Batch(MemoryTileStore store) : ITileBatch
    {
        private readonly List<Action> _changes = [];

        public void Put(in EntityKey entity, uint tile, ReadOnlySpan<byte> value)
        {
            var (key, copy) = ((entity, tile), value.ToArray());
            _changes.Add(() => store._tiles[key] = copy);
        }

        public void Delete(in EntityKey entity, uint tile)
        {
            var key = (entity, tile);
            _changes.Add(() => store._tiles.Remove(key));
        }

        public void Clear(in EntityKey entity)
        {
            var cleared = entity;
            _changes.Add(() =>
            {
                foreach (var key in store._tiles.Keys.Where(k => k.Entity == cleared).ToList()) store._tiles.Remove(key);
            });
        }

        public void Commit(long position, ulong layoutHash)
        {
            foreach (var change in _changes) change();
            store.Position = position;
            store.LayoutHash = layoutHash;
        }

        public void Dispose() => _changes.Clear();
    }
}
