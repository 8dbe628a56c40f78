using System.Runtime.CompilerServices;
using Promotions.Domain;
using Promotions.Features.State;

namespace Promotions.Features;

/// <summary>What one entity remembers, and the features made of it.</summary>
/// <remarks>Single-threaded. A pure fold: equal histories give equal vectors bit for bit, also when written and loaded again anywhere between.
/// A record later than grace is counted, but its own windows may miss what has left the state: lower bounds. Two objects unless hot: this and one array.</remarks>
public sealed class EntityState
{
    /// <summary>The form of written state. State of another form is refused: a store that keeps this beside its position clears and rebuilds instead.</summary>
    public const byte StateFormat = 2;

    private const int ObjectBytes = 88;

    private EntityMemory _memory;
    private long _newest = long.MinValue;
    private long _first = long.MaxValue;
    private bool _clear;

    private EntityState(in EntityKey key, ITileReader tiles) => _memory = new(in key, tiles, EntityPlan.Of(key.Kind));

    /// <summary>New, in memory only, with features of its own.</summary>
    internal EntityState(in EntityKey key, EntityPlan plan)
    {
        _memory = new(in key, NoTiles.Instance, plan);
        _memory.Forget();
    }

    public EntityKey Key => _memory.Key;

    /// <summary>Memory held, within a few per cent. Unit: bytes.</summary>
    public long SizeBytes => ObjectBytes + _memory.SizeBytes;

    /// <summary>From this event time on the state is as good as none: drop it, or keep it, with the same vectors to come. The epoch while nothing is known.</summary>
    public EventTime ExpiresAt => ExpiryOf(_newest);

    /// <summary>Something changed since the last <see cref="WriteDirty"/>.</summary>
    public bool IsDirty { get; private set; }

    /// <summary>Nodes visited since loading: what the tests hold bounded in place of time.</summary>
    internal long Touches => _memory.Branches?.Touches ?? 0;

    private long OrderedUpTo => _newest == long.MinValue ? long.MinValue + Windows.ThirtyDays : _newest - Windows.Grace;

    /// <summary>Loads the root tile, or starts new where there is none. Old events are read when a window reaches them.</summary>
    /// <exception cref="InvalidDataException">Written in another format or under another layout, or torn: rebuild feature state from the log.</exception>
    [SkipLocalsInit]
    public static EntityState Load(in EntityKey key, ITileReader tiles)
    {
        Span<byte> buffer = stackalloc byte[Tile.BytesMax];
        var length = tiles.Read(in key, Tile.Root, buffer);
        if (length >= 0) return Load(in key, buffer[..length], tiles);
        var state = new EntityState(in key, tiles);
        state._memory.Forget();
        return state;
    }

    /// <summary>Loads from a root tile in hand.</summary>
    /// <param name="tiles">Asked for the tiles that the root names; only hot entities have any.</param>
    /// <exception cref="InvalidDataException">Written in another format or under another layout, or torn: rebuild feature state from the log.</exception>
    public static EntityState Load(in EntityKey key, ReadOnlySpan<byte> rootTile, ITileReader tiles)
    {
        var state = new EntityState(in key, tiles);
        (state._newest, state._first) = RootTile.Read(ref state._memory, rootTile);
        return state;
    }

    /// <summary><see cref="ExpiresAt"/> of a written entity, read off its root tile.</summary>
    /// <exception cref="InvalidDataException">Written in another format or under another layout, or torn.</exception>
    public static EventTime ExpiryOf(ReadOnlySpan<byte> rootTile)
    {
        var root = new TileDecoder(rootTile);
        return ExpiryOf(RootTile.ReadNewest(ref root));
    }

    /// <summary>Whether an entity of the kind keeps anything of the feedback: of an approved outcome none does, so its state need not be loaded.</summary>
    /// <remarks>Of an outcome it supposes that the entity observed the attempt, whose event time the outcome has.</remarks>
    public static bool WouldChange(EntityKind kind, in Feedback feedback)
    {
        if (feedback.Type != FeedbackType.Outcome) return true;
        if (!feedback.Refused) return false;
        var plan = EntityPlan.Of(kind);
        return plan.SeriesSections[(int)SeriesKind.Refusals] != EntityPlan.None
            || (feedback.InvalidCode && plan.OtherSections[(int)OtherKind.InvalidCodes] != EntityPlan.None);
    }

