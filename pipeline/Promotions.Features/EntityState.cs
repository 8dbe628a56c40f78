using Promotions.Domain;
using Promotions.Features.State;

namespace Promotions.Features;

/// <summary>What one entity remembers, and the features made of it.</summary>
/// <remarks>Single-threaded. A pure fold: equal histories give equal vectors bit for bit, also when written and loaded again anywhere between.
/// A record later than grace is counted, but its own windows may miss what has left the state: lower bounds.</remarks>
public sealed class EntityState
{
    private readonly EntityPlan _plan;
    private readonly TileSpace _space;
    private readonly Series?[] _series = new Series?[EntityPlan.SeriesCount];
    private readonly OtherSet?[] _others = new OtherSet?[EntityPlan.OtherCount];
    private RequestIds? _ids;
    private long _newest = long.MinValue;
    private long _first = long.MaxValue;
    private bool _clear;

    private EntityState(in EntityKey key, ITileReader tiles)
    {
        Key = key;
        _plan = EntityPlan.Of(key.Kind);
        _space = new TileSpace(key, tiles);
    }

    public EntityKey Key { get; }

    /// <summary>Memory held, within a few per cent. Unit: bytes.</summary>
    public long SizeBytes
    {
        get
        {
            var bytes = 350 + (_ids?.SizeBytes ?? 0);
            foreach (var series in _series) bytes += series?.SizeBytes ?? 0;
            foreach (var others in _others) bytes += others?.SizeBytes ?? 0;
            return bytes;
        }
    }

    /// <summary>From this event time on the state is as good as none: drop it, or keep it, with the same vectors to come. The epoch while nothing is known.</summary>
    public EventTime ExpiresAt => new(_newest == long.MinValue ? 0 : _newest + Windows.ThirtyDays + Windows.Grace);

    /// <summary>The same, read from a stored root tile without loading the state.</summary>
    public static EventTime ExpiresAtOf(ReadOnlySpan<byte> rootTile)
    {
        var newest = System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(rootTile[sizeof(ulong)..]);
        return new(newest == long.MinValue ? 0 : newest + Windows.ThirtyDays + Windows.Grace);
    }

    /// <summary>Something changed since the last <see cref="WriteDirty"/>.</summary>
    public bool IsDirty { get; private set; }

    /// <summary>Nodes visited since loading: what the tests hold bounded in place of time.</summary>
    internal long Touches => _space.Touches;

    private long OrderedUpTo => _newest == long.MinValue ? long.MinValue + Windows.ThirtyDays : _newest - Windows.Grace;

    /// <summary>Loads the root tile, or starts new where there is none. Old events are read when a window reaches them.</summary>
    /// <exception cref="InvalidDataException">Written under another layout, or torn: rebuild feature state from the log.</exception>
    public static EntityState Load(in EntityKey key, ITileReader tiles)
    {
        var state = new EntityState(in key, tiles);
        Span<byte> buffer = stackalloc byte[Tile.BytesMax];
        var length = tiles.Read(in key, Tile.Root, buffer);
        if (length >= 0) state.ReadRoot(buffer[..length]);
        return state;
    }

    /// <summary>Counts the attempt, unless its id was counted within grace, and writes the entity's part of the vector at its time.</summary>
    /// <param name="part">As long as <see cref="FeatureRegistry.Block"/> of the kind.</param>
    public void Observe(in Observation observation, Span<float> part)
    {
        var time = observation.At.UnixMilliseconds;
        ForgetIfExpired(time);
        var previous = _plan.HasSinceLast ? _series[(int)SeriesKind.Attempts]?.LatestUpTo(_space, time) ?? long.MinValue : long.MinValue;
        if (_ids is null || !_ids.Contains(observation.RequestKey, time, OrderedUpTo)) Count(in observation, time);
        Measure(time, previous, part);
    }

