using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Promotions.Streams.State;

/// <summary>State in memory: for tests, replays that keep nothing, and as the model that other backends are tested against.</summary>
public sealed class InMemoryBackend : IStateBackend
{
    private readonly Lock _gate = new();
    private readonly Dictionary<byte[], byte[]> _values = new(KeyBytes.Instance);

    /// <summary>The same keys in order, for scans and for what begins alike: looking for a prefix among all keys makes a long replay take the square of its length.</summary>
    private readonly SortedSet<byte[]> _keys = new(KeyBytes.Instance);

    public long Position { get; private set; }
    public ulong LayoutHash { get; private set; }

    public int Read(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        StateKeys.Check(key);
        lock (_gate)
        {
            if (!_values.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var value)) return -1;
            value.CopyTo(destination);
            return value.Length;
        }
    }

    public int Scan(ReadOnlySpan<byte> from, int max, StateVisitor visitor)
    {
        lock (_gate)
        {
            // What is there now: the visitor may change it.
            KeyValuePair<byte[], byte[]>[] walked = [.. From(from.ToArray()).Take(max).Select(key => KeyValuePair.Create(key, _values[key]))];
            foreach (var (key, value) in walked) visitor(key, value);
            return walked.Length;
        }
    }

    /// <summary>The keys from one on, in order.</summary>
    private SortedSet<byte[]> From(byte[] key) => _keys.Max is { } last && KeyBytes.Instance.Compare(key, last) <= 0 ? _keys.GetViewBetween(key, last) : new(KeyBytes.Instance);

    public IStateBatch Begin() => new Batch(this);

    public void Clear()
    {
        lock (_gate)
        {
            _values.Clear();
            _keys.Clear();
            (Position, LayoutHash) = (0, 0);
        }
    }

    public void Dispose()
    {
    }

    private enum Change : byte { Put, Delete, DeletePrefix }

    /// <summary>Changes one behind another in one buffer.</summary>
    private sealed class Batch(InMemoryBackend backend) : IStateBatch
    {
        private readonly List<(Change Change, int KeyLength, int ValueLength)> _changes = [];
        private readonly List<byte> _bytes = [];

        public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Add(Change.Put, key, value);
        public void Delete(ReadOnlySpan<byte> key) => Add(Change.Delete, key, default);
        public void DeletePrefix(ReadOnlySpan<byte> prefix) => Add(Change.DeletePrefix, prefix, default);

        public void Commit(long position, ulong layoutHash)
        {
            lock (backend._gate)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(position, backend.Position);
                var values = backend._values.GetAlternateLookup<ReadOnlySpan<byte>>();
                var rest = CollectionsMarshal.AsSpan(_bytes);
                foreach (var (change, keyLength, valueLength) in _changes)
                {
                    var key = rest[..keyLength];
                    var value = rest.Slice(keyLength, valueLength);
                    rest = rest[(keyLength + valueLength)..];
                    switch (change)
                    {
                        case Change.Put: Put(values, key, value); break;
                        case Change.Delete: if (values.Remove(key, out var known, out _)) backend._keys.Remove(known); break;
                        default: RemovePrefix(key.ToArray()); break;
                    }
                }

                (backend.Position, backend.LayoutHash) = (position, layoutHash);
            }
        }

        public void Dispose()
        {
            _changes.Clear();
            _bytes.Clear();
        }

        private void Add(Change change, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
            StateKeys.Check(key, value);
            _changes.Add((change, key.Length, value.Length));
            _bytes.AddRange(key);
            _bytes.AddRange(value);
        }

        private void Put(Dictionary<byte[], byte[]>.AlternateLookup<ReadOnlySpan<byte>> values, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
            if (values.TryGetValue(key, out var old) && old.Length == value.Length)
            {
                value.CopyTo(old);
                return;
            }

            if (old is not null)
            {
                values[key] = value.ToArray();
                return;
            }

            var owned = key.ToArray();
            backend._values.Add(owned, value.ToArray());
            backend._keys.Add(owned);
        }

        private void RemovePrefix(byte[] prefix)
        {
            foreach (var key in backend.From(prefix).TakeWhile(key => key.AsSpan().StartsWith(prefix)).ToList())
            {
                backend._values.Remove(key);
                backend._keys.Remove(key);
            }
        }
    }

    /// <summary>Equality and order of keys by their bytes, and lookups by spans of them.</summary>
    private sealed class KeyBytes : IComparer<byte[]>, IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly KeyBytes Instance = new();
        public int Compare(byte[]? left, byte[]? right) => left.AsSpan().SequenceCompareTo(right);
        public bool Equals(byte[]? left, byte[]? right) => left.AsSpan().SequenceEqual(right);
        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);
        public int GetHashCode(byte[] key) => GetHashCode(key.AsSpan());
        public int GetHashCode(ReadOnlySpan<byte> alternate) => unchecked((int)XxHash3.HashToUInt64(alternate));
        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
