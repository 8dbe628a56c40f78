using Promotions.Domain;

namespace Promotions.Features.Tests;

/// <summary>Work, tiles and memory are bounded; counted in visits and bytes, never in time.</summary>
public class BoundTests
{
    private const int Burst = 100_000;

    [Fact]
    public void A_hot_coupon_after_silence_visits_a_few_nodes_per_record()
    {
        var state = HotCoupon(NoTiles.Instance, out var newest);
        var part = new float[FeatureRegistry.Block(EntityKind.Coupon).Length];
        foreach (var silence in (long[])[Windows.OneHour, Windows.OneDay, Windows.SevenDays - Windows.OneDay, Windows.OneMinute])
        {
            newest += silence;
            for (var i = 0; i < 50; i++)
            {
                var before = state.Touches;
                state.Observe(An(newest + i, (ulong)(10_000_000 + newest + i)), part);
                Assert.InRange(state.Touches - before, 1, 100);
            }
        }
    }

    [Fact]
    public void Old_leaves_of_a_burst_go_a_few_at_a_time_until_none_is_left()
    {
        var state = HotCoupon(NoTiles.Instance, out var newest);
        var full = state.SizeBytes;
        var part = new float[FeatureRegistry.Block(EntityKind.Coupon).Length];
        var at = newest + Windows.SevenDays + Windows.OneHour; // all left every window of a coupon, none made the state expire
        state.Observe(An(at, 1_000_000_000), part);
        Assert.Equal(1, part[FeatureRegistry.IndexOf("coupon_attempts_24h") - FeatureRegistry.Block(EntityKind.Coupon).Offset]);
        Assert.True(state.SizeBytes > full / 2);
        for (var i = 1; i < 700; i++) state.Observe(An(at + i, (ulong)(1_000_000_000 + i)), part);
        Assert.True(state.SizeBytes < full / 10, $"{state.SizeBytes} of {full}");
    }

    [Fact]
    public void A_checkpoint_puts_what_changed_and_not_what_is_old()
    {
        var store = new TileMemory();
        var state = HotCoupon(store, out var newest);
        state.WriteDirty(store);
        Assert.InRange(store.Puts, 390, 700);
        var puts = store.Puts;
        state.Observe(An(newest + 1, 2_000_000_000), new float[FeatureRegistry.Block(EntityKind.Coupon).Length]);
        state.WriteDirty(store);
        Assert.InRange(store.Puts - puts, 1, 10);
        puts = store.Puts;
        state.WriteDirty(store);
        Assert.Equal(puts, store.Puts);
    }

    [Fact]
    public void Memory_of_a_hot_entity_falls_to_what_its_windows_touch()
    {
        var store = new TileMemory();
        var state = HotCoupon(store, out var newest);
        var part = new float[FeatureRegistry.Block(EntityKind.Coupon).Length];
        var full = state.SizeBytes;
        state.WriteDirty(store);
        state.Release(); // forgets who was touched
        state.Observe(An(newest + 1, 3_000_000_000), part);
        state.WriteDirty(store);
        state.Release();
        Assert.True(state.SizeBytes < full / 3, $"{state.SizeBytes} of {full}"); // most of what stays is 16,384 ids

        var reads = store.Reads;
        var loaded = EntityState.Load(state.Key, store);
        var again = new float[part.Length];
        loaded.Observe(An(newest + 2, 3_000_000_001), again);
        state.Observe(An(newest + 2, 3_000_000_001), part);
        Assert.Equal(part, again);
        Assert.InRange(store.Reads - reads, 1, 150);
    }

