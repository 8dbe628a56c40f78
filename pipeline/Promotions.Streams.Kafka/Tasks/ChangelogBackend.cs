using Promotions.Streams.RocksDb;
using Promotions.Streams.State;

namespace Promotions.Streams.Kafka.Tasks;

/// <summary>A task's state: read from the local copy; a batch is first a part of the process's transaction, then of the local copy.</summary>
internal sealed class ChangelogBackend(RocksDbPartition local, long position, ulong layoutHash) : IStateBackend
{
    public long Position { get; private set; } = position;
    public ulong LayoutHash { get; private set; } = layoutHash;
    public RocksDbPartition Local => local;

    /// <summary>The batch that was begun last.</summary>
    public Batch? Current { get; private set; }

    public int Read(ReadOnlySpan<byte> key, Span<byte> destination) => local.Read(key, destination);

    public int Scan(ReadOnlySpan<byte> from, int max, StateVisitor visitor) => local.Scan(from, max, visitor);

    public IStateBatch Begin() => Current = new(this);

    public void Clear() => throw new InvalidOperationException("State under Kafka is not cleared: its changelog would bring it back.");

    /// <summary>The database is the process's.</summary>
    public void Dispose()
    {
    }

    /// <summary>Changes in order, one behind another in one buffer.</summary>
    internal sealed class Batch(ChangelogBackend backend) : IStateBatch
    {
        private const int Deleted = -1;

        private readonly List<(int At, int KeyLength, int ValueLength)> _changes = [];
        private byte[] _bytes = [];
        private int _length;

        /// <summary>Set by the transaction that carried it.</summary>
        public LocalStanding? Carried { get; set; }

        public int Count => _changes.Count;

        public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
            StateKeys.Check(key, value);
            Add(key, value, value.Length);
        }

        public void Delete(ReadOnlySpan<byte> key)
        {
            StateKeys.Check(key);
            Add(key, default, Deleted);
        }

        /// <summary>A tombstone for each key that is stored: a changelog knows no ranges. It comes before the puts of the same prefix.</summary>
        public void DeletePrefix(ReadOnlySpan<byte> prefix)
        {
            const int page = 64;
            byte[] from = prefix.ToArray(), start = from;
            while (true)
            {
                byte[]? last = null;
                var visited = backend.Scan(from, page, (key, _) =>
                {
                    if (!key.StartsWith(start)) return;
                    Delete(key);
                    last = key.ToArray();
                });
                if (visited < page || last is null) return;
                from = [.. last, 0];
            }
        }

        /// <summary>Each change as the changelog carries it; null for a deletion.</summary>
        public void ForEach(Action<byte[], byte[]?> carry)
        {
            foreach (var (at, keyLength, valueLength) in _changes)
                carry(_bytes.AsSpan(at, keyLength).ToArray(), valueLength == Deleted ? null : _bytes.AsSpan(at + keyLength, valueLength).ToArray());
        }

        public void Commit(long position, ulong layoutHash)
        {
            using var writing = backend.Local.Begin();
            foreach (var (at, keyLength, valueLength) in _changes)
            {
                var key = _bytes.AsSpan(at, keyLength);
                if (valueLength == Deleted) writing.Delete(key);
                else writing.Put(key, _bytes.AsSpan(at + keyLength, valueLength));
            }

            writing.Commit((Carried ?? throw new InvalidOperationException("The batch was in no transaction.")).ToBytes());
            (backend.Position, backend.LayoutHash) = (position, layoutHash);
        }

        public void Dispose()
        {
            if (backend.Current == this) backend.Current = null;
        }

        private void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, int valueLength)
        {
            var needed = _length + key.Length + value.Length;
            if (needed > _bytes.Length) Array.Resize(ref _bytes, Math.Max(needed, Math.Max(4_096, _bytes.Length * 2)));
            key.CopyTo(_bytes.AsSpan(_length));
            value.CopyTo(_bytes.AsSpan(_length + key.Length));
            _changes.Add((_length, key.Length, valueLength));
            _length = needed;
        }
    }
}
