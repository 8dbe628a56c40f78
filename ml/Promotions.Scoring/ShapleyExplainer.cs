using System.Buffers;
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
internal sealed class ShapleyExplainer
{
    private const int Lanes = 8;

    /// <summary>One node. Slots: nodes first, then leaves.</summary>
    private struct Node
    {
        public float Threshold;
        public bool MissingLeft;
        public int Feature;
        public int Left;
        public int Right;
        public double ShareLeft;
        public double ShareRight;
    }

    /// <summary>For nodes whose feature was split on above.</summary>
    private struct Repeat
    {
        /// <summary>The nearest such node above, or -1.</summary>
        public int Above;
        public bool AboveLeft;
        /// <summary>First of the node's 1/F values.</summary>
        public int Inverse;
        /// <summary>z'.</summary>
        public double Left;
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

    public ShapleyExplainer(TreeModel model)
    {
        _featureCount = model.Features.Length;
        var blocksMax = model.Trees.Max(BlocksOf);
        _points = new double[blocksMax + 1][];
        _weights = new double[blocksMax + 1][];
        for (var blocks = 1; blocks <= blocksMax; blocks++) (_points[blocks], _weights[blocks]) = GaussLegendre.On01(blocks * Lanes);
        _trees = [.. model.Trees.Where(tree => tree.NodeCount > 0).Select(Prepare)];
        _slotsMax = model.Trees.Max(tree => tree.NodeCount + tree.LeafCount);
    }

