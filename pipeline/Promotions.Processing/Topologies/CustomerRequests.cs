using System.Buffers;
using System.Runtime.InteropServices;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Processing.Records;

namespace Promotions.Processing.Topologies;

/// <summary>One customer's requests in flight, in the order in which they came, and parts that came before their request.</summary>
/// <remarks>A request is its id and event time, so a retry in flight is another one than its first attempt. A part counts once: what comes again changes nothing.</remarks>
internal sealed class CustomerRequests
{
    /// <summary>Requests of one customer of which parts alone are known. Beyond it the oldest are forgotten, and should their request come, it misses those parts.</summary>
    public const int EarlyMax = 64;

    private const byte Version = 1;
    private const long OwnBytes = 160;
    private static readonly long RequestBytes = 2_048 + (FeatureRegistry.Count * sizeof(float));

    private readonly List<PendingRequest> _announced = [];
    private readonly List<PendingRequest> _early = [];
    private readonly Stack<PendingRequest> _spare = [];
    private bool _changed;

    /// <summary>Memory held, roughly. Unit: bytes.</summary>
    public long SizeBytes => OwnBytes + ((_announced.Count + _early.Count) * RequestBytes);

    public bool IsEmpty => _announced.Count == 0 && _early.Count == 0;

    /// <summary>Tiles that the store holds of it. What was never stored and is empty again needs no write.</summary>
    public int StoredTiles { get; set; }

    public bool IsDirty => _changed && (StoredTiles > 0 || !IsEmpty);

    public IEnumerable<RequestKey> Announced => _announced.Select(static pending => pending.Key);
    public IEnumerable<RequestKey> Early => _early.Select(static pending => pending.Key);

    /// <returns>False: it is in flight already, for the same caller.</returns>
    public bool Announce(ObservedRequest observed, EventTime at)
    {
        var key = new RequestKey(observed.Request.Id, at);
        foreach (var known in _announced)
            if (known.Key == key && known.Observed!.ReplyTo == observed.ReplyTo) return false;
        var pending = TakeEarly(key) ?? New(key);
        pending.Observed = observed;
        _announced.Add(pending);
        _changed = true;
        return true;
    }

    /// <returns>False: no request in flight has such a part.</returns>
    public bool TryPut(in GatherRecord part, EventTime at)
    {
        var found = false;
        foreach (var pending in _announced)
        {
            if (!pending.Key.Is(part.RequestId, at)) continue;
            found = true;
            if (!pending.Put(part)) continue;       // it came again; or it is for a twin: one request that two callers sent within a millisecond
            _changed = true;
            break;
        }

        return found;
    }

    /// <summary>Keeps a part until its request is announced.</summary>
    /// <returns>True: the first of its request.</returns>
    public bool PutEarly(in GatherRecord part, EventTime at)
    {
        PendingRequest? early = null;
        foreach (var pending in _early)
            if (pending.Key.Is(part.RequestId, at)) early = pending;
        var isFirst = early is null;
        if (early is null)
        {
            if (_early.Count == EarlyMax) _early.RemoveAt(0);
            _early.Add(early = New(new(part.RequestId, at)));
        }

        _changed |= early.Put(part);
        return isFirst;
    }

    public void ForgetEarly(in RequestKey key)
    {
        if (TakeEarly(key) is not { } early) return;
        Spare(early);
        _changed = true;
    }

    /// <summary>What of this request has not come by now is late.</summary>
    public void GiveUpWaiting(in RequestKey key)
    {
        foreach (var pending in _announced)
            if (pending.Key == key) pending.IsOverdue = true;
    }

    /// <summary>Takes the first request out, if it waits for nothing more.</summary>
    public bool TryRelease(out GatheredRequest gathered, out EventTime at)
    {
        if (_announced.Count == 0 || !_announced[0].IsReady)
        {
            (gathered, at) = (default, default);
            return false;
        }

        var first = _announced[0];
        (gathered, at) = (new(first.Observed!, first.Vector, first.LateMask), first.Key.At);
        _announced.RemoveAt(0);
        Spare(first);
        _changed = true;
        return true;
    }

