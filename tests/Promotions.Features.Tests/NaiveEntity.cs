using Promotions.Domain;

namespace Promotions.Features.Tests;

/// <summary>The definition, as plainly as it can be said: keeps everything, looks at all of it each time.</summary>
internal sealed class NaiveEntity(EntityKind kind)
{
    private readonly List<(SeriesKind Kind, long At, long Value)> _events = [];
    private readonly List<(OtherKind Kind, long At, ulong Other)> _others = [];
    private readonly List<(ulong Id, long At)> _ids = [];
    private long? _newest;

    public float[] Observe(in Observation o)
    {
        var at = o.At.UnixMilliseconds;
        Forget(at);
        var before = _events.Where(e => e.Kind == SeriesKind.Attempts && e.At <= at).Select(e => (long?)e.At).Max();
        var speed = Speed(_events.Where(e => e.Kind == SeriesKind.Places && e.At <= at).OrderBy(e => e.At).Select(e => ((long, long)?)(e.At, e.Value)).LastOrDefault(), at, o.Place);
        var key = o.RequestKey;
        if (!_ids.Any(i => i.Id == key && Math.Abs(i.At - at) <= 600_000))
        {
            Advance(at);
            _ids.Add((o.RequestKey, at));
            _events.Add((SeriesKind.Attempts, at, o.Amount));
            if (o.Place.IsKnown) _events.Add((SeriesKind.Places, at, o.Place.Number));
            if (o.Customer != 0) _others.Add((OtherKind.Accounts, at, o.Customer));
            if (o.Device != 0) _others.Add((OtherKind.Devices, at, o.Device));
            if (o.Ip != 0) _others.Add((OtherKind.Ips, at, o.Ip));
            for (var i = 0; i < o.Codes.Count; i++) _others.Add((OtherKind.Codes, at, o.Codes[i]));
        }
        var block = FeatureRegistry.Block(kind);
        return [.. FeatureRegistry.Features.Skip(block.Offset).Take(block.Length).Select(f => f.Measure == Measure.Travel ? speed : Value(f, at, before))];
    }

    public void Apply(in Feedback f)
    {
        if (f.Type == FeedbackType.Outcome && !f.Refused) return;
        var at = f.At.UnixMilliseconds;
        Forget(at);
        Advance(at);
        _events.Add(f.Type switch
        {
            FeedbackType.Outcome => (SeriesKind.Refusals, at, 1),
            FeedbackType.Label => (SeriesKind.Labels, at, f.Abuse ? 1 : 0),
            FeedbackType.Order => (SeriesKind.Orders, at, f.Amount),
            _ => (SeriesKind.Returns, at, f.Amount),
        });
        if (f.Type == FeedbackType.Outcome && f.InvalidCode)
            for (var i = 0; i < f.Codes.Count; i++) _others.Add((OtherKind.InvalidCodes, at, f.Codes[i]));
    }

    private static float Speed((long At, long Place)? left, long at, Country place)
    {
        if (left is not { } from || !place.IsKnown || from.At <= at - 86_400_000) return float.NaN;
        return CountryDistances.KilometresAtLeast(Country.FromNumber((int)from.Place), place) is { } kilometres ? (float)(kilometres / (Math.Max(60_000, at - from.At) / 3_600_000.0)) : float.NaN;
    }

    private float Value(FeatureDefinition f, long at, long? before)
    {
        switch (f.Measure)
        {
            case Measure.Count: return Window((SeriesKind)f.Source, f.Window).Count();
            case Measure.Sum: return Window((SeriesKind)f.Source, f.Window).Sum(e => e.Value);
            case Measure.Distinct:
                return _others.Where(o => o.Kind == (OtherKind)f.Source && o.At > at - f.Window && o.At <= at).Select(o => o.Other).Distinct().Count();
            case Measure.SinceFirst: return Math.Max(0, at - _events.Where(e => e.Kind == SeriesKind.Attempts).Min(e => e.At));
            case Measure.SinceLast: return before > at - Windows.ThirtyDays ? at - before.Value : float.NaN;
            case Measure.Burst: return (float)(Window(SeriesKind.Attempts, 600_000).Count() / Math.Max(1.0, Window(SeriesKind.Attempts, f.Window).Count() * (600_000.0 / f.Window)));
            case Measure.AbuseRate:
                var labels = Window(SeriesKind.Labels, f.Window).ToList();
                return (float)((labels.Sum(l => l.Value) + 0.1) / (labels.Count + 10.0));
            default: throw new InvalidOperationException(f.Name);
        }

        IEnumerable<(SeriesKind Kind, long At, long Value)> Window(SeriesKind source, long window) =>
            _events.Where(e => e.Kind == source && e.At > at - window && e.At <= at);
    }

