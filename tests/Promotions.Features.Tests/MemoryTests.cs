namespace Promotions.Features.Tests;

/// <summary>What entities hold, write and allocate, counted in bytes.</summary>
public class MemoryTests
{
    [Theory]
    [InlineData(EntityKind.Customer)]
    [InlineData(EntityKind.Device)]
    [InlineData(EntityKind.Ip)]
    [InlineData(EntityKind.Address)]
    public void Observing_allocates_only_while_something_grows(EntityKind kind)
    {
        var state = EntityState.Load(EntityKey.Of(kind, "x"), NoTiles.Instance);
        var part = new float[FeatureRegistry.Block(kind).Length];
        var at = Histories.Start;
        var codes = new CodeHashes([11]);
        for (var i = 0; i < 2_000; i++) Observe(i); // until each section is as large as its windows make it
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 2_000; i < 6_000; i++) Observe(i);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Observe(int i)
        {
            at += Windows.OneDay;
            state.Observe(new(new(at), (ulong)(i + 1), 1_000, (ulong)(1 + (i % 3)), (ulong)(1 + (i % 2)), 5, codes), part);
        }
    }

    [Theory]
    [InlineData(EntityKind.Customer, 12)]
    [InlineData(EntityKind.Ip, 200)]
    [InlineData(EntityKind.Coupon, 30_000)]
    [InlineData(EntityKind.Customer, 30_000)]
    public void Size_is_what_loading_allocates(EntityKind kind, int attempts)
    {
        var store = new TileMemory();
        var key = EntityKey.Of(kind, "x");
        var part = new float[FeatureRegistry.Block(kind).Length];
        var state = EntityState.Load(key, store);
        for (var i = 0; i < attempts; i++)
            state.Observe(new(new(Histories.Start + (i * 50L)), (ulong)(i + 1), 1_000, (ulong)(1 + (i % 700)), 2, 3, new([7])), part);
        state.WriteDirty(store);
        var loaded = EntityState.Load(key, store);
        var times = Math.Max(1, (8 << 20) / loaded.SizeBytes); // a collection in between makes the count wrong by a few kilobytes: a small part of many loads
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < times; i++) loaded = EntityState.Load(key, store);
        var held = (GC.GetAllocatedBytesForCurrentThread() - before) / times;
        Assert.InRange(loaded.SizeBytes, held * 0.93, held * 1.03);
    }

    [Fact]
    public void A_tile_that_is_torn_or_foreign_is_refused_with_one_exception()
    {
        var store = new TileMemory();
        var key = EntityKey.Of(EntityKind.Customer, "x");
        var state = EntityState.Load(key, store);
        var part = new float[FeatureRegistry.Block(EntityKind.Customer).Length];
        foreach (var (attempt, feedback) in Histories.Make(5, 60, 5))
        {
            if (attempt is { } o) state.Observe(o, part);
            if (feedback is { } f) state.Apply(f);
        }
        state.WriteDirty(store);
        var whole = store.Tiles[Tile.Root];
        for (var length = 0; length < whole.Length; length++)
            Assert.Throws<InvalidDataException>(() => EntityState.Load(key, whole.AsSpan(0, length), NoTiles.Instance));
        Assert.Throws<InvalidDataException>(() => EntityState.Load(key, [.. whole, 0], NoTiles.Instance));

        var random = new Random(3);
        for (var i = 0; i < 5_000; i++)
        {
            byte[] spoiled = [.. whole];
            spoiled[random.Next(5, spoiled.Length)] = (byte)random.Next(256);
            try
            {
                EntityState.Load(key, spoiled, NoTiles.Instance);
            }
            catch (InvalidDataException)
            {
                continue; // anything but this one fails the test
            }
        }
    }

    [Theory]
    [InlineData(EntityKind.Device)]
    [InlineData(EntityKind.Coupon)]
    [InlineData(EntityKind.Address)]
    public void Feedback_that_would_change_nothing_may_be_left_out(EntityKind kind)
    {
        TileMemory all = new(), some = new();
        var key = EntityKey.Of(kind, "x");
        EntityState a = EntityState.Load(key, all), b = EntityState.Load(key, some);
        var part = new float[FeatureRegistry.Block(kind).Length];
        var left = 0;
        foreach (var (attempt, _) in Histories.Make(9, 400, 6))
        {
            if (attempt is not { } o) continue;
            a.Observe(o, part);
            b.Observe(o, part);
            var outcome = new Feedback(FeedbackType.Outcome, o.At, o.Amount % 3 == 0, o.Amount % 2 == 0, false, 0, o.Codes);
            a.Apply(outcome);
            if (EntityState.WouldChange(kind, outcome)) b.Apply(outcome);
            else left++;
        }
        a.WriteDirty(all);
        b.WriteDirty(some);
        Assert.Equal(all.Tiles, some.Tiles);
        Assert.InRange(left, 100, 400);
    }
}
