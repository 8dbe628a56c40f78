using System.Buffers.Binary;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Streams.State;

namespace Promotions.Processing.Topologies;

/// <summary>One fact about one entity: what became known, by type and id.</summary>
internal readonly record struct FeedbackKey(EntityKey Entity, FeedbackType Type, ulong Id)
{
    public const int Length = EntityKey.Length + 1 + sizeof(ulong);

    public void WriteTo(Span<byte> destination)
    {
        Entity.WriteTo(destination);
        destination[EntityKey.Length] = (byte)Type;
        BinaryPrimitives.WriteUInt64BigEndian(destination[(EntityKey.Length + 1)..], Id);
    }

    public static FeedbackKey ReadFrom(ReadOnlySpan<byte> source) =>
        new(EntityKey.ReadFrom(source), (FeedbackType)source[EntityKey.Length], BinaryPrimitives.ReadUInt64BigEndian(source[(EntityKey.Length + 1)..]));
}

/// <summary>Whether a fact was counted, for as long as any window could count it.</summary>
internal sealed class CountedFeedback(EventTime? at, bool isStored)
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(31);

    public bool IsDirty { get; private set; }
    public EventTime ExpiresAt => at is { } time ? time.Plus(Kept) : default;

    /// <returns>False: counted before.</returns>
    public bool TryCount(EventTime now)
    {
        if (at is not null) return false;
        at = now;
        IsDirty = !isStored;
        return true;
    }

    public EventTime Write()
    {
        (IsDirty, isStored) = (false, true);
        return at!.Value;
    }

    public static EventTime ExpiryOf(ReadOnlySpan<byte> tile) => new EventTime(BinaryPrimitives.ReadInt64LittleEndian(tile)).Plus(Kept);
}

/// <summary>The event time of a counted fact, in one small tile.</summary>
internal sealed class CountedFeedbackSerde : IStateSerde<FeedbackKey, CountedFeedback>
{
    private const long StateBytes = 48;
    private readonly byte[] _tile = new byte[IStateBackend.ValueBytesMax];

    public int KeyLength => FeedbackKey.Length;
    public void WriteKey(in FeedbackKey key, Span<byte> destination) => key.WriteTo(destination);
    public FeedbackKey ReadKey(ReadOnlySpan<byte> source) => FeedbackKey.ReadFrom(source);

    public CountedFeedback Load(in FeedbackKey key, ITileSource<FeedbackKey> tiles) =>
        tiles.Read(key, 0, _tile) < 0 ? new(null, false) : new(new(BinaryPrimitives.ReadInt64LittleEndian(_tile)), true);

    public long SizeBytes(CountedFeedback state) => StateBytes;
    public bool IsDirty(CountedFeedback state) => state.IsDirty;

    public void WriteDirty(in FeedbackKey key, CountedFeedback state, ITileSink<FeedbackKey> tiles)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_tile, state.Write().UnixMilliseconds);
        tiles.Put(key, 0, _tile.AsSpan(0, sizeof(long)));
    }

    public void Release(CountedFeedback state)
    {
    }

    public EventTime ExpiresAt(CountedFeedback state) => state.ExpiresAt;
    public EventTime ExpiresAt(ReadOnlySpan<byte> rootTile) => CountedFeedback.ExpiryOf(rootTile);
}
