namespace Promotions.Features.State;

/// <summary>A window over a series that some feature asks for.</summary>
/// <param name="Sum">The amounts too, not the count alone.</param>
internal readonly record struct WindowQuery(long Window, bool Sum);

/// <summary>How one feature is made of the answers.</summary>
/// <param name="Source">Distinct: the <see cref="OtherKind"/>.</param>
/// <param name="Query">Index of the answer that it is made of; of a burst, of ten minutes.</param>
/// <param name="Whole">Burst: index of the answer for the whole window.</param>
internal readonly record struct Output(Measure Measure, byte Source, byte Query, byte Whole, long Window);

/// <summary>What the state of one kind keeps, for how long, where in the slab, and how its features are made, read off the registry.</summary>
/// <remarks>Sections in order: one for each series kept (times, values where some feature sums them), two for each set of others
/// (values, times) and (values, from, to), one for request ids (ids, times).</remarks>
internal sealed class EntityPlan
{
    public const int SeriesCount = 6;
    public const int OtherCount = 5;
    public const int QueriesMax = 16;
    public const int SectionsMax = SeriesCount + (2 * OtherCount) + 1;

    /// <summary>Of a section that the kind has not.</summary>
    public const int None = -1;

    private static readonly EntityPlan[] All = [.. Enumerable.Range(0, Entities.Kinds.Count + 1).Select(k => new EntityPlan((EntityKind)k, OfRegistry((EntityKind)k)))];

    private readonly WindowQuery[] _queries;
    private readonly int[] _queriesBefore = new int[SeriesCount + 1];
    private readonly Slab _empty;
    private readonly byte[] _columns;

    /// <param name="features">None of them the request's own; in the order of the outputs.</param>
    internal EntityPlan(EntityKind kind, IReadOnlyList<FeatureDefinition> features)
    {
        Kind = kind;
        var queries = new List<WindowQuery>();
        for (var s = 0; s < SeriesCount; s++)
        {
            var asked = features.SelectMany(QueriesOf).Where(q => (int)q.Series == s).Select(q => q.Query).ToList();
            queries.AddRange(asked.GroupBy(q => q.Window).Select(g => new WindowQuery(g.Key, g.Any(q => q.Sum))).OrderBy(q => q.Window));
            _queriesBefore[s + 1] = queries.Count;
            HasValues[s] = asked.Any(q => q.Sum) || features.Any(f => f.Measure == Measure.Travel && f.Source == s);
            SeriesWindows[s] = features.SelectMany(WindowsOf).Where(w => (int)w.Series == s).Select(w => w.Window).DefaultIfEmpty(0).Max();
        }
        _queries = [.. queries];
        if (_queries.Length > QueriesMax) throw new InvalidOperationException($"A {kind} asks for {_queries.Length} windows: raise {nameof(QueriesMax)}.");
        for (var o = 0; o < OtherCount; o++)
            OtherWindows[o] = features.Where(f => f.Measure == Measure.Distinct && f.Source == o).Select(f => f.Window).DefaultIfEmpty(0).Max();
        HasSinceLast = features.Any(f => f.Measure == Measure.SinceLast);
        HasTravel = features.Any(f => f.Measure == Measure.Travel);
        Outputs = [.. features.Select(OutputOf)];

        var columns = new List<byte>();
        var capacities = new List<int>();
        for (var s = 0; s < SeriesCount; s++)
            SeriesSections[s] = SeriesWindows[s] == 0 ? None : Section(HasValues[s] ? 2 : 1, s == (int)SeriesKind.Attempts ? 1 : 0);
        for (var o = 0; o < OtherCount; o++)
        {
            OtherSections[o] = OtherWindows[o] == 0 ? None : Section(2, o == (int)OtherKind.InvalidCodes ? 0 : 1);
            if (OtherWindows[o] > 0) Section(3, 0);
        }
        IdsSection = Section(2, 1);
        _columns = [.. columns];
        _empty = new(_columns, capacities.ToArray());

        int Section(int width, int capacity)
        {
            columns.Add((byte)width);
            capacities.Add(capacity);
            return columns.Count - 1;
        }
    }