    /// <summary>Registers of points that make the quadrature exact: 8 points for paths of up to 16 different features.</summary>
    private static int BlocksOf(DecisionTree tree)
    {
        var featuresMax = 1;
        if (tree.NodeCount > 0) Visit(0, []);
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

    private Tree Prepare(DecisionTree tree)
    {
        var covers = tree.NodeCovers();
        var nodes = new Node[tree.NodeCount];
        var repeats = new Repeat[tree.NodeCount];
        var parent = new (int Node, bool Left)[tree.NodeCount];
        var inverses = new List<double>();
        var blocks = BlocksOf(tree);
        parent[0] = (-1, false);
        for (var i = 0; i < nodes.Length; i++)
        {
            nodes[i] = new()
            {
                Threshold = tree.Threshold[i],
                MissingLeft = tree.MissingLeft[i],
                Feature = tree.Feature[i],
                Left = SlotOf(tree.Left[i]),
                Right = SlotOf(tree.Right[i]),
                ShareLeft = tree.CoverOf(tree.Left[i], covers) / covers[i],
                ShareRight = tree.CoverOf(tree.Right[i], covers) / covers[i],
            };
            if (tree.Left[i] >= 0) parent[tree.Left[i]] = (i, true);
            if (tree.Right[i] >= 0) parent[tree.Right[i]] = (i, false);

            var above = parent[i];
            while (above.Node >= 0 && tree.Feature[above.Node] != tree.Feature[i]) above = parent[above.Node];
            repeats[i] = new() { Above = above.Node, AboveLeft = above.Left, Left = 1 };
            if (above.Node < 0) continue;
            var left = repeats[above.Node].Left * (above.Left ? nodes[above.Node].ShareLeft : nodes[above.Node].ShareRight);
            repeats[i].Left = left;
            repeats[i].Inverse = inverses.Count;
            inverses.AddRange(_points[blocks].Select(t => 1 / ((left * (1 - t)) + t)));
        }
        return new() { Nodes = nodes, Repeats = repeats, LeafValues = tree.LeafValue, Inverses = [.. inverses], Blocks = blocks };

        int SlotOf(int child) => child >= 0 ? child : tree.NodeCount + ~child;
    }

    public void Explain(ReadOnlySpan<float> vector, Span<double> contributions)
    {
        var scratch = ArrayPool<double>.Shared.Rent(((_featureCount + (3 * _slotsMax)) * Lanes) + _slotsMax);
        var sums = MemoryMarshal.Cast<double, Vector512<double>>(scratch.AsSpan(0, _featureCount * Lanes));
        var slots = MemoryMarshal.Cast<double, Vector512<double>>(scratch.AsSpan(_featureCount * Lanes, 3 * _slotsMax * Lanes));
        var flags = MemoryMarshal.AsBytes(scratch.AsSpan((_featureCount + (3 * _slotsMax)) * Lanes, _slotsMax));
        sums.Clear();
        foreach (ref readonly var tree in _trees.AsSpan())
        {
            for (var block = 0; block < tree.Blocks; block++)
            {
                var t = Vector512.Create<double>(_points[tree.Blocks].AsSpan(block * Lanes, Lanes));
                var weights = Vector512.Create<double>(_weights[tree.Blocks].AsSpan(block * Lanes, Lanes));
                Add(in tree, vector, t, weights, block * Lanes, slots, flags, sums);
            }
        }
        for (var f = 0; f < contributions.Length; f++) contributions[f] = Vector512.Sum(sums[f]);
        ArrayPool<double>.Shared.Return(scratch);
    }

    private void Add(in Tree tree, ReadOnlySpan<float> vector, Vector512<double> t, Vector512<double> weights, int offset,
        Span<Vector512<double>> scratch, Span<byte> flags, Span<Vector512<double>> sums)
    {
        const byte WentLeft = 1, Inside = 2;
        // All indices below come from a validated model and are within the scratch that was rented for the largest tree.
        ref var slot = ref scratch[0];                                        // weights going down, then values coming up
        ref var keep = ref Unsafe.Add(ref slot, _slotsMax);                   // k
        ref var gain = ref Unsafe.Add(ref keep, _slotsMax);                   // U c / F²
        ref var flag = ref flags[0];
        ref var values = ref MemoryMarshal.GetReference(vector);
        var nodes = tree.Nodes;
        var repeats = tree.Repeats;
        var complement = Vector512<double>.One - t;

        slot = weights;
        for (var i = 0; i < nodes.Length; i++)
        {
            ref readonly var node = ref nodes[i];
            ref readonly var repeat = ref repeats[i];
            var value = Unsafe.Add(ref values, node.Feature);
            var left = value <= node.Threshold || (float.IsNaN(value) && node.MissingLeft);
            var weight = Unsafe.Add(ref slot, i);
            if (repeat.Above < 0)
            {
                Unsafe.Add(ref flag, i) = (byte)(left ? WentLeft | Inside : Inside);
                var share = Vector512.Create(left ? node.ShareRight : node.ShareLeft);
                var k = share * complement;
                var away = weight * k;
                Unsafe.Add(ref keep, i) = k;
                Unsafe.Add(ref gain, i) = weight * share;
                Unsafe.Add(ref slot, left ? node.Right : node.Left) = away;
                Unsafe.Add(ref slot, left ? node.Left : node.Right) = weight - away;
            }
            else if (Unsafe.Add(ref flag, repeat.Above) == (repeat.AboveLeft ? WentLeft | Inside : Inside))
            {
                Unsafe.Add(ref flag, i) = (byte)(left ? WentLeft | Inside : Inside);
                var share = Vector512.Create(repeat.Left * (left ? node.ShareRight : node.ShareLeft));
                var inverse = Vector512.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(tree.Inverses), (nuint)(repeat.Inverse + offset));
                var k = share * complement * inverse;
                var away = weight * k;
                Unsafe.Add(ref keep, i) = k;
                Unsafe.Add(ref gain, i) = weight * share * inverse * inverse;
                Unsafe.Add(ref slot, left ? node.Right : node.Left) = away;
                Unsafe.Add(ref slot, left ? node.Left : node.Right) = weight - away;
            }
            else
            {
                Unsafe.Add(ref flag, i) = 0;
                Unsafe.Add(ref slot, node.Left) = weight * node.ShareLeft;
                Unsafe.Add(ref slot, node.Right) = weight * node.ShareRight;
            }
        }

        var leaves = tree.LeafValues;
        for (var leaf = 0; leaf < leaves.Length; leaf++) Unsafe.Add(ref slot, nodes.Length + leaf) = Vector512.Create(leaves[leaf]);

        for (var i = nodes.Length - 1; i >= 0; i--)
        {
            ref readonly var node = ref nodes[i];
            var went = Unsafe.Add(ref flag, i);
            if (went == 0)
            {
                Unsafe.Add(ref slot, i) = (Unsafe.Add(ref slot, node.Left) * node.ShareLeft) + (Unsafe.Add(ref slot, node.Right) * node.ShareRight);
                continue;
            }
            var left = (went & WentLeft) != 0;
            var taken = Unsafe.Add(ref slot, left ? node.Left : node.Right);
            var difference = taken - Unsafe.Add(ref slot, left ? node.Right : node.Left);
            Unsafe.Add(ref slot, i) = taken - (Unsafe.Add(ref keep, i) * difference);
            ref var sum = ref sums[node.Feature];
            sum += Unsafe.Add(ref gain, i) * difference;
        }
    }
}
