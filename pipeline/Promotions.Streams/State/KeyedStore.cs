using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Promotions.Domain;

namespace Promotions.Streams.State;

/// <summary>Mutable state by key: a write-back cache over one backend, with checkpoints that are written while records go on.</summary>
/// <remarks>
/// Owned by one thread. A changed state stays in memory until a checkpoint has made it durable; an unchanged one may leave whenever the cache settles, so a
/// reference from <see cref="Get"/> is good until then and no longer. Eviction is CLOCK over the states that may leave, so that its hand never passes others in vain. The limit holds as long as a driver begins a checkpoint
/// when <see cref="WantsCheckpoint"/> asks for one.
/// A checkpoint is a picture of one moment, taken by <em>copy on update</em>: beginning one costs nothing, a few states are written after each record, and a
/// state that a record asks for before its turn is written first. So no record waits for more than its own states, however much has changed.
/// </remarks>
public sealed class KeyedStore<TKey, TState> : IStore, ITileSource<TKey>
    where TKey : notnull
    where TState : class
{
    /// <summary>Entry, dictionary slot and ring slot: what a state costs beside itself. Unit: bytes.</summary>
    private const long EntryBytes = 144;

    /// <summary>Entries the clock's hand passes per settling: bounds the work of one record, whatever the cache holds.</summary>
    private const int StepsMax = 64;

    private const long StateBytesLikely = 640;
    private const long EntriesMax = 1 << 20;

    private readonly IStateSerde<TKey, TState> _serde;
    private readonly IStateBackend _backend;
    private readonly long _evictAbove;
    private readonly long _wantsAbove;
    private readonly Dictionary<TKey, Entry> _entries = [];
    private readonly List<Entry> _ring = [];
    private readonly List<Entry> _touched = [];
    private readonly byte[] _keyBytes;
    private List<Entry> _changed = [];      // since the checkpoint began, or since the last one
    private List<Entry> _taken = [];        // the checkpoint's own
    private int _epoch = 1;
    private int _taking;                    // the epoch that the checkpoint in progress takes down; 0 for none
    private int _written;
    private int _released;
    private Sink? _sink;
    private int _hand;
    private byte[]? _sweepFrom;

    internal KeyedStore(StoreDefinition<TKey, TState> definition, IStateBackend backend)
    {
        (Name, Id, LimitBytes, _serde, _backend) = (definition.Name, definition.Id, definition.CacheBytes, definition.Serde, backend);
        _evictAbove = LimitBytes / 16 * 15;
        _wantsAbove = LimitBytes / 4;
        _keyBytes = new byte[1 + _serde.KeyLength + sizeof(uint)];
        _keyBytes[0] = Id;

        // Room for as many states as are likely to fit: a table of 100,000 that grows stops everything for milliseconds, and once more when the collector takes the old one.
        var likely = (int)Math.Min(LimitBytes / StateBytesLikely, EntriesMax);
        _entries.EnsureCapacity(likely);
        _ring.EnsureCapacity(likely);
        _changed.EnsureCapacity(likely);
        _taken.EnsureCapacity(likely);
    }

    public string Name { get; }
    public byte Id { get; }

    /// <summary>Unit: bytes.</summary>
    public long LimitBytes { get; }

    /// <summary>Memory held by cached states, as of the last settling. Unit: bytes.</summary>
    public long CachedBytes { get; private set; }

    /// <summary>The part of it that cannot leave: changed, or written by a checkpoint that is not durable yet. Unit: bytes.</summary>
    public long DirtyBytes { get; private set; }

    public int CachedCount => _entries.Count;

    /// <summary>So much has changed that a checkpoint should not wait: a quarter of the limit.</summary>
    public bool WantsCheckpoint => DirtyBytes > _wantsAbove;

    /// <summary>Three quarters cannot leave: the checkpoint in progress must end before more is changed.</summary>
    bool IStore.IsCrowded => DirtyBytes > LimitBytes / 4 * 3;

    /// <summary>States loaded from the backend so far, found or not: the cache's misses.</summary>
    public long Loads { get; private set; }

    bool IStore.Touched => _touched.Count > 0;

    /// <summary>The state of the key, to be read and changed in place until the record's processing ends.</summary>
    public TState Get(in TKey key)
    {
        if (!_entries.TryGetValue(key, out var entry))
        {
            Loads++;
            entry = new Entry(key, _serde.Load(key, this));
            AddToRing(entry);
            _entries.Add(key, entry);
        }

        if (entry.ChangedIn == _taking && _taking != 0) Write(entry);
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
        foreach (var entry in _entries.Values)
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
            if (entry.ChangedIn != 0 || !_serde.IsDirty(entry.State)) continue;
            if (entry.TakenIn == 0)
            {
                DirtyBytes += entry.Bytes;
                RemoveFromRing(entry);
            }

            entry.ChangedIn = _epoch;
            _changed.Add(entry);
        }

        _touched.Clear();
        Evict();
    }

    /// <summary>From here on the batch takes down what had changed until now.</summary>
    void IStore.BeginCheckpoint(IStateBatch batch)
    {
        (_taken, _changed) = (_changed, _taken);
        (_taking, _written, _released) = (_epoch++, 0, 0);
        _sink = new Sink(this, batch);
    }

    bool IStore.WriteChanged(int max)
    {
        var end = Math.Min(_taken.Count, _written + (long)max);
        for (; _written < end; _written++)
            if (_taken[_written] is { } entry && entry.ChangedIn == _taking) Write(entry);
        return _written == _taken.Count;
    }

    /// <summary>What was taken down is durable: states may let go of parts and leave the cache again.</summary>
    bool IStore.Release(int max)
    {
        var end = Math.Min(_taken.Count, _released + (long)max);
        for (; _released < end; _released++)
        {
            var entry = _taken[_released];
            _serde.Release(entry.State);
            Measure(entry);
            entry.TakenIn = 0;
            if (entry.ChangedIn != 0) continue;
            DirtyBytes -= entry.Bytes;
            AddToRing(entry);
        }

        if (_released < _taken.Count) return false;
        _taken.Clear();
        (_taking, _sink) = (0, null);
        return true;
    }

    void IStore.RollBack()
    {
        _entries.Clear();
        _ring.Clear();
        _touched.Clear();
        _changed.Clear();
        _taken.Clear();
        (_hand, CachedBytes, DirtyBytes, _taking, _sink) = (0, 0, 0, 0, null);
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

    private void Write(Entry entry)
    {
        _serde.WriteDirty(entry.Key, entry.State, _sink!);
        entry.ChangedIn = 0;
        entry.TakenIn = _taking;
    }

    private void Measure(Entry entry)
    {
        var bytes = _serde.SizeBytes(entry.State) + EntryBytes;
        CachedBytes += bytes - entry.Bytes;
        if (entry.ChangedIn != 0 || entry.TakenIn != 0) DirtyBytes += bytes - entry.Bytes;
        entry.Bytes = bytes;
    }

    private void Evict()
    {
        for (var steps = 0; steps < StepsMax && CachedBytes > _evictAbove && _ring.Count > 0; steps++)
        {
            if (_hand >= _ring.Count) _hand = 0;
            var entry = _ring[_hand];
            if (entry.Referenced)
            {
                entry.Referenced = false;
                _hand++;
                continue;
            }

            RemoveFromRing(entry);
            _entries.Remove(entry.Key);
            CachedBytes -= entry.Bytes;
            _serde.Recycle(entry.State);
        }
    }

    private void AddToRing(Entry entry)
    {
        entry.RingIndex = _ring.Count;
        _ring.Add(entry);
    }

    private void RemoveFromRing(Entry entry)
    {
        var moved = _ring[^1];
        _ring[entry.RingIndex] = moved;
        moved.RingIndex = entry.RingIndex;
        _ring.RemoveAt(_ring.Count - 1);
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
        public int RingIndex;       // where it may leave from; stale while it may not
        public int ChangedIn;       // epoch in which it changed and waits to be written; 0 for not changed
        public int TakenIn;         // epoch of the checkpoint that wrote it and is not durable yet; 0 for none
        public bool Touched;
        public bool Referenced;
    }

    private sealed class Sink(KeyedStore<TKey, TState> store, IStateBatch batch) : ITileSink<TKey>
    {
        public void Put(in TKey key, uint tile, ReadOnlySpan<byte> value) => batch.Put(store.KeyBytes(key, tile), value);
        public void Delete(in TKey key, uint tile) => batch.Delete(store.KeyBytes(key, tile));
        public void Clear(in TKey key) => batch.DeletePrefix(store.KeyBytes(key, 0)[..(1 + store._serde.KeyLength)]);
    }
}
