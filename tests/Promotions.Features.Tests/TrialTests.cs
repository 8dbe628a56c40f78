using Promotions.Domain;

namespace Promotions.Features.Tests;

/// <summary>Features that the registry does not list, over the same fold.</summary>
public class TrialTests
{
    [Fact]
    public void A_trial_of_the_registrys_features_gives_the_registrys_vectors()
    {
        foreach (var kind in Entities.Kinds)
        {
            var block = FeatureRegistry.Block(kind);
            var tried = new FeatureTrial(kind, [.. FeatureRegistry.Features.Skip(block.Offset).Take(block.Length)]).Start("x");
            var served = EntityState.Load(EntityKey.Of(kind, "x"), NoTiles.Instance);
            float[] expected = new float[block.Length], part = new float[block.Length];
            foreach (var (attempt, feedback) in Histories.Make(5, 400, 9))
            {
                if (feedback is { } f)
                {
                    served.Apply(f);
                    tried.Apply(f);
                }
                if (attempt is not { } o) continue;
                served.Observe(o, expected);
                tried.Observe(o, part);
                Assert.Equal(expected, part);
            }
        }
    }

    [Fact]
    public void Windows_of_its_own_are_exact()
    {
        var state = new FeatureTrial(EntityKind.Device, [Labels(Measure.Count, 3), Labels(Measure.Sum, 3), Labels(Measure.Sum, 14)]).Start("x");
        var part = new float[3];
        var start = Histories.Start;
        foreach (var (day, abuse) in new[] { (0, true), (11, true), (12, false), (13, true) })
            state.Apply(new(FeedbackType.Label, new(start + (day * Windows.OneDay)), false, false, abuse, 0, default));
        state.Observe(new(new(start + (14 * Windows.OneDay)), 1, 100, 2, 3, 0, default), part);
        Assert.Equal([2, 1, 2], part);                 // (11, 14] and (0, 14]: the edge is out
    }

    [Fact]
    public void A_trial_is_not_written_and_refuses_what_state_does_not_keep()
    {
        var state = new FeatureTrial(EntityKind.Device, [Labels(Measure.Count, 3)]).Start("x");
        Assert.Throws<InvalidOperationException>(() => state.WriteDirty(new TileMemory()));
        Assert.Throws<ArgumentException>(() => new FeatureTrial(EntityKind.Device, [Labels(Measure.Count, 31)]));
        Assert.Throws<ArgumentException>(() => new FeatureTrial(EntityKind.Ip, [Labels(Measure.Count, 3)]));
        Assert.Throws<ArgumentException>(() => new FeatureTrial(EntityKind.None, [.. FeatureRegistry.Features.Take(1)]));
    }

    private static FeatureDefinition Labels(Measure measure, int days) =>
        new(0, $"labels_{days}d", EntityKind.Device, FeatureUnit.Count, days * Windows.OneDay, measure, (byte)SeriesKind.Labels, Exactness.Exact, Combine.Largest, "", "", "", "{0}");
}