    [Theory]
    [InlineData(10, 400, 300)]
    [InlineData(60, 900, 400)]
    public void A_typical_device_is_one_small_tile(int attempts, long bytesMax, int tileBytesMax)
    {
        var store = new TileMemory();
        var state = EntityState.Load(EntityKey.Of(EntityKind.Device, "d"), store);
        var part = new float[FeatureRegistry.Block(EntityKind.Device).Length];
        for (var i = 0; i < attempts; i++)
            state.Observe(new(new(Histories.Start + (i * Windows.ThirtyDays / attempts)), (ulong)(i + 1), 2500, (ulong)(1 + (i % 2)), 3, 4, new([(ulong)(10 + (i % 3))])), part);
        state.WriteDirty(store);
        Assert.InRange(state.SizeBytes, 200, bytesMax);
        Assert.Single(store.Tiles);
        Assert.InRange(store.Tiles[Tile.Root].Length, 50, tileBytesMax);
        TestContext.Current.TestOutputHelper?.WriteLine($"{attempts} attempts: {state.SizeBytes} B held, {store.Tiles[Tile.Root].Length} B written");
    }

    [Fact]
    public void Distinct_others_stop_at_the_bound_and_say_at_least()
    {
        var state = EntityState.Load(EntityKey.Of(EntityKind.Device, "d"), NoTiles.Instance);
        var block = FeatureRegistry.Block(EntityKind.Device);
        var part = new float[block.Length];
        for (var i = 0; i < 2000; i++) state.Observe(An(Histories.Start + i, (ulong)(i + 1)), part);
        var feature = FeatureRegistry.Features[FeatureRegistry.IndexOf("device_accounts_24h")];
        Assert.Equal(FeatureRegistry.DistinctMax, part[feature.Index - block.Offset]);
        Assert.Equal("at least 512 accounts redeemed from this device in 24 h", feature.Sentence(part[feature.Index - block.Offset], "EUR"));
    }

    [Fact]
    public void An_id_counts_once_within_grace_and_anew_after_it()
    {
        var state = EntityState.Load(EntityKey.Of(EntityKind.Customer, "c"), NoTiles.Instance);
        Assert.Equal(1, AttemptsIn30Days(0));
        Assert.Equal(1, AttemptsIn30Days(Windows.Grace));
        Assert.Equal(2, AttemptsIn30Days(Windows.Grace + 1));

        float AttemptsIn30Days(long after)
        {
            var part = new float[FeatureRegistry.Block(EntityKind.Customer).Length];
            state.Observe(An(Histories.Start + after, 5), part);
            return part[FeatureRegistry.IndexOf("customer_attempts_30d") - FeatureRegistry.Block(EntityKind.Customer).Offset];
        }
    }

    [Fact]
    public void State_of_another_layout_is_refused()
    {
        var store = new TileMemory();
        var key = EntityKey.Of(EntityKind.Ip, "192.0.2.1");
        var state = EntityState.Load(key, store);
        state.Observe(An(Histories.Start, 1), new float[FeatureRegistry.Block(EntityKind.Ip).Length]);
        state.WriteDirty(store);
        foreach (var at in (int[])[0, 1]) // the format, and the layout behind it
        {
            store.Tiles[Tile.Root][at] ^= 1;
            Assert.Throws<InvalidDataException>(() => EntityState.Load(key, store));
            store.Tiles[Tile.Root][at] ^= 1;
        }
        Assert.Equal(state.ExpiresAt, EntityState.ExpiryOf(store.Tiles[Tile.Root]));
    }

    private static Observation An(long at, ulong id) => new(new EventTime(at), id, 1000, id, id, id, new([7]));

    /// <summary>A burst that fills hundreds of leaves: 100,000 attempts in 100 minutes, a tenth of them from known customers.</summary>
    private static EntityState HotCoupon(ITileReader tiles, out long newest)
    {
        var state = EntityState.Load(EntityKey.Of(EntityKind.Coupon, "HOT"), tiles);
        var part = new float[FeatureRegistry.Block(EntityKind.Coupon).Length];
        newest = Histories.Start;
        for (var i = 0; i < Burst; i++)
        {
            newest += 60;
            state.Observe(new(new(newest), (ulong)(i + 1), 1000, (ulong)(i % 10 == 0 ? 1 : i + 1), 2, (ulong)(1 + (i % 200)), new([7])), part);
        }
        return state;
    }
}
