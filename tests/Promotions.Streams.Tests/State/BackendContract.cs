using CsCheck;
using Promotions.Streams.State;

namespace Promotions.Streams.Tests.State;

/// <summary>What every backend must do; each backend's tests inherit it.</summary>
public abstract class BackendContract : IDisposable
{
    private readonly byte[] _buffer = new byte[IStateBackend.ValueBytesMax];

    /// <summary>A new, empty backend.</summary>
    protected abstract IStateBackend Create();

    /// <summary>The same state, opened anew where the backend outlives its process.</summary>
    protected abstract IStateBackend Reopen(IStateBackend backend);

    public virtual void Dispose() => GC.SuppressFinalize(this);

    [Fact]
    public void A_new_backend_stands_at_nothing()
    {
        using var backend = Create();
        Assert.Equal((0, 0UL), (backend.Position, backend.LayoutHash));
        Assert.Equal(-1, backend.Read([1, 2], _buffer));
    }

    [Fact]
    public void A_commit_shows_values_position_and_layout_together()
    {
        var backend = Create();
        using (var batch = backend.Begin())
        {
            batch.Put([1, 7], [9, 9]);
            Assert.Equal(-1, backend.Read([1, 7], _buffer));
            batch.Commit(5, 42);
        }

        using var again = Reopen(backend);
        Assert.Equal([9, 9], Value(again, [1, 7]));
        Assert.Equal((5, 42UL), (again.Position, again.LayoutHash));
    }

    [Fact]
    public void A_batch_that_is_not_committed_leaves_nothing()
    {
        var backend = Create();
        using (var batch = backend.Begin()) batch.Put([1, 7], [9]);
        using var again = Reopen(backend);
        Assert.Null(Value(again, [1, 7]));
        Assert.Equal(0, again.Position);
    }

