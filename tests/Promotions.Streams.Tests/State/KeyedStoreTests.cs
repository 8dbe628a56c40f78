using CsCheck;
using Promotions.Domain;
using Promotions.Streams.State;

namespace Promotions.Streams.Tests.State;

public sealed class KeyedStoreTests
{
    private const long Limit = 64 << 10;
    private static readonly StoreDefinition<int, Counter> Definition = new("counters", 1, new CounterSerde(), Limit);

    [Fact]
    public void State_survives_eviction_because_it_was_checkpointed()
    {
        using var stores = new StateStores(new InMemoryBackend(), 1);
        var store = stores.Open(Definition);
        for (var key = 0; key < 2_000; key++) Add(stores, store, key);
        Assert.True(store.CachedCount < 2_000);
        for (var key = 0; key < 2_000; key++) Assert.Equal(2, Add(stores, store, key));
        Assert.True(store.Loads > 2_000);
    }

    [Fact]
    public void The_cache_keeps_to_its_limit_whatever_comes() =>
        Gen.Int[0, 3_000].Array[0, 4_000].Sample(keys =>
        {
            using var stores = new StateStores(new InMemoryBackend(), 1);
            var store = stores.Open(Definition);
            var model = new Dictionary<int, long>();
            foreach (var key in keys)
            {
                model[key] = model.GetValueOrDefault(key) + 1;
                Assert.Equal(model[key], Add(stores, store, key));
                Assert.InRange(store.CachedBytes, 0, Limit);
                Assert.InRange(store.DirtyBytes, 0, store.CachedBytes);
            }
        }, iter: 10, threads: 1);

    [Fact]
    public void Changed_states_are_never_evicted_and_ask_for_a_checkpoint()
    {
        using var stores = new StateStores(new InMemoryBackend(), 1);
        var store = stores.Open(Definition);
        for (var key = 0; key < 1_000; key++)
        {
            store.Get(key).Add(new(key));
            stores.Settle();
        }

        Assert.True(stores.WantsCheckpoint);
        Assert.Equal(1_000, store.CachedCount);
        stores.Checkpoint(1_000);
        Assert.False(stores.WantsCheckpoint);
        Assert.Equal(0, store.DirtyBytes);
        for (var record = 0; record < 40; record++) stores.Settle();       // some leave after each record, so that none waits for all of them
        Assert.InRange(store.CachedBytes, 1, Limit);
    }

    [Fact]
    public void Rolling_back_returns_to_the_checkpoint()
    {
        using var stores = new StateStores(new InMemoryBackend(), 1);
        var store = stores.Open(Definition);
        store.Get(7).Add(new(1));
        stores.Checkpoint(10);
        store.Get(7).Add(new(2));
        store.Get(8).Add(new(2));
        stores.Settle();
        stores.RollBack();
        Assert.Equal((10, 1, 0), (stores.Position, store.Get(7).Count, store.Get(8).Count));
    }

    [Fact]
    public void A_checkpoint_holds_the_moment_at_which_it_began_whatever_records_do_while_it_is_written() =>
        Gen.Select(Gen.Int[0, 40].Array[1, 200], Gen.Int[0, 40].Array[0, 200], Gen.Int[1, 9]).Sample((before, during, step) =>
        {
            var backend = new InMemoryBackend();
            using var stores = new StateStores(backend, 1);
            var store = stores.Open(Definition);
            foreach (var key in before) Count(stores, store, key);
            stores.BeginCheckpoint(1, null);
            var committed = false;
            foreach (var key in during)
            {
                if (!committed && stores.WriteCheckpoint(step))
                {
                    stores.CommitCheckpoint();
                    committed = true;
                }

                Count(stores, store, key);
            }

            while (!committed && !stores.WriteCheckpoint(step))
            {
            }

            if (!committed) stores.CommitCheckpoint();
            while (!stores.ReleaseCheckpoint(step))
            {
            }

            Assert.Equal(CountsOf(before), Contents(backend));
            stores.RollBack();
            foreach (var (key, count) in CountsOf(before)) Assert.Equal(count, store.Get(key).Count);
            foreach (var key in during) Count(stores, store, key);
            stores.Checkpoint(2);
            Assert.Equal(0, store.DirtyBytes);
            Assert.Equal(CountsOf([.. before, .. during]), Contents(backend));
        }, iter: 300, threads: 1);

    [Fact]
    public void A_checkpoint_that_is_rolled_back_leaves_nothing_and_the_next_one_all()
    {
        var backend = new InMemoryBackend();
        using var stores = new StateStores(backend, 1);
        var store = stores.Open(Definition);
        foreach (var key in Enumerable.Range(0, 10)) Count(stores, store, key);
        stores.BeginCheckpoint(1, null);
        stores.WriteCheckpoint(5);
        stores.RollBack();
        Assert.Equal(0, backend.Position);
        Count(stores, store, 3);
        stores.Checkpoint(1);
        Assert.Equal(CountsOf([3]), Contents(backend));
    }

    [Fact]
    public void Another_layout_starts_from_nothing()
    {
        var backend = new InMemoryBackend();
        var before = new StateStores(backend, 1);
        before.Open(Definition).Get(7).Add(new(1));
        before.Checkpoint(10);

        using var stores = new StateStores(backend, 2);
        Assert.Equal((0, 1UL), (stores.Position, stores.ClearedLayout));
        Assert.Equal(0, stores.Open(Definition).Get(7).Count);
    }

    [Fact]
    public void Expired_keys_leave_the_disk_and_others_stay()
    {
        var backend = new InMemoryBackend();
        var definition = new StoreDefinition<int, Counter>("counters", 1, new CounterSerde(idleMs: 100), Limit);
        var first = new StateStores(backend, 1);
        var store = first.Open(definition);
        for (var key = 0; key < 50; key++) store.Get(key).Add(new(key < 20 ? 0 : 1_000));
        first.Checkpoint(1);

        using var stores = new StateStores(backend, 1);
        var again = stores.Open(definition);
        stores.Checkpoint(2, streamTime: new(100));
        Assert.Equal(Enumerable.Range(20, 30), again.Keys());
    }

    [Fact]
    public void Two_stores_with_one_id_are_refused()
    {
        using var stores = new StateStores(new InMemoryBackend(), 1);
        stores.Open(Definition);
        Assert.Throws<ArgumentException>(() => stores.Open(new StoreDefinition<int, Counter>("others", 1, new CounterSerde())));
        Assert.Throws<ArgumentException>(() => stores.Open(new StoreDefinition<int, Counter>("counters", 2, new CounterSerde())));
    }

    private static void Count(StateStores stores, KeyedStore<int, Counter> store, int key)
    {
        store.Get(key).Add(new EventTime(key));
        stores.Settle();
    }

    private static SortedDictionary<int, long> CountsOf(IEnumerable<int> keys) => new(keys.GroupBy(key => key).ToDictionary(group => group.Key, group => (long)group.Count()));

    private static SortedDictionary<int, long> Contents(IStateBackend backend)
    {
        var store = new StateStores(backend, 1).Open(Definition);
        return new(store.Keys().ToDictionary(key => key, key => store.Get(key).Count));
    }

    private static long Add(StateStores stores, KeyedStore<int, Counter> store, int key)
    {
        var count = store.Get(key).Add(new EventTime(key));
        stores.Settle();
        if (stores.WantsCheckpoint) stores.Checkpoint(stores.Position + 1);
        return count;
    }
}
