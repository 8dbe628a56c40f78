namespace Promotions.Ledger.Audit;

/// <summary>The right edge of an RFC 6962 tree: all that is needed to append. Not thread-safe.</summary>
/// <remarks>Appending costs two hashes on average and at most log₂(size) + 1.</remarks>
public sealed class MerkleTree
{
    /// <summary>Roots of perfect subtrees are stored for every 8th level: a proof then reads at most 256 hashes per stored level.</summary>
    public const int StoredLevels = 8;

    private readonly List<byte[]> _edge = [];

    /// <summary>Number of leaves.</summary>
    public long Size { get; private set; }

    /// <summary>Appends a leaf's hash.</summary>
    /// <param name="completed">Called with level (8, 16, ...), index and root of each subtree that a follower of the tree stores.</param>
    public void Append(byte[] leafHash, Action<int, long, byte[]>? completed = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(leafHash.Length, MerkleHash.Size);
        var hash = leafHash;
        var level = 0;
        for (var rest = Size; (rest & 1) == 1; rest >>= 1)
        {
            hash = MerkleHash.Node(_edge[^1], hash);
            _edge.RemoveAt(_edge.Count - 1);
            level++;
            if (level % StoredLevels == 0) completed?.Invoke(level, rest >> 1, hash);
        }

        _edge.Add(hash);
        Size++;
    }

    public byte[] Root()
    {
        if (_edge.Count == 0) return MerkleHash.EmptyRoot();
        var root = _edge[^1];
        for (var i = _edge.Count - 2; i >= 0; i--) root = MerkleHash.Node(_edge[i], root);
        return root;
    }

    /// <summary>Perfect subtrees that make up the tree, widest first.</summary>
    public IReadOnlyList<byte[]> Edge => [.. _edge];

    /// <summary>Takes up where a stored tree stopped.</summary>
    /// <param name="edge">As <see cref="Edge"/> gave it.</param>
    /// <exception cref="ArgumentException">The number of hashes does not fit the size.</exception>
    public static MerkleTree Resume(long size, IEnumerable<byte[]> edge)
    {
        var tree = new MerkleTree { Size = size };
        tree._edge.AddRange(edge);
        if (tree._edge.Count != long.PopCount(size)) throw new ArgumentException($"A tree of {size} leaves has {long.PopCount(size)} subtrees, not {tree._edge.Count}.", nameof(edge));
        return tree;
    }

    public MerkleTree Copy() => Resume(Size, _edge);
}