    [Fact]
    public void The_position_never_goes_back()
    {
        using var backend = Create();
        Commit(backend, 5, _ => { });
        using var batch = backend.Begin();
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Commit(4, 1));
        Assert.Equal(5, backend.Position);
    }

    [Fact]
    public void Changes_of_one_batch_apply_in_order()
    {
        using var backend = Create();
        Commit(backend, 1, batch =>
        {
            batch.Put([1, 1, 1], [1]);
            batch.DeletePrefix([1, 1]);
            batch.Put([1, 1, 2], [2]);
            batch.Put([1, 1, 2], [3]);
        });
        Assert.Null(Value(backend, [1, 1, 1]));
        Assert.Equal([3], Value(backend, [1, 1, 2]));
    }

    [Fact]
    public void Deleting_a_prefix_of_ones_leaves_its_neighbours()
    {
        using var backend = Create();
        Commit(backend, 1, batch =>
        {
            batch.Put([0xFE, 0xFF], [1]);
            batch.Put([0xFF, 0xFF], [2]);
            batch.Put([0xFF, 0xFF, 0xFF, 1], [3]);
        });
        Commit(backend, 2, batch => batch.DeletePrefix([0xFF]));
        Assert.Equal([1], Value(backend, [0xFE, 0xFF]));
        Assert.Null(Value(backend, [0xFF, 0xFF]));
        Assert.Null(Value(backend, [0xFF, 0xFF, 0xFF, 1]));
    }

    [Fact]
    public void Clearing_forgets_everything_for_good()
    {
        var backend = Create();
        Commit(backend, 7, batch => batch.Put([1], [1]));
        backend.Clear();
        using var again = Reopen(backend);
        Assert.Equal((0, 0UL), (again.Position, again.LayoutHash));
        Assert.Equal(0, again.Scan([1], 10, (_, _) => { }));
        Commit(again, 1, batch => batch.Put([2], [2]));
        Assert.Equal([2], Value(again, [2]));
    }

    [Fact]
    public void Values_beyond_sixteen_kilobytes_are_refused()
    {
        using var backend = Create();
        using var batch = backend.Begin();
        Assert.Throws<ArgumentException>(() => batch.Put([1], new byte[IStateBackend.ValueBytesMax + 1]));
        Assert.Throws<ArgumentException>(() => batch.Put([], [1]));
        batch.Put([1], new byte[IStateBackend.ValueBytesMax]);
    }

    /// <summary>A checkpoint commits on a thread of its own while the owner goes on reading.</summary>
    [Fact]
    public async Task A_walk_beside_a_commit_sees_all_of_it_or_nothing_and_is_never_broken_by_it()
    {
        const int keys = 64;
        using var backend = Create();
        Write(1);
        for (byte round = 2; round < 100; round++)
        {
            var value = round;
            var committing = Task.Run(() => Write(value));
            do
            {
                var seen = new List<byte>();
                Assert.Equal(keys, backend.Scan([0], keys + 1, (_, found) => seen.Add(found[0])));
                Assert.True(seen.TrueForAll(one => one == seen[0]), $"Half of a batch was seen: {string.Join(' ', seen)}.");
                Assert.InRange(seen[0], value - 1, value);
            }
            while (!committing.IsCompleted);
            await committing;
        }

        void Write(byte value) => Commit(backend, value, batch =>
        {
            for (byte key = 1; key <= keys; key++) batch.Put([key], [value]);
        });
    }

    [Fact]
    public void A_walk_goes_on_over_what_it_began_with_when_its_visitor_changes_it()
    {
        using var backend = Create();
        Commit(backend, 1, batch =>
        {
            for (byte key = 1; key <= 9; key++) batch.Put([key], [key]);
        });
        var seen = new List<byte>();
        var position = 1;
        backend.Scan([0], 100, (key, _) =>
        {
            var (one, next) = (key[0], (byte)(key[0] + 1));
            seen.Add(one);
            Commit(backend, ++position, batch =>
            {
                batch.Delete([next]);
                batch.Put([(byte)(100 + one)], [one]);
            });
        });
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], seen);
    }

    [Fact]
    public void A_scan_goes_by_key_from_where_it_is_told()
    {
        using var backend = Create();
        Commit(backend, 1, batch =>
        {
            foreach (byte b in new byte[] { 200, 3, 1, 2 }) batch.Put([b], [b]);
        });
        var seen = new List<byte>();
        Assert.Equal(2, backend.Scan([2], 2, (key, _) => seen.Add(key[0])));
        Assert.Equal(1, backend.Scan([4], 9, (key, _) => seen.Add(key[0])));
        Assert.Equal([2, 3, 200], seen);
    }

    [Fact]
    public void Any_history_of_batches_ends_as_in_a_plain_dictionary() =>
        Gen.Select(Gen.Int[0, 2], Gen.Byte[1, 3], Gen.Byte[0, 3], Gen.Byte).Array[0, 12].Array[0, 6].Sample(history =>
        {
            using var backend = Create();
            var model = new Dictionary<(byte, byte), byte>();
            var position = 0;
            foreach (var changes in history)
            {
                Commit(backend, ++position, batch =>
                {
                    foreach (var (kind, a, b, value) in changes)
                    {
                        if (kind == 0) batch.Put([a, b], [value]);
                        else if (kind == 1) batch.Delete([a, b]);
                        else batch.DeletePrefix([a]);
                        if (kind == 0) model[(a, b)] = value;
                        else if (kind == 1) model.Remove((a, b));
                        else foreach (var key in model.Keys.Where(k => k.Item1 == a).ToList()) model.Remove(key);
                    }
                });
            }

            var stored = new List<((byte, byte), byte)>();
            backend.Scan([1], int.MaxValue, (key, value) => stored.Add(((key[0], key[1]), value[0])));
            Assert.Equal(model.OrderBy(e => e.Key).Select(e => (e.Key, e.Value)), stored);
        }, iter: 40, threads: 1);

    private static void Commit(IStateBackend backend, long position, Action<IStateBatch> fill)
    {
        using var batch = backend.Begin();
        fill(batch);
        batch.Commit(position, 1);
    }

    private byte[]? Value(IStateBackend backend, byte[] key) => backend.Read(key, _buffer) is var length and >= 0 ? _buffer[..length] : null;
}
