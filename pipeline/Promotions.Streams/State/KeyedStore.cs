using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Promotions.Domain;

namespace Promotions.Streams.State;

/// <summary>Mutable state by key: a write-back cache over one backend.</summary>
/// <remarks>
/// Owned by one thread. A changed state stays in memory until the next checkpoint; an unchanged one may leave it whenever the cache settles, so a
/// reference from <see cref="Get"/> is good until then and no longer. Eviction is CLOCK. The limit holds as long as a driver writes a checkpoint
/// when <see cref="WantsCheckpoint"/> asks for one: at half the limit of changed bytes.
/// </remarks>
public sealed class KeyedStore<TKey, TState> : IStore, ITileSource<TKey>
    where TKey : notnull
    where TState : class
{
    /// <summary>Entry, dictionary slot and ring slot: what a state costs beside itself. Unit: bytes.</summary>
    private const long EntryBytes = 144;

    /// <summary>Entries the clock's hand passes per settling: bounds the work of one record, whatever the cache holds.</summary>
    private const int StepsMax = 256;

    private readonly IStateSerde<TKey, TState> _serde;
    private readonly IStateBackend _backend;
    private readonly long _evictAbove;
    private readonly long _dirtyMax;
    private readonly Dictionary<TKey, Entry> _entries = [];
    private readonly List<Entry> _ring = [];
    private readonly List<Entry> _touched = [];
    private readonly List<Entry> _dirty = [];
    private readonly byte[] _keyBytes;
    private int _hand;
    private byte[]? _sweepFrom;

    internal KeyedStore(StoreDefinition<TKey, TState> definition, IStateBackend backend)
    {
        (Name, Id, LimitBytes, _serde, _backend) = (definition.Name, definition.Id, definition.CacheBytes, definition.Serde, backend);
        _evictAbove = LimitBytes / 16 * 15;
        _dirtyMax = LimitBytes / 2;
        _keyBytes = new byte[1 + _serde.KeyLength + sizeof(uint)];
        _keyBytes[0] = Id;
    }

    public string Name { get; }
    public byte Id { get; }

    /// <summary>Unit: bytes.</summary>
    public long LimitBytes { get; }

    /// <summary>Memory held by cached states, as of the last settling. Unit: bytes.</summary>
    public long CachedBytes { get; private set; }

    /// <summary>The part of it that waits for a checkpoint. Unit: bytes.</summary>
    public long DirtyBytes { get; private set; }

    public int CachedCount => _ring.Count;

    /// <summary>So much has changed that a checkpoint should not wait.</summary>
    public bool WantsCheckpoint => DirtyBytes > _dirtyMax;

    /// <summary>States loaded from the backend so far, found or not: the cache's misses.</summary>
    public long Loads { get; private set; }

    bool IStore.Touched => _touched.Count > 0;

    /// <summary>The state of the key, to be read and changed in place until the record's processing ends.</summary>
    public TState Get(in TKey key)
    {
        if (!_entries.TryGetValue(key, out var entry))
        {
            Loads++;
            entry = new Entry(key, _serde.Load(key, this)) { RingIndex = _ring.Count };
            _ring.Add(entry);
            _entries.Add(key, entry);
        }

        if (!entry.Touched)
        {
            entry.Touched = true;
            _touched.Add(entry);
        }

        return entry.State;
    }

    /// <summary>The state if it is in memory, without counting as use: for tests and for looking in.</summary>
    public bool TryPeek(in TKey key, [NotNullWhen(true)] out TState? state)
    {
        state = _entries.TryGetValue(key, out var entry) ? entry.State : null;
        return state is not null;
    }

    /// <summary>Every key that has state, stored or cached, once each, in the order of their bytes. Reads the whole partition: for tests and tools.</summary>
    public IReadOnlyList<TKey> Keys()
    {
        var keys = new SortedSet<byte[]>(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));
        _backend.Scan([Id], int.MaxValue, (key, _) =>
        {
            if (key[0] == Id) keys.Add(key.Slice(1, _serde.KeyLength).ToArray());
        });
        foreach (var entry in _ring)
        {
            var bytes = new byte[_serde.KeyLength];
            _serde.WriteKey(entry.Key, bytes);
            keys.Add(bytes);
        }

        return [.. keys.Select(bytes => _serde.ReadKey(bytes))];
    }

    int ITileSource<TKey>.Read(in TKey key, uint tile, Span<byte> destination)
    {
        try
        {
            return _backend.Read(KeyBytes(key, tile), destination);
        }
        catch (Exception fault)
        {
            throw new StateFaultException($"Store '{Name}' cannot be read: {fault.Message}", fault);
        }
    }

    /// <summary>Measures what was touched since the last time and evicts down to the limit. Drivers call it after each record.</summary>
    void IStore.Settle()
    {
        foreach (var entry in _touched)
        {
            entry.Touched = false;
            entry.Referenced = true;
            Measure(entry);
            if (entry.Dirty || !_serde.IsDirty(entry.State)) continue;
            entry.Dirty = true;
            _dirty.Add(entry);
            DirtyBytes += entry.Bytes;
        }

        _touched.Clear();
        Evict(StepsMax);
    }

    void IStore.WriteDirty(IStateBatch batch)
    {
        var sink = new Sink(this, batch);
        foreach (var entry in _dirty) _serde.WriteDirty(entry.Key, entry.State, sink);
    }

    void IStore.Checkpointed()
    {
        foreach (var entry in _dirty)
        {
            _serde.Release(entry.State);
            entry.Dirty = false;
            Measure(entry);
        }

        _dirty.Clear();
        DirtyBytes = 0;
        Evict(int.MaxValue);
    }

    void IStore.RollBack()
    {
        _entries.Clear();
        _ring.Clear();
        _touched.Clear();
        _dirty.Clear();
        (_hand, CachedBytes, DirtyBytes) = (0, 0, 0);
    }

    /// <summary>Visits up to <paramref name="max"/> stored tiles, going round, and deletes the state of keys that have expired and are not in memory.</summary>
    int IStore.Expire(EventTime streamTime, int max, IStateBatch batch)
    {
        var expired = new List<byte[]>();
        byte[]? last = null;
        var visited = _backend.Scan(_sweepFrom ?? [Id], max, (key, value) =>
        {
            if (key[0] != Id) return;
            last = key.ToArray();
            if (BinaryPrimitives.ReadUInt32BigEndian(key[(1 + _serde.KeyLength)..]) != 0) return;
            if (_entries.ContainsKey(_serde.ReadKey(key.Slice(1, _serde.KeyLength)))) return;
            if (_serde.ExpiresAt(value) <= streamTime) expired.Add(key[..(1 + _serde.KeyLength)].ToArray());
        });
        foreach (var prefix in expired) batch.DeletePrefix(prefix);
        _sweepFrom = visited < max || last is null ? null : [.. last, 0];
        return expired.Count;
    }

    private void Measure(Entry entry)
    {
        var bytes = checked(_serde.SizeBytes(entry.State) + EntryBytes);
        CachedBytes += bytes - entry.Bytes;
        if (entry.Dirty) DirtyBytes += bytes - entry.Bytes;
        entry.Bytes = bytes;
    }

    private void Evict(int stepsMax)
    {
        // Twice round gives every clean entry its second chance; more would only meet changed ones again.
        var steps = Math.Min(stepsMax, 2L * _ring.Count);
        for (; steps > 0 && CachedBytes > _evictAbove && CachedBytes > DirtyBytes; steps--)
        {
            if (_hand >= _ring.Count) _hand = 0;
            var entry = _ring[_hand];
            if (entry.Referenced || entry.Dirty)
            {
                entry.Referenced = false;
                _hand++;
                continue;
            }

            Remove(entry);
        }
    }

    private void Remove(Entry entry)
    {
        var moved = _ring[^1];
        _ring[entry.RingIndex] = moved;
        moved.RingIndex = entry.RingIndex;
        _ring.RemoveAt(_ring.Count - 1);
        _entries.Remove(entry.Key);
        CachedBytes -= entry.Bytes;
    }

    /// <summary>Store id, key, tile (big-endian, so that a key's tiles lie together with the root first).</summary>
    private ReadOnlySpan<byte> KeyBytes(in TKey key, uint tile)
    {
        _serde.WriteKey(key, _keyBytes.AsSpan(1, _serde.KeyLength));
        BinaryPrimitives.WriteUInt32BigEndian(_keyBytes.AsSpan(1 + _serde.KeyLength), tile);
        return _keyBytes;
    }

    private sealed class Entry(TKey key, TState state)
    {
        public readonly TKey Key = key;
        public readonly TState State = state;
        public long Bytes;
        public int RingIndex;
        public bool Touched;
        public bool Referenced;
        public bool Dirty;
    }

    private sealed class Sink(KeyedStore<TKey, TState> store, IStateBatch batch) : ITileSink<TKey>
    {
        public void Put(in TKey key, uint tile, ReadOnlySpan<byte> value) => batch.Put(store.KeyBytes(key, tile), value);
        public void Delete(in TKey key, uint tile) => batch.Delete(store.KeyBytes(key, tile));
        public void Clear(in TKey key) => batch.DeletePrefix(store.KeyBytes(key, 0)[..(1 + store._serde.KeyLength)]);
    }
}