    /// <summary>Folds in what became of an attempt.</summary>
    public void Apply(in Feedback feedback)
    {
        var time = feedback.At.UnixMilliseconds;
        switch (feedback.Type)
        {
            case FeedbackType.Outcome:
                if (!feedback.Refused) return;
                Advance(time);
                Insert(SeriesKind.Refusals, time, 1);
                if (feedback.InvalidCode) AddCodes(OtherKind.InvalidCodes, feedback.Codes, time);
                break;
            case FeedbackType.Label:
                Advance(time);
                Insert(SeriesKind.Labels, time, feedback.Abuse ? 1 : 0);
                break;
            case FeedbackType.Order:
                Advance(time);
                Insert(SeriesKind.Orders, time, Amount(feedback.Amount));
                break;
            case FeedbackType.Return:
                Advance(time);
                Insert(SeriesKind.Returns, time, Amount(feedback.Amount));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(feedback), "Name the type of feedback.");
        }
    }

    /// <summary>Writes what changed since the last call, and marks all clean. Equal states write equal bytes.</summary>
    public void WriteDirty(ITileWriter writer)
    {
        if (!IsDirty) return;
        var key = Key;
        if (_clear) writer.Clear(in key);
        _clear = false;

        Span<byte> rootBytes = stackalloc byte[Tile.BytesMax];
        Span<byte> buffer = stackalloc byte[Tile.BytesMax];
        var root = new TileCursor(rootBytes);
        root.UInt64(FeatureRegistry.LayoutHash);
        root.Int64(_newest);
        root.Int64(_first);
        root.UInt32(_space.Next);
        foreach (var series in _series)
        {
            root.Byte(series is null ? (byte)0 : (byte)1);
            if (series is null) continue;
            series.WriteNodes(_space, writer, buffer);
            series.WriteRoot(_space, ref root);
        }
        for (var i = 0; i < _others.Length; i++)
        {
            root.Byte(_others[i] is null ? (byte)0 : (byte)1);
            _others[i]?.Write(_space, OtherTile(i), ref root, writer, buffer);
        }
        root.Byte(_ids is null ? (byte)0 : (byte)1);
        _ids?.Write(_space, ref root, writer, buffer);
        _space.WriteDeleted(writer);
        writer.Put(in key, Tile.Root, root.Written);
        IsDirty = false;
    }

    /// <summary>Lets go of clean tiles that no window touched since the last call. Only when what was written is durable and readable.</summary>
    public void Release()
    {
        foreach (var series in _series) series?.Release();
    }

    private void ReadRoot(Span<byte> bytes)
    {
        var root = new TileCursor(bytes);
        var layout = root.ReadUInt64();
        if (layout != FeatureRegistry.LayoutHash)
            throw new InvalidDataException($"Feature state has layout {layout:x16}, this program {FeatureRegistry.LayoutHash:x16}: rebuild it from the log.");
        _newest = root.ReadInt64();
        _first = root.ReadInt64();
        _space.Next = root.ReadUInt32();
        for (var i = 0; i < _series.Length; i++)
            if (root.ReadByte() != 0) _series[i] = Series.ReadRoot(_space, ref root);
        for (var i = 0; i < _others.Length; i++)
            if (root.ReadByte() != 0) _others[i] = OtherSet.Read(_space, OtherTile(i), ref root);
        if (root.ReadByte() != 0) _ids = RequestIds.Read(_space, ref root);
    }

    private static uint OtherTile(int other) => (uint)(1 + other);

    private static long Amount(long minorUnits) => Math.Clamp(minorUnits, -Windows.AmountMax, Windows.AmountMax);

    private void Count(in Observation observation, long time)
    {
        Advance(time);
        (_ids ??= new()).Add(_space, observation.RequestKey, time, OrderedUpTo);
        _first = Math.Min(_first, time);
        Insert(SeriesKind.Attempts, time, Amount(observation.Amount));
        Add(OtherKind.Accounts, observation.Customer, time);
        Add(OtherKind.Devices, observation.Device, time);
        Add(OtherKind.Ips, observation.Ip, time);
        AddCodes(OtherKind.Codes, observation.Codes, time);
    }

    private void Advance(long time)
    {
        ForgetIfExpired(time);
        _newest = Math.Max(_newest, time);
        IsDirty = true;
    }

    private void ForgetIfExpired(long time)
    {
        if (_newest == long.MinValue || time < ExpiresAt.UnixMilliseconds) return;
        Array.Clear(_series);
        Array.Clear(_others);
        _ids = null;
        _newest = long.MinValue;
        _first = long.MaxValue;
        _space.Forget();
        _clear = IsDirty = true;
    }

    private void Insert(SeriesKind kind, long time, long value)
    {
        var window = _plan.SeriesWindows[(int)kind];
        if (window > 0) (_series[(int)kind] ??= new()).Insert(_space, time, value, OrderedUpTo - window);
    }

    private void Add(OtherKind kind, ulong other, long time)
    {
        var window = _plan.OtherWindows[(int)kind];
        if (window > 0 && other != 0) (_others[(int)kind] ??= new()).Add(other, time, OrderedUpTo - window, OrderedUpTo);
    }

    private void AddCodes(OtherKind kind, in CodeHashes codes, long time)
    {
        for (var i = 0; i < codes.Count; i++) Add(kind, codes[i], time);
    }

    private void Measure(long time, long previous, Span<float> part)
    {
        var features = _plan.Features;
        if (part.Length != features.Length) throw new ArgumentException($"The part of a {Key.Kind} has {features.Length} values.", nameof(part));
        Span<Totals> ends = stackalloc Totals[EntityPlan.SeriesCount];
        for (var i = 0; i < ends.Length; i++) ends[i] = _series[i]?.UpTo(_space, time) ?? default;

        for (var i = 0; i < features.Length; i++)
        {
            var f = features[i];
            part[i] = f.Measure switch
            {
                Features.Measure.Count => InWindow(ends, f.Source, time, f.Window).Count,
                Features.Measure.Sum => InWindow(ends, f.Source, time, f.Window).Sum,
                Features.Measure.Distinct => _others[f.Source]?.Distinct(time - f.Window, time, OrderedUpTo) ?? 0,
                Features.Measure.SinceFirst => Math.Max(0, time - _first),
                Features.Measure.SinceLast => previous > time - f.Window ? time - previous : float.NaN,
                Features.Measure.Burst => Burst(InWindow(ends, 0, time, Windows.TenMinutes).Count, InWindow(ends, 0, time, f.Window).Count, f.Window),
                Features.Measure.AbuseRate => AbuseRate(InWindow(ends, (int)SeriesKind.Labels, time, f.Window)),
                _ => throw new InvalidOperationException($"{f.Name} has no measure."),
            };
        }
    }

    private Totals InWindow(Span<Totals> ends, int source, long time, long window)
    {
        var series = _series[source];
        if (series is null) return default;
        var start = series.UpTo(_space, time - window);
        return unchecked(new(ends[source].Count - start.Count, ends[source].Sum - start.Sum));
    }

    private static float Burst(long inTenMinutes, long inWindow, long window) =>
        (float)(inTenMinutes / Math.Max(1.0, inWindow * ((double)Windows.TenMinutes / window)));

    private static float AbuseRate(Totals labels) => (float)(
        (labels.Sum + (FeatureRegistry.AbusePriorShare * FeatureRegistry.AbusePriorWeight)) / (labels.Count + FeatureRegistry.AbusePriorWeight));
}