    /// <summary>Counts the attempt, unless its id was counted within grace, and writes the entity's part of the vector at its time.</summary>
    /// <param name="part">As long as <see cref="FeatureRegistry.Block"/> of the kind, or as the <see cref="FeatureTrial"/> that made the state has features.</param>
    public void Observe(in Observation observation, Span<float> part)
    {
        var time = observation.At.UnixMilliseconds;
        ForgetIfExpired(time);
        var previous = _memory.Plan.HasSinceLast ? Series.LatestUpTo(ref _memory, (int)SeriesKind.Attempts, time) : long.MinValue;
        var before = _memory.Plan.HasTravel && observation.Place.IsKnown ? Series.LastUpTo(ref _memory, (int)SeriesKind.Places, time) : null;
        if (!RequestIds.Contains(ref _memory, observation.RequestKey, time, OrderedUpTo)) Count(in observation, time);
        Measure(time, previous, before is { } left ? Speed(left.Time, left.Value, time, observation.Place) : float.NaN, part);
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
    /// <exception cref="InvalidOperationException">The state is of a <see cref="FeatureTrial"/>: nothing could read it back.</exception>
    public void WriteDirty(ITileWriter writer)
    {
        if (!_memory.Plan.IsServed) throw new InvalidOperationException("Only state of the registry's features is written.");
        if (!IsDirty) return;
        var key = Key;
        if (_clear) writer.Clear(in key);
        _clear = false;
        RootTile.Write(ref _memory, _newest, _first, OrderedUpTo, writer);
        IsDirty = false;
    }

    /// <summary>Lets go of clean tiles that no window touched since the last call. Only when what was written is durable and readable.</summary>
    public void Release() => _memory.Branches?.Release();

    /// <summary>Gives memory back for others to use. The state is never used again.</summary>
    public void Recycle() => _memory.Slab.Recycle();

    private static EventTime ExpiryOf(long newest) => new(newest == long.MinValue ? 0 : newest + Windows.ThirtyDays + Windows.Grace);

    private static long Amount(long minorUnits) => Math.Clamp(minorUnits, -Windows.AmountMax, Windows.AmountMax);

    private void Count(in Observation observation, long time)
    {
        Advance(time);
        RequestIds.Add(ref _memory, observation.RequestKey, time, OrderedUpTo);
        _first = Math.Min(_first, time);
        Insert(SeriesKind.Attempts, time, Amount(observation.Amount));
        if (observation.Place.IsKnown) Insert(SeriesKind.Places, time, observation.Place.Number);
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
        _memory.Forget();
        _newest = long.MinValue;
        _first = long.MaxValue;
        _clear = IsDirty = true;
    }

    private void Insert(SeriesKind kind, long time, long value) => Series.Insert(ref _memory, (int)kind, time, value, OrderedUpTo);

    private void Add(OtherKind kind, ulong other, long time) => OtherSet.Add(ref _memory, (int)kind, other, time, OrderedUpTo);

    private void AddCodes(OtherKind kind, in CodeHashes codes, long time)
    {
        for (var i = 0; i < codes.Count; i++) Add(kind, codes[i], time);
    }

    [SkipLocalsInit]
    private void Measure(long time, long previous, float speed, Span<float> part)
    {
        var plan = _memory.Plan;
        var outputs = plan.Outputs;
        if (part.Length != outputs.Length) throw new ArgumentException($"The part of a {plan.Kind} has {outputs.Length} values.", nameof(part));
        Span<Totals> answers = stackalloc Totals[EntityPlan.QueriesMax];
        for (var s = 0; s < EntityPlan.SeriesCount; s++)
        {
            var queries = plan.Queries(s);
            if (queries.Length > 0) Series.Answer(ref _memory, s, time, queries, answers[plan.FirstQuery(s)..]);
        }

        for (var i = 0; i < outputs.Length; i++)
        {
            ref readonly var o = ref outputs[i];
            part[i] = o.Measure switch
            {
                Features.Measure.Count => answers[o.Query].Count,
                Features.Measure.Sum => answers[o.Query].Sum,
                Features.Measure.Distinct => OtherSet.Distinct(ref _memory, plan.OtherSections[o.Source], time - o.Window, time, OrderedUpTo),
                Features.Measure.SinceFirst => Math.Max(0, time - _first),
                Features.Measure.SinceLast => previous > time - o.Window ? time - previous : float.NaN,
                Features.Measure.Travel => speed,
                Features.Measure.Burst => Burst(answers[o.Query].Count, answers[o.Whole].Count, o.Window),
                _ => AbuseRate(answers[o.Query]),
            };
        }
    }

    /// <summary>Unit: km/h, at least that much; NaN where it is longer ago than a day (in which one gets anywhere) or a country's place is not known.</summary>
    private static float Speed(long leftAt, long leftPlace, long time, Country place)
    {
        if (leftAt <= time - Windows.OneDay || CountryDistances.KilometresAtLeast(Country.FromNumber((int)leftPlace), place) is not { } kilometres) return float.NaN;
        return (float)(kilometres / (Math.Max(time - leftAt, Windows.OneMinute) / (double)Windows.OneHour));
    }

    private static float Burst(long inTenMinutes, long inWindow, long window) =>
        (float)(inTenMinutes / Math.Max(1.0, inWindow * ((double)Windows.TenMinutes / window)));

    private static float AbuseRate(Totals labels) => (float)(
        (labels.Sum + (FeatureRegistry.AbusePriorShare * FeatureRegistry.AbusePriorWeight)) / (labels.Count + FeatureRegistry.AbusePriorWeight));
}
