using CsCheck;
using Promotions.Domain;

namespace Promotions.Features.Tests;

public class OracleTests
{
    private static readonly Gen<(int Seed, int Kind, int Others)> Any = Gen.Select(Gen.Int[0, 1_000_000], Gen.Int[1, 7], Gen.Int[1, 12]);

    [Fact]
    public void Every_vector_equals_the_plain_definition() => Any.Sample(given =>
    {
        var kind = (EntityKind)given.Kind;
        Compare(new NaiveEntity(kind), EntityState.Load(EntityKey.Of(kind, "x"), NoTiles.Instance), given.Seed, 250, given.Others, (state, _) => state);
    }, iter: 60);

    [Fact]
    public void Loading_again_anywhere_changes_no_bit_of_any_vector() => Any.Sample(given =>
    {
        var kind = (EntityKind)given.Kind;
        var key = EntityKey.Of(kind, "x");
        var store = new TileMemory();
        var random = new Random(given.Seed + 1);
        Compare(new NaiveEntity(kind), EntityState.Load(key, store), given.Seed, 250, given.Others, (state, _) =>
        {
            switch (random.Next(4))
            {
                case 0:
                    state.WriteDirty(store);
                    return EntityState.Load(key, store);
                case 1:
                    state.WriteDirty(store);
                    state.Release();
                    return state;
                default:
                    return state;
            }
        });
    }, iter: 60);

    [Fact]
    public void Equal_histories_write_equal_bytes_however_often_they_were_loaded() => Any.Sample(given =>
    {
        var key = EntityKey.Of((EntityKind)given.Kind, "x");
        TileMemory often = new(), once = new();
        EntityState a = EntityState.Load(key, often), b = EntityState.Load(key, once);
        var part = new float[FeatureRegistry.Block(key.Kind).Length];
        foreach (var (attempt, feedback) in Histories.Make(given.Seed, 200, given.Others))
        {
            if (attempt is { } o)
            {
                a.Observe(o, part);
                b.Observe(o, part);
            }
            if (feedback is { } f)
            {
                a.Apply(f);
                b.Apply(f);
            }
            a.WriteDirty(often);
            a = EntityState.Load(key, often);
        }
        b.WriteDirty(once);
        Assert.Equal(often.Tiles, once.Tiles);
    }, iter: 60);

    [Fact]
    public void Leaves_that_split_and_are_dropped_and_reloaded_still_answer_like_the_definition()
    {
        // Dense enough for hundreds of leaves' worth of splitting in the middle, long enough for dropping at the front.
        var key = EntityKey.Of(EntityKind.Customer, "x");
        var store = new TileMemory();
        var state = EntityState.Load(key, store);
        var naive = new NaiveEntity(EntityKind.Customer);
        var random = new Random(7);
        var part = new float[FeatureRegistry.Block(EntityKind.Customer).Length];
        var now = Histories.Start;
        for (var i = 0; i < 6000; i++)
        {
            now += random.Next(i is > 3000 and < 3050 ? 60_000_000 : 20_000);
            var at = now - (random.Next(2) * random.NextInt64(Windows.Grace));
            var o = new Observation(new(at), (ulong)(i + 1), random.Next(5000), 1, (ulong)random.Next(1, 5), (ulong)random.Next(1, 5), new([(ulong)random.Next(1, 9)]), Country.FromNumber(i % 7 == 0 ? 0 : 80 + (i % 3)));
            state.Observe(o, part);
            var expected = naive.Observe(o);
            Assert.Equal(expected, part);
            if (i % 500 == 499)
            {
                state.WriteDirty(store);
                if (i % 1000 == 999) state = EntityState.Load(key, store);
                else state.Release();
            }
        }
        Assert.True(store.Tiles.Count > 10);
    }

    private static void Compare(NaiveEntity naive, EntityState state, int seed, int length, int others, Func<EntityState, int, EntityState> between)
    {
        var block = FeatureRegistry.Block(state.Key.Kind);
        var part = new float[block.Length];
        var step = 0;
        foreach (var (attempt, feedback) in Histories.Make(seed, length, others))
        {
            if (feedback is { } f)
            {
                naive.Apply(f);
                state.Apply(f);
            }
            if (attempt is { } o)
            {
                var expected = naive.Observe(o);
                state.Observe(o, part);
                for (var i = 0; i < part.Length; i++)
                    if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(part[i]))
                        Assert.Fail($"step {step}, {FeatureRegistry.Features[block.Offset + i].Name}: expected {expected[i]}, was {part[i]}");
            }
            state = between(state, step++);
        }
    }
}