    public static EntityPlan Of(EntityKind kind) => All[(int)kind];

    /// <summary>The registry's own plan of the kind: what is written and read back.</summary>
    public bool IsServed => ReferenceEquals(this, All[(int)Kind]);

    public EntityKind Kind { get; }
    public bool HasSinceLast { get; }
    public bool HasTravel { get; }
    public Output[] Outputs { get; }
    public int Sections => _columns.Length;

    /// <summary>The section of each series; <see cref="None"/> where the kind keeps none.</summary>
    public int[] SeriesSections { get; } = new int[SeriesCount];

    /// <summary>The section of each set; that of its intervals is the next.</summary>
    public int[] OtherSections { get; } = new int[OtherCount];
    public int IdsSection { get; }

    /// <summary>Some feature sums the values of the series, or asks for the last: others keep times alone.</summary>
    public bool[] HasValues { get; } = new bool[SeriesCount];

    /// <summary>The longest window over each series; 0 where the kind has none.</summary>
    public long[] SeriesWindows { get; } = new long[SeriesCount];
    public long[] OtherWindows { get; } = new long[OtherCount];

    /// <summary>A slab with room for the first attempt.</summary>
    public Slab NewSlab() => _empty.Copy();

    public Slab NewSlab(ReadOnlySpan<int> capacities) => new(_columns, capacities);

    /// <summary>Index of the series' first answer.</summary>
    public int FirstQuery(int series) => _queriesBefore[series];

    /// <summary>What is asked of the series, shortest window first.</summary>
    public ReadOnlySpan<WindowQuery> Queries(int series) => _queries.AsSpan(_queriesBefore[series].._queriesBefore[series + 1]);

    private static FeatureDefinition[] OfRegistry(EntityKind kind)
    {
        var block = FeatureRegistry.Block(kind);
        return [.. FeatureRegistry.Features.Skip(block.Offset).Take(block.Length).Where(f => f.Measure != Measure.Request)];
    }

    private static IEnumerable<(SeriesKind Series, WindowQuery Query)> QueriesOf(FeatureDefinition f) => f.Measure switch
    {
        Measure.Count => [((SeriesKind)f.Source, new(f.Window, false))],
        Measure.Sum => [((SeriesKind)f.Source, new(f.Window, true))],
        Measure.Burst => [(SeriesKind.Attempts, new(Windows.TenMinutes, false)), (SeriesKind.Attempts, new(f.Window, false))],
        Measure.AbuseRate => [(SeriesKind.Labels, new(f.Window, true))],
        _ => [],
    };

    private static IEnumerable<(SeriesKind Series, long Window)> WindowsOf(FeatureDefinition f) =>
        f.Measure is Measure.SinceLast or Measure.Travel ? [((SeriesKind)f.Source, f.Window)] : QueriesOf(f).Select(q => (q.Series, q.Query.Window));

    private Output OutputOf(FeatureDefinition f)
    {
        var series = f.Measure switch { Measure.Burst => (int)SeriesKind.Attempts, Measure.AbuseRate => (int)SeriesKind.Labels, _ => f.Source };
        return f.Measure switch
        {
            Measure.Burst => new(f.Measure, 0, Find(series, Windows.TenMinutes), Find(series, f.Window), f.Window),
            Measure.Count or Measure.Sum or Measure.AbuseRate => new(f.Measure, 0, Find(series, f.Window), 0, f.Window),
            Measure.Distinct or Measure.SinceFirst or Measure.SinceLast or Measure.Travel => new(f.Measure, f.Source, 0, 0, f.Window),
            _ => throw new InvalidOperationException($"{f.Name} has no measure."),
        };
    }

    private byte Find(int series, long window)
    {
        for (var q = _queriesBefore[series]; q < _queriesBefore[series + 1]; q++)
            if (_queries[q].Window == window) return (byte)q;
        throw new InvalidOperationException($"Nothing asks for {window} ms of series {series}.");
    }
}
