using Promotions.Domain;
using Promotions.Features;
using Promotions.Processing.State;

namespace Promotions.Processing.Tests;

public class EntityCacheTests
{
    private static readonly float[] Part = new float[FeatureRegistry.Count];

    [Fact]
    public void An_entity_in_hand_is_never_evicted_and_the_limit_holds_between_checkpoints()
    {
        const long limit = 200_000;
        var cache = new EntityCache(new MemoryTileStore(), limit);
        for (var i = 0; i < 5_000; i++)
        {
            Observe(cache, i % 1_500, i);
            if (cache.WantsCheckpoint) cache.Checkpoint(i + 1, FeatureRegistry.LayoutHash, new(i));
            Assert.True(cache.Bytes <= limit * 3 / 2, $"{cache.Bytes} bytes after {i} records");
        }
    }

    [Fact]
    public void A_small_cache_gives_the_same_vectors_as_a_large_one()
    {
        var small = new EntityCache(new MemoryTileStore(), 100_000);
        var large = new EntityCache(new MemoryTileStore(), 1L << 30);
        for (var i = 0; i < 4_000; i++)
        {
            var expected = Observe(large, i * 7 % 900, i);
            Assert.Equal(expected, Observe(small, i * 7 % 900, i));
            if (small.WantsCheckpoint) small.Checkpoint(i + 1, FeatureRegistry.LayoutHash, new(i));
        }

        Assert.True(small.Count < large.Count, "The small cache evicted nothing, so this test shows nothing.");
    }

    private static string Observe(EntityCache cache, int entity, int at)
    {
        var key = EntityKey.Of(EntityKind.Address, $"a-{entity}");
        var part = Part.AsSpan(0, FeatureRegistry.Block(EntityKind.Address).Length);
        cache.Get(key).Observe(new Observation(new EventTime(at * 60_000L), (ulong)at + 1, 500, (ulong)(at % 50) + 1, 1, 1, default), part);
        cache.Changed(key);
        return string.Join(' ', part.ToArray());
    }
}
