namespace Promotions.Streams.State;

/// <summary>State in memory: for tests, replays that keep nothing, and as the model that other backends are tested against.</summary>
public sealed class InMemoryBackend : IStateBackend
{
    private readonly SortedDictionary<byte[], byte[]> _values = new(ByteOrder.Instance);

    public long Position { get; private set; }
    public ulong LayoutHash { get; private set; }

    public int Read(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        StateKeys.Check(key);
        if (!_values.TryGetValue(key.ToArray(), out var value)) return -1;
        value.CopyTo(destination);
        return value.Length;
    }

    public int Scan(ReadOnlySpan<byte> from, int max, StateVisitor visitor)
    {
        var start = from.ToArray();
        var visited = 0;
        foreach (var (key, value) in _values)
        {
            if (ByteOrder.Instance.Compare(key, start) < 0) continue;
            if (visited == max) break;
            visitor(key, value);
            visited++;
        }

        return visited;
    }

    public IStateBatch Begin() => new Batch(this);

    public void Clear()
    {
        _values.Clear();
        (Position, LayoutHash) = (0, 0);
    }

    public void Dispose()
    {
    }

    private sealed class Batch(InMemoryBackend backend) : IStateBatch
    {
        private readonly List<Action<SortedDictionary<byte[], byte[]>>> _changes = [];

        public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
            StateKeys.Check(key, value);
            var (k, v) = (key.ToArray(), value.ToArray());
            _changes.Add(values => values[k] = v);
        }

        public void Delete(ReadOnlySpan<byte> key)
        {
            StateKeys.Check(key);
            var k = key.ToArray();
            _changes.Add(values => values.Remove(k));
        }

        public void DeletePrefix(ReadOnlySpan<byte> prefix)
        {
            StateKeys.Check(prefix);
            var p = prefix.ToArray();
            _changes.Add(values =>
            {
                foreach (var key in values.Keys.Where(key => key.AsSpan().StartsWith(p)).ToList()) values.Remove(key);
            });
        }

        public void Commit(long position, ulong layoutHash)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(position, backend.Position);
            foreach (var change in _changes) change(backend._values);
            (backend.Position, backend.LayoutHash) = (position, layoutHash);
        }

        public void Dispose() => _changes.Clear();
    }

    private sealed class ByteOrder : IComparer<byte[]>
    {
        public static readonly ByteOrder Instance = new();
        public int Compare(byte[]? left, byte[]? right) => left.AsSpan().SequenceCompareTo(right);
    }
}
