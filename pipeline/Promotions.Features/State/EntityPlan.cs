namespace Promotions.Features.State;

/// <summary>What the state of one kind keeps, and for how long, read off the registry.</summary>
internal sealed class EntityPlan
{
    public const int SeriesCount = 5;
    public const int OtherCount = 5;

    private static readonly EntityPlan[] All = [.. Enumerable.Range(0, Entities.Kinds.Count + 1).Select(k => new EntityPlan((EntityKind)k))];

    private EntityPlan(EntityKind kind)
    {
        var block = FeatureRegistry.Block(kind);
        Features = [.. FeatureRegistry.Features.Skip(block.Offset).Take(block.Length)];
        foreach (var f in Features)
        {
            switch (f.Measure)
            {
                case Measure.Count or Measure.Sum: Keep(SeriesWindows, f.Source, f.Window); break;
                case Measure.Distinct: Keep(OtherWindows, f.Source, f.Window); break;
                case Measure.Burst: Keep(SeriesWindows, (int)SeriesKind.Attempts, f.Window); break;
                case Measure.AbuseRate: Keep(SeriesWindows, (int)SeriesKind.Labels, f.Window); break;
                case Measure.SinceLast:
                    Keep(SeriesWindows, (int)SeriesKind.Attempts, f.Window);
                    HasSinceLast = true;
                    break;
            }
        }
    }

    public static EntityPlan Of(EntityKind kind) => All[(int)kind];

    public FeatureDefinition[] Features { get; }
    public bool HasSinceLast { get; }

    /// <summary>The longest window over each series; 0 where the kind has none.</summary>
    public long[] SeriesWindows { get; } = new long[SeriesCount];
    public long[] OtherWindows { get; } = new long[OtherCount];

    private static void Keep(long[] windows, int source, long window) => windows[source] = Math.Max(windows[source], window);
}
