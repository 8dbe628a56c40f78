using System.Buffers;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Processing.Records;
using Promotions.Streams.State;

namespace Promotions.Processing.Topologies;

/// <summary>A customer's requests in flight as tiles: one run of bytes behind its length, cut into pieces that a changelog can carry.</summary>
internal sealed class InFlightSerde : IStateSerde<EntityKey, CustomerRequests>
{
    /// <summary>Below <see cref="IStateBackend.ValueBytesMax"/>, with the length in the first.</summary>
    private const int PieceBytes = 12 << 10;

    private readonly byte[] _tile = new byte[IStateBackend.ValueBytesMax];
    private readonly ArrayBufferWriter<byte> _written = new(4 << 10);
    private readonly ArrayBufferWriter<byte> _first = new(PieceBytes + 8);

    public int KeyLength => EntityKey.Length;
    public void WriteKey(in EntityKey key, Span<byte> destination) => key.WriteTo(destination);
    public EntityKey ReadKey(ReadOnlySpan<byte> source) => EntityKey.ReadFrom(source);

    public CustomerRequests Load(in EntityKey key, ITileSource<EntityKey> tiles)
    {
        var length = tiles.Read(key, 0, _tile);
        if (length < 0) return new();
        var r = new RecordReader(_tile.AsSpan(0, length));
        var rest = r.Count();
        var bytes = new ArrayBufferWriter<byte>(Math.Max(1, rest));
        bytes.Write(r.Rest());
        uint tile = 1;
        for (; bytes.WrittenCount < rest; tile++)
        {
            length = tiles.Read(key, tile, _tile);
            if (length <= 0) throw new StateFaultException($"Requests in flight end after {bytes.WrittenCount} of {rest} bytes.");
            bytes.Write(_tile.AsSpan(0, length));
        }

        var requests = CustomerRequests.Read(bytes.WrittenSpan);
        requests.StoredTiles = (int)tile;
        return requests;
    }

    public long SizeBytes(CustomerRequests state) => state.SizeBytes;
    public bool IsDirty(CustomerRequests state) => state.IsDirty;

    public void WriteDirty(in EntityKey key, CustomerRequests state, ITileSink<EntityKey> tiles)
    {
        if (!state.IsDirty)
        {
            state.Written(state.StoredTiles);
            return;
        }

        if (state.IsEmpty)
        {
            for (uint tile = 0; tile < state.StoredTiles; tile++) tiles.Delete(key, tile);
            state.Written(0);
            return;
        }

        _written.ResetWrittenCount();
        state.Write(_written);
        var rest = _written.WrittenSpan;
        _first.ResetWrittenCount();
        new RecordWriter(_first).Count(rest.Length);
        var piece = rest[..Math.Min(rest.Length, PieceBytes)];
        _first.Write(piece);
        tiles.Put(key, 0, _first.WrittenSpan);
        var count = 1;
        for (rest = rest[piece.Length..]; !rest.IsEmpty; rest = rest[piece.Length..], count++)
        {
            piece = rest[..Math.Min(rest.Length, PieceBytes)];
            tiles.Put(key, (uint)count, piece);
        }

        for (var old = count; old < state.StoredTiles; old++) tiles.Delete(key, (uint)old);
        state.Written(count);
    }

    public void Release(CustomerRequests state)
    {
    }

    /// <summary>Requests end by being decided, and early parts by the wall clock: never by event time.</summary>
    public EventTime ExpiresAt(CustomerRequests state) => new(long.MaxValue);
    public EventTime ExpiresAt(ReadOnlySpan<byte> rootTile) => new(long.MaxValue);
}
