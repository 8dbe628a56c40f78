using Promotions.Domain;
using Promotions.Features;

namespace Promotions.Processing.State;

/// <summary>Entities in memory over durable tiles: write-back, bounded by bytes, changed ones pinned until the next checkpoint.</summary>
/// <remarks>One thread. Eviction is CLOCK over a ring: an entity used since the hand last passed stays one round longer.</remarks>
/// <param name="limitBytes">Memory for entities. Unit: bytes. Source: the pipeline's budget of 256 MB.</param>
public sealed class EntityCache(ITileStore store, long limitBytes)
{
    private const long EntryOverheadBytes = 120;        // dictionary slot, ring slot, entry object: counted, so that the limit is a limit
    private readonly Dictionary<EntityKey, Entry> _entries = [];
    private readonly List<Entry> _dirty = [];
    private Entry[] _ring = new Entry[1024];
    private int _count;
    private int _hand;

    public long Bytes { get; private set; }
    public long DirtyBytes { get; private set; }
    public long PositionWritten => store.Position;
    public int Count => _count;

    /// <summary>A quarter of the memory cannot be evicted any more: write it.</summary>
    public bool WantsCheckpoint => DirtyBytes > limitBytes / 4;

    public EntityState Get(in EntityKey key)
    {
        if (_entries.TryGetValue(key, out var found))
        {
            found.Used = true;
            return found.State;
        }

        var state = EntityState.Load(key, store);
        var entry = new Entry { State = state, Size = state.SizeBytes + EntryOverheadBytes, Used = true };
        _entries.Add(key, entry);
        if (_count == _ring.Length) Array.Resize(ref _ring, _count * 2);
        _ring[_count++] = entry;
        Bytes += entry.Size;
        if (Bytes > limitBytes) Evict(entry);
        return state;
    }

    /// <summary>Call after every change of an entity: its size is accounted and it waits for the next checkpoint.</summary>
    public void Changed(in EntityKey key)
    {
        var entry = _entries[key];
        var size = entry.State.SizeBytes + EntryOverheadBytes;
        Bytes += size - entry.Size;
        if (entry.Dirty) DirtyBytes += size - entry.Size;
        entry.Size = size;
        if (entry.Dirty || !entry.State.IsDirty) return;
        entry.Dirty = true;
        _dirty.Add(entry);
        DirtyBytes += size;
    }

    /// <summary>Writes what changed with the position, as one atom, and lets go of what is not needed in memory.</summary>
    /// <param name="now">Entities that no window of this time reaches any more are removed from disk as well.</param>
    public void Checkpoint(long position, ulong layoutHash, EventTime now)
    {
        using (var batch = store.Begin())
        {
            foreach (var entry in _dirty)
            {
                if (entry.State.ExpiresAt < now) batch.Clear(entry.State.Key);
                else entry.State.WriteDirty(batch);
            }

            CrashPoints.Hit("in_checkpoint");
            batch.Commit(position, layoutHash);
        }

        foreach (var entry in _dirty)
        {
            entry.State.Release();
            entry.Dirty = false;
            var size = entry.State.SizeBytes + EntryOverheadBytes;
            Bytes += size - entry.Size;
            entry.Size = size;
        }

        _dirty.Clear();
        DirtyBytes = 0;
        if (Bytes > limitBytes) Evict(null);
    }

    /// <summary>Forgets everything since the last checkpoint.</summary>
    public void RollBack()
    {
        _entries.Clear();
        _dirty.Clear();
        Array.Clear(_ring);
        (_count, _hand, Bytes, DirtyBytes) = (0, 0, 0, 0);
    }

    /// <param name="inHand">The entity that the caller is about to change.</param>
    private void Evict(Entry? inHand)
    {
        var target = limitBytes - limitBytes / 16;       // a sixteenth at a time, so that eviction is not run for every record
        for (var looked = 0; Bytes > target && looked < 2 * _count + 1 && _count > 0; looked++)
        {
            if (_hand >= _count) _hand = 0;
            var entry = _ring[_hand];
            if (entry.Used || entry.Dirty || entry == inHand)
            {
                entry.Used = false;
                _hand++;
                continue;
            }

            _entries.Remove(entry.State.Key);
            Bytes -= entry.Size;
            _ring[_hand] = _ring[--_count];
            _ring[_count] = null!;
        }
    }

    private sealed class Entry
    {
        public required EntityState State;
        public long Size;
        public bool Used;
        public bool Dirty;
    }
}
