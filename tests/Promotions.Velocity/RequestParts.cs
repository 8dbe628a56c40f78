using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Promotions.Domain;
using Promotions.Streams.State;

namespace Promotions.Velocity;

/// <summary>The parts of one request that have come. Empty once it is complete: a request that is put together within a commit interval is never written.</summary>
internal sealed class RequestParts
{
    private const int PartBytes = 16;
    private readonly Counts[] _parts = new Counts[VelocityEvent.Kinds.Length];
    private int _have;
    private bool _stored;

    public bool IsDirty { get; private set; }

    /// <returns>True when all have come; then it is forgotten.</returns>
    public bool Add(int kind, in Counts counts)
    {
        _parts[kind] = counts;
        _have |= 1 << kind;
        var complete = _have == (1 << _parts.Length) - 1;
        if (complete) _have = 0;
        IsDirty = !complete || _stored;
        return complete;
    }

    public ReadOnlySpan<Counts> Parts => _parts;

    [SkipLocalsInit]
    public static RequestParts Load(in UInt128 key, ITileSource<UInt128> tiles)
    {
        Span<byte> tile = stackalloc byte[IStateBackend.ValueBytesMax];
        var state = new RequestParts();
        if (tiles.Read(in key, 0, tile) < 0) return state;
        (state._stored, state._have) = (true, tile[0]);
        for (var i = 0; i < state._parts.Length; i++)
        {
            var part = tile[(1 + (i * PartBytes))..];
            state._parts[i] = new(BinaryPrimitives.ReadInt32LittleEndian(part), BinaryPrimitives.ReadInt32LittleEndian(part[4..]), BinaryPrimitives.ReadInt64LittleEndian(part[8..]));
        }

        return state;
    }

    public void WriteDirty(in UInt128 key, ITileSink<UInt128> tiles)
    {
        if (!IsDirty) return;
        IsDirty = false;
        if (_have == 0)
        {
            tiles.Delete(in key, 0);
            _stored = false;
            return;
        }

        Span<byte> tile = stackalloc byte[1 + (VelocityEvent.Kinds.Length * PartBytes)];
        tile[0] = (byte)_have;
        for (var i = 0; i < _parts.Length; i++)
        {
            var part = tile[(1 + (i * PartBytes))..];
            BinaryPrimitives.WriteInt32LittleEndian(part, _parts[i].Hour);
            BinaryPrimitives.WriteInt32LittleEndian(part[4..], _parts[i].Day);
            BinaryPrimitives.WriteInt64LittleEndian(part[8..], _parts[i].SumDay);
        }

        tiles.Put(in key, 0, tile);
        _stored = true;
    }
}

/// <summary>Keyed by the hash of the request's id.</summary>
internal sealed class RequestPartsSerde : IStateSerde<UInt128, RequestParts>
{
    public static UInt128 KeyOf(string id) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(id.AsSpan()));

    public int KeyLength => 16;
    public void WriteKey(in UInt128 key, Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, key);
    public UInt128 ReadKey(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadUInt128BigEndian(source);
    public RequestParts Load(in UInt128 key, ITileSource<UInt128> tiles) => RequestParts.Load(in key, tiles);
    public long SizeBytes(RequestParts state) => 144;
    public bool IsDirty(RequestParts state) => state.IsDirty;
    public void WriteDirty(in UInt128 key, RequestParts state, ITileSink<UInt128> tiles) => state.WriteDirty(in key, tiles);
    public void Release(RequestParts state) { }

    // A part that never comes keeps its request: as the peer's does.
    public EventTime ExpiresAt(RequestParts state) => new(long.MaxValue);
    public EventTime ExpiresAt(ReadOnlySpan<byte> rootTile) => new(long.MaxValue);
}