    /// <summary>Writes all that is in flight, and counts as unchanged from here on. Whose patience has begun is not written: it begins anew with whoever reads it.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var w = new RecordWriter(output);
        w.Byte(Version);
        w.Count(_announced.Count);
        foreach (var pending in _announced)
        {
            pending.Write(w);
            w.Bytes(ObservedRequest.Encode(pending.Observed!.Request, pending.Observed.Entities, pending.Observed.ReplyTo));
        }

        w.Count(_early.Count);
        foreach (var pending in _early) pending.Write(w);
    }

    public void Written(int tiles) => (StoredTiles, _changed) = (tiles, false);

    /// <exception cref="InvalidDataException">The bytes are not what <see cref="Write"/> wrote.</exception>
    public static CustomerRequests Read(ReadOnlySpan<byte> bytes)
    {
        var r = new RecordReader(bytes);
        if (r.Byte() is var version and not Version) throw new InvalidDataException($"Requests in flight have version {version}; this build writes {Version}.");
        var requests = new CustomerRequests();
        for (var rest = r.Count(); rest > 0; rest--)
        {
            var pending = PendingRequest.Read(ref r);
            pending.Observed = ObservedRequest.Decode(r.Span());
            requests._announced.Add(pending);
        }

        for (var rest = r.Count(); rest > 0; rest--) requests._early.Add(PendingRequest.Read(ref r));
        return requests;
    }

    private PendingRequest New(in RequestKey key)
    {
        var pending = _spare.TryPop(out var spare) ? spare : new();
        pending.Begin(key);
        return pending;
    }

    private void Spare(PendingRequest pending)
    {
        pending.End();
        _spare.Push(pending);
    }

    private PendingRequest? TakeEarly(in RequestKey key)
    {
        for (var i = 0; i < _early.Count; i++)
        {
            if (_early[i].Key != key) continue;
            var found = _early[i];
            _early.RemoveAt(i);
            return found;
        }

        return null;
    }
}

/// <summary>One sending of a request.</summary>
internal readonly record struct RequestKey(string Id, EventTime At)
{
    public bool Is(string id, EventTime at) => At == at && string.Equals(Id, id, StringComparison.Ordinal);
}

/// <summary>A request whose parts are being put together.</summary>
internal sealed class PendingRequest
{
    private ulong _came;

    public RequestKey Key { get; private set; }

    /// <summary>Null before it is announced.</summary>
    public ObservedRequest? Observed { get; set; }
    public float[] Vector { get; private set; } = [];
    public bool IsOverdue { get; set; }

    public bool IsReady => IsOverdue || System.Numerics.BitOperations.PopCount(_came) == Observed!.Keys.Length;

    /// <summary>Bit k: a part of entity kind k has not come.</summary>
    public uint LateMask
    {
        get
        {
            var keys = Observed!.Keys.Span;
            var mask = 0u;
            for (var i = 0; i < keys.Length; i++)
                if ((_came & (1UL << i)) == 0) mask |= 1u << (int)keys[i].Kind;
            return mask;
        }
    }

    public void Begin(in RequestKey key)
    {
        (Key, _came, IsOverdue) = (key, 0, false);
        Vector = new float[FeatureRegistry.Count];
        FeatureVector.Clear(Vector);
    }

    /// <summary>Lets go of what was handed on.</summary>
    public void End() => (Key, Observed, Vector) = (default, null, []);

    /// <returns>False: this part came before.</returns>
    public bool Put(in GatherRecord part)
    {
        var bit = 1UL << part.Part;
        if ((_came & bit) != 0) return false;
        _came |= bit;
        var values = part.Values;
        FeatureVector.Put(Vector, part.Kind, values[..FeatureRegistry.Block(part.Kind).Length]);
        return true;
    }

    public void Write(in RecordWriter w)
    {
        w.Text(Key.Id);
        w.Time(Key.At);
        w.UInt64(_came);
        w.Bytes(MemoryMarshal.AsBytes(Vector.AsSpan()));
    }

    public static PendingRequest Read(ref RecordReader r)
    {
        var pending = new PendingRequest();
        pending.Begin(new(r.Text(), r.Time()));
        pending._came = r.UInt64();
        var vector = MemoryMarshal.Cast<byte, float>(r.Span());
        if (vector.Length != pending.Vector.Length) throw new InvalidDataException($"A vector has {pending.Vector.Length} values, not {vector.Length}.");
        vector.CopyTo(pending.Vector);
        return pending;
    }
}