    private void Advance(long at) => _newest = Math.Max(_newest ?? at, at);

    private void Forget(long at)
    {
        if (_newest is null || at < _newest + Windows.ThirtyDays + Windows.Grace) return;
        _events.Clear();
        _others.Clear();
        _ids.Clear();
        _newest = null;
    }
}

/// <summary>A store of tiles that counts and checks what is written.</summary>
internal sealed class TileMemory : ITileReader, ITileWriter
{
    public SortedDictionary<uint, byte[]> Tiles { get; } = [];
    public int Reads { get; private set; }
    public int Puts { get; private set; }

    public int Read(in EntityKey entity, uint tile, Span<byte> destination)
    {
        Reads++;
        if (!Tiles.TryGetValue(tile, out var value)) return -1;
        value.CopyTo(destination);
        return value.Length;
    }

    public void Put(in EntityKey entity, uint tile, ReadOnlySpan<byte> value)
    {
        Puts++;
        Assert.InRange(value.Length, 1, Tile.BytesMax);
        Tiles[tile] = value.ToArray();
    }

    public void Delete(in EntityKey entity, uint tile) => Assert.True(Tiles.Remove(tile), $"tile {tile} was never put");
    public void Clear(in EntityKey entity) => Tiles.Clear();
}

/// <summary>Histories with what hurts: equal times, exact edges, disorder within grace, duplicates, feedback, silence.</summary>
internal static class Histories
{
    private static readonly long[] Edges = [0, 1, Windows.OneMinute, Windows.TenMinutes, Windows.OneHour, Windows.OneDay, Windows.SevenDays, Windows.ThirtyDays, Windows.ThirtyDays + Windows.Grace];
    public const long Start = 1_760_000_000_000;

    public static IEnumerable<(Observation? Attempt, Feedback? Feedback)> Make(int seed, int length, int others)
    {
        var random = new Random(seed);
        var newest = Start;
        var times = new List<long> { Start };
        var recent = new List<(ulong Id, long At)>();
        for (var i = 0; i < length; i++)
        {
            long at = random.Next(12) switch
            {
                0 => newest + Edges[random.Next(Edges.Length)] - random.Next(2),
                1 => times[random.Next(times.Count)] + Edges[random.Next(Edges.Length)] + random.Next(-1, 2),
                2 or 3 or 4 => newest - random.NextInt64(Windows.Grace),
                5 => newest,
                6 => newest + random.NextInt64(Windows.OneDay),
                _ => newest + random.NextInt64(Windows.OneMinute),
            };
            at = Math.Max(at, newest - Windows.Grace + 1);
            newest = Math.Max(newest, at);
            times.Add(at);
            if (random.Next(4) == 0)
            {
                yield return (null, new Feedback((FeedbackType)random.Next(1, 5), new EventTime(at), random.Next(3) > 0, random.Next(2) == 0, random.Next(2) == 0, random.Next(10_000), Codes()));
                continue;
            }
            var id = recent.Count > 0 && random.Next(6) == 0 ? recent[random.Next(Math.Max(0, recent.Count - 8), recent.Count)].Id : (ulong)(i + 1);
            recent.Add((id, at));
            yield return (new Observation(new EventTime(at), id, random.Next(100_000), Other(), Other(), Other(), Codes(), Place(id)), null);
        }

        // Of the id, so that histories are those of before there were places.
        Country Place(ulong of) => Country.TryParse((of % 5) switch { 0 => "DE", 1 => "US", 2 => "AU", 3 => "ZZ", _ => null }, out var country) ? country : default;
        ulong Other() => (ulong)random.Next(others + 1);
        CodeHashes Codes() => new([.. Enumerable.Range(0, random.Next(3)).Select(_ => (ulong)random.Next(1, others + 1)).Distinct()]);
    }
}
