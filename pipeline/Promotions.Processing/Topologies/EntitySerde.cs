using Promotions.Domain;
using Promotions.Features;
using Promotions.Streams.State;

namespace Promotions.Processing.Topologies;

/// <summary>Entities' states as tiles of a store.</summary>
public sealed class EntitySerde : IStateSerde<EntityKey, EntityState>
{
    public int KeyLength => EntityKey.Length;
    public void WriteKey(in EntityKey key, Span<byte> destination) => key.WriteTo(destination);
    public EntityKey ReadKey(ReadOnlySpan<byte> source) => EntityKey.ReadFrom(source);
    public EntityState Load(in EntityKey key, ITileSource<EntityKey> tiles) => EntityState.Load(in key, new Reader(tiles));
    public long SizeBytes(EntityState state) => state.SizeBytes;
    public bool IsDirty(EntityState state) => state.IsDirty;
    public void WriteDirty(in EntityKey key, EntityState state, ITileSink<EntityKey> tiles) => state.WriteDirty(new Writer(tiles));
    public void Release(EntityState state) => state.Release();
    public void Recycle(EntityState state) => state.Recycle();
    public EventTime ExpiresAt(EntityState state) => state.ExpiresAt;
    public EventTime ExpiresAt(ReadOnlySpan<byte> rootTile) => EntityState.ExpiryOf(rootTile);

    private sealed class Reader(ITileSource<EntityKey> tiles) : ITileReader
    {
        public int Read(in EntityKey entity, uint tile, Span<byte> destination) => tiles.Read(in entity, tile, destination);
    }

    private sealed class Writer(ITileSink<EntityKey> tiles) : ITileWriter
    {
        public void Put(in EntityKey entity, uint tile, ReadOnlySpan<byte> value) => tiles.Put(in entity, tile, value);
        public void Delete(in EntityKey entity, uint tile) => tiles.Delete(in entity, tile);
        public void Clear(in EntityKey entity) => tiles.Clear(in entity);
    }
}
