using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Promotions.Scoring;

/// <summary>Exact path-dependent TreeSHAP (Lundberg et al. 2018) by quadrature.</summary>
/// <remarks>
/// Owen (1972): a Shapley value is an integral over t in [0, 1] of the game's multilinear extension, in which every feature is known with probability t. For a tree
/// the integrand is a polynomial in t of degree (different features on the longest path) - 1, so Gauss-Legendre quadrature with half as many points is exact,
/// and since every term is positive and every weight too, it loses no digits. The points of t are the lanes of a vector register.
///
/// At one t, a node passes its weight U down: with z' the part of the training rows that the splits above on the same feature leave, c = z' · (share of the child
/// that the row does not take), F = z'(1 - t) + t and k = c(1 - t)/F,
///   U(not taken) = k U,   U(taken) = U - U(not taken),
/// values come up: R(node) = R(taken) - k (R(taken) - R(not taken)), and the node's feature gets (c / F²) U (R(taken) - R(not taken)).
/// Where the row has already left the region of an earlier split on the same feature, the split only averages. DECISIONS.md derives it.
/// Work per tree: a few vector instructions per node, whatever the depth; no division.
/// </remarks>
/// <typeparam name="T">Of the values that nodes compare.</typeparam>
internal sealed class ShapleyExplainer<T>
    where T : unmanaged, IComparisonOperators<T, T, bool>
{
    private const int Lanes = 8;
    /// <summary>Flag of a node whose earlier splits on the same feature the row passed; bit 0 says that it goes left.</summary>
    private const byte Inside = 2;
    private const int StackMax = 1024;

    /// <summary>One node. Children are slots: nodes first, then leaves.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Node
    {
        public T Threshold;
        /// <summary>Where the value that it compares stands in the prepared row.</summary>
        public int Value;
        public int Feature;
        /// <summary>Whether its feature was split on above.</summary>
        public bool Repeated;
        // Read as pairs: left, then right.
        public int Left;
        public int Right;
        public double ShareLeft;
        public double ShareRight;
    }

    private struct Repeat
    {
        /// <summary>The nearest node above with the same feature, or -1.</summary>
        public int Above;
        /// <summary>That node's flag if the row goes to this one's side.</summary>
        public byte FlagAbove;
        /// <summary>First of the node's 1/F values.</summary>
        public int Inverse;
        /// <summary>z'.</summary>
        public double Remaining;
    }

    private readonly struct Tree
    {
        public required Node[] Nodes { get; init; }
        public required Repeat[] Repeats { get; init; }
        public required double[] LeafValues { get; init; }
        /// <summary>1/F by repeated node, block and lane.</summary>
        public required double[] Inverses { get; init; }
        public required int Blocks { get; init; }
    }

    private readonly Tree[] _trees;
    private readonly double[][] _points;
    private readonly double[][] _weights;
    private readonly int _slotsMax;
    private readonly int _featureCount;

    public ShapleyExplainer(int featureCount, IReadOnlyList<ExplainedTree<T>> trees)
    {
        _featureCount = featureCount;
        var blocksMax = trees.Max(BlocksOf);
        _points = new double[blocksMax + 1][];
        _weights = new double[blocksMax + 1][];
        for (var blocks = 1; blocks <= blocksMax; blocks++) (_points[blocks], _weights[blocks]) = GaussLegendre.On01(blocks * Lanes);
        _trees = [.. trees.Where(tree => tree.Feature.Length > 0).Select(Prepare)];
        _slotsMax = trees.Max(tree => tree.Feature.Length + tree.LeafValue.Length);
    }

    /// <summary>Registers of points that make the quadrature exact: 8 points for paths of up to 16 different features.</summary>
    private static int BlocksOf(ExplainedTree<T> tree)
    {
        var featuresMax = 1;
        if (tree.Feature.Length > 0) Visit(0, []);
        return (((featuresMax + 1) / 2) + Lanes - 1) / Lanes;

        void Visit(int at, HashSet<int> known)
        {
            if (at < 0)
            {
                featuresMax = Math.Max(featuresMax, known.Count);
                return;
            }
            var added = known.Add(tree.Feature[at]);
            Visit(tree.Left[at], known);
            Visit(tree.Right[at], known);
            if (added) known.Remove(tree.Feature[at]);
        }
    }

    private Tree Prepare(ExplainedTree<T> tree)
    {
        var covers = TreeShape.Covers(tree.Left, tree.Right, tree.LeafCover);
        var nodes = new Node[tree.Feature.Length];
        var repeats = new Repeat[nodes.Length];
        var parent = new (int Node, bool Left)[nodes.Length];
        var inverses = new List<double>();
        var blocks = BlocksOf(tree);
        parent[0] = (-1, false);
        for (var i = 0; i < nodes.Length; i++)
        {
            nodes[i] = new()
            {
                Threshold = tree.Threshold[i],
                Value = tree.Value[i],
                Feature = tree.Feature[i],
                Left = SlotOf(tree.Left[i]),
                Right = SlotOf(tree.Right[i]),
                ShareLeft = TreeShape.CoverOf(tree.Left[i], covers, tree.LeafCover) / covers[i],
                ShareRight = TreeShape.CoverOf(tree.Right[i], covers, tree.LeafCover) / covers[i],
            };
            if (tree.Left[i] >= 0) parent[tree.Left[i]] = (i, true);
            if (tree.Right[i] >= 0) parent[tree.Right[i]] = (i, false);

            var above = parent[i];
            while (above.Node >= 0 && tree.Feature[above.Node] != tree.Feature[i]) above = parent[above.Node];
            repeats[i] = new() { Above = above.Node, FlagAbove = (byte)(above.Left ? Inside | 1 : Inside), Remaining = 1 };
            if (above.Node < 0) continue;
            nodes[i].Repeated = true;
            var remaining = repeats[above.Node].Remaining * (above.Left ? nodes[above.Node].ShareLeft : nodes[above.Node].ShareRight);
            repeats[i].Remaining = remaining;
            repeats[i].Inverse = inverses.Count;
            inverses.AddRange(_points[blocks].Select(t => 1 / ((remaining * (1 - t)) + t)));
        }
        return new() { Nodes = nodes, Repeats = repeats, LeafValues = tree.LeafValue, Inverses = [.. inverses], Blocks = blocks };

        int SlotOf(int child) => child >= 0 ? child : nodes.Length + ~child;
    }

    /// <param name="row">Prepared, so that a node's plain comparison with its value sends also what is missing its way.</param>
    public void Explain(ReadOnlySpan<T> row, Span<double> contributions)
    {
        var scratch = Scratch.Rent((_featureCount + (3 * _slotsMax)) * Lanes);
        var sums = MemoryMarshal.Cast<double, Vector512<double>>(scratch)[.._featureCount];
        var slots = MemoryMarshal.Cast<double, Vector512<double>>(scratch).Slice(_featureCount, 3 * _slotsMax);
        Span<byte> flags = _slotsMax <= StackMax ? stackalloc byte[_slotsMax] : new byte[_slotsMax];

        sums.Clear();
        foreach (ref readonly var tree in _trees.AsSpan())
        {
            for (var block = 0; block < tree.Blocks; block++)
            {
                var t = Vector512.Create<double>(_points[tree.Blocks].AsSpan(block * Lanes, Lanes));
                var weights = Vector512.Create<double>(_weights[tree.Blocks].AsSpan(block * Lanes, Lanes));
                PassDown(in tree, row, Vector512<double>.One - t, weights, block * Lanes, slots, flags);
                PassUp(in tree, slots, flags, sums);
            }
        }
        for (var f = 0; f < contributions.Length; f++) contributions[f] = Vector512.Sum(sums[f]);
    }

    // All indices below come from a validated model and lie within scratch that is sized for the largest tree, hence no bounds checks.

    /// <summary>Gives every node its weight, k and gain, parents first.</summary>
    private void PassDown(in Tree tree, ReadOnlySpan<T> row, Vector512<double> complement, Vector512<double> weights, int offset, Span<Vector512<double>> slots, Span<byte> flags)
    {
        ref var slot = ref MemoryMarshal.GetReference(slots);
        ref var keep = ref Unsafe.Add(ref slot, _slotsMax);
        ref var gain = ref Unsafe.Add(ref keep, _slotsMax);
        ref var flag = ref MemoryMarshal.GetReference(flags);
        ref var values = ref MemoryMarshal.GetReference(row);
        ref var nodes = ref MemoryMarshal.GetArrayDataReference(tree.Nodes);
        ref var repeats = ref MemoryMarshal.GetArrayDataReference(tree.Repeats);
        ref var inverses = ref MemoryMarshal.GetArrayDataReference(tree.Inverses);
        var count = tree.Nodes.Length;

        slot = weights;
        for (var i = 0; i < count; i++)
        {
            ref var node = ref Unsafe.Add(ref nodes, i);
            // 1 where the row goes left: then the right child is the one not taken. Arithmetic, since a branch here is a coin toss.
            var left = Unsafe.Add(ref values, node.Value) <= node.Threshold ? 1 : 0;
            ref var taken = ref Unsafe.Add(ref slot, Unsafe.Add(ref node.Left, 1 - left));
            ref var other = ref Unsafe.Add(ref slot, Unsafe.Add(ref node.Left, left));
            var weight = Unsafe.Add(ref slot, i);
            if (!node.Repeated)
            {
                Unsafe.Add(ref flag, i) = (byte)(Inside | left);
                var share = Vector512.Create(Unsafe.Add(ref node.ShareLeft, left));
                var k = share * complement;
                var away = weight * k;
                Unsafe.Add(ref keep, i) = k;
                Unsafe.Add(ref gain, i) = weight * share;
                other = away;
                taken = weight - away;
                continue;
            }
            ref var repeat = ref Unsafe.Add(ref repeats, i);
            if (Unsafe.Add(ref flag, repeat.Above) == repeat.FlagAbove)
            {
                Unsafe.Add(ref flag, i) = (byte)(Inside | left);
                var share = Vector512.Create(repeat.Remaining * Unsafe.Add(ref node.ShareLeft, left));
                var inverse = Vector512.LoadUnsafe(ref inverses, (nuint)(repeat.Inverse + offset));
                var k = share * complement * inverse;
                var away = weight * k;
                Unsafe.Add(ref keep, i) = k;
                Unsafe.Add(ref gain, i) = weight * share * inverse * inverse;
                other = away;
                taken = weight - away;
            }
            else
            {
                Unsafe.Add(ref flag, i) = 0;
                Unsafe.Add(ref slot, node.Left) = weight * node.ShareLeft;
                Unsafe.Add(ref slot, node.Right) = weight * node.ShareRight;
            }
        }
    }

    /// <summary>Brings the leaves' values up and gives each feature its gains, children first.</summary>
    private void PassUp(in Tree tree, Span<Vector512<double>> slots, Span<byte> flags, Span<Vector512<double>> sums)
    {
        ref var slot = ref MemoryMarshal.GetReference(slots);
        ref var keep = ref Unsafe.Add(ref slot, _slotsMax);
        ref var gain = ref Unsafe.Add(ref keep, _slotsMax);
        ref var sum = ref MemoryMarshal.GetReference(sums);
        ref var flag = ref MemoryMarshal.GetReference(flags);
        ref var nodes = ref MemoryMarshal.GetArrayDataReference(tree.Nodes);
        var count = tree.Nodes.Length;

        var leaves = tree.LeafValues;
        for (var leaf = 0; leaf < leaves.Length; leaf++) Unsafe.Add(ref slot, count + leaf) = Vector512.Create(leaves[leaf]);

        for (var i = count - 1; i >= 0; i--)
        {
            ref var node = ref Unsafe.Add(ref nodes, i);
            int went = Unsafe.Add(ref flag, i);
            if (went == 0)
            {
                Unsafe.Add(ref slot, i) = (Unsafe.Add(ref slot, node.Left) * node.ShareLeft) + (Unsafe.Add(ref slot, node.Right) * node.ShareRight);
                continue;
            }
            var left = went & 1;
            var taken = Unsafe.Add(ref slot, Unsafe.Add(ref node.Left, 1 - left));
            var difference = taken - Unsafe.Add(ref slot, Unsafe.Add(ref node.Left, left));
            Unsafe.Add(ref slot, i) = taken - (Unsafe.Add(ref keep, i) * difference);
            Unsafe.Add(ref sum, node.Feature) += Unsafe.Add(ref gain, i) * difference;
        }
    }
}

/// <summary>A tree as an explanation sees it. At a node, the row goes left if its value at <paramref name="Value"/> is ≤ the threshold.</summary>
/// <param name="Feature">The feature that the node's decision is about: the player of the game.</param>
/// <param name="Value">Where the value stands in the prepared row.</param>
internal sealed record ExplainedTree<T>(int[] Feature, int[] Value, T[] Threshold, int[] Left, int[] Right, double[] LeafValue, double[] LeafCover);

/// <summary>Per thread, kept from call to call, and starting at a cache line: a register is one line wide, and stores across two are slow.</summary>
file static class Scratch
{
    private const int Line = 64;
    [ThreadStatic] private static double[]? _memory;

    public static Span<double> Rent(int length)
    {
        const int Spare = Line / sizeof(double);
        // Pinned, so that the line stays where it was found.
        if (_memory is null || _memory.Length < length + Spare) _memory = GC.AllocateUninitializedArray<double>(length + Spare, pinned: true);
        var past = (int)(Marshal.UnsafeAddrOfPinnedArrayElement(_memory, 0) % Line);
        return _memory.AsSpan(past == 0 ? 0 : (Line - past) / sizeof(double), length);
    }
}
