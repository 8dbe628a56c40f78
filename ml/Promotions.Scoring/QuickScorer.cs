using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Promotions.Scoring;

/// <summary>
/// All trees at once, feature by feature (Lucchese et al., QuickScorer, SIGIR 2015). A set of leaves is a bit mask; a node that sends the row right
/// removes the leaves on its left. What is left of a tree's leaves, once every node that sends right has spoken, has the row's leaf lowest.
/// </summary>
/// <remarks>
/// Nodes are grouped by feature and sorted by threshold, so those that send a value right are a prefix. Checkpoints are ours: after every few nodes the masks of all trees
/// are stored as the prefix leaves them, in one row of a table, so that a feature costs one row, joined by wide instructions, and the few nodes beyond its checkpoint,
/// one by one. A missing value is a row of its own: the nodes whose missing values go right.
/// Leaf values are added in the file's order of trees, so that the sum is the same double that a walk gives.
/// </remarks>
internal sealed class QuickScorer<TMask> : IRowScorer where TMask : unmanaged, IBinaryInteger<TMask>, IUnsignedNumber<TMask>
{
    /// <summary>Nodes between checkpoints, at least. Measured: 4 is no faster on a busy machine, 16 slower, and a smaller table leaves cache to others.</summary>
    private const int SpacingMin = 8;
    /// <summary>Bytes of checkpoints above which they are spaced wider: they should stay in a core's second cache.</summary>
    private const int TableBytesMax = 768 * 1024;
    private const int StackBytesMax = 16 * 1024;
    private static int MasksPerVector => 64 / Unsafe.SizeOf<TMask>();

    [StructLayout(LayoutKind.Sequential)]
    private struct Step
    {
        public float Threshold;
        public int Tree;
        public TMask Keep;
    }

    private struct Feature
    {
        /// <summary>First step; closed by steps with the threshold +infinity.</summary>
        public int Steps;
        /// <summary>First checkpoint threshold (the last one passed by it), in vectors of 16 filled up with +infinity.</summary>
        public int Marks;
        public int MarkVectors;
        /// <summary>Table row of the first checkpoint; the row before it is of a missing value.</summary>
        public int Row;
    }

    private readonly Step[] _steps;
    private readonly float[] _marks;
    private readonly Feature[] _features;
    private readonly TMask[] _table;         // row 0 keeps all leaves
    private readonly int _rowLength;         // trees, filled up to whole vectors
    private readonly int _spacing;
    private readonly double[] _leafValues;   // tree * stride + rank from the left
    private readonly int _stride;
    private readonly int _treeCount;

    public static int LeavesMax => Unsafe.SizeOf<TMask>() * 8;

    public QuickScorer(TreeModel model)
    {
        _treeCount = model.Trees.Length;
        _rowLength = (_treeCount + MasksPerVector - 1) / MasksPerVector * MasksPerVector;
        _stride = model.Trees.Max(tree => tree.LeafCount);
        _leafValues = new double[_treeCount * _stride];
        var nodes = new List<(Step Step, bool MissingLeft)>[model.Features.Length];
        for (var f = 0; f < nodes.Length; f++) nodes[f] = [];
        for (var t = 0; t < _treeCount; t++) Add(model.Trees[t], t, nodes);

        var rowBytes = (long)_rowLength * Unsafe.SizeOf<TMask>();
        var nodeCount = nodes.Sum(list => list.Count);
        _spacing = (int)Math.Max(SpacingMin, nodeCount * rowBytes / TableBytesMax);

        _features = new Feature[nodes.Length];
        var steps = new List<Step>();
        var marks = new List<float>();
        var table = new List<TMask>(Enumerable.Repeat(TMask.AllBitsSet, _rowLength));
        for (var f = 0; f < nodes.Length; f++)
        {
            Step[] sorted = [.. nodes[f].Select(x => x.Step).OrderBy(x => x.Threshold).ThenBy(x => x.Tree)];
            table.AddRange(RowAfter(nodes[f].Where(x => !x.MissingLeft).Select(x => x.Step)));
            _features[f] = new() { Steps = steps.Count, Marks = marks.Count, Row = table.Count / _rowLength };
            for (var passed = _spacing; passed <= sorted.Length; passed += _spacing)
            {
                marks.Add(sorted[passed - 1].Threshold);
                table.AddRange(RowAfter(sorted.Take(passed)));
            }
            while (marks.Count % Vector512<float>.Count != 0) marks.Add(float.PositiveInfinity);
            _features[f].MarkVectors = (marks.Count - _features[f].Marks) / Vector512<float>.Count;
            steps.AddRange(sorted);
            // A feature's last stretch is read to its full length.
            steps.AddRange(Enumerable.Repeat(new Step { Threshold = float.PositiveInfinity, Keep = TMask.AllBitsSet }, SpacingMin));
        }
        _steps = [.. steps];
        _marks = [.. marks];
        _table = [.. table];
    }

    private TMask[] RowAfter(IEnumerable<Step> steps)
    {
        var row = new TMask[_rowLength];
        row.AsSpan().Fill(TMask.AllBitsSet);
        foreach (var step in steps) row[step.Tree] &= step.Keep;
        return row;
    }

    private void Add(DecisionTree tree, int index, List<(Step, bool)>[] nodes)
    {
        // Ranks from the left, by a walk; the leaves left of a node's right child are those that the node removes.
        var rank = 0;
        Visit(tree.NodeCount == 0 ? -1 : 0);

        void Visit(int at)
        {
            if (at < 0)
            {
                _leafValues[(index * _stride) + rank++] = tree.LeafValue[~at];
                return;
            }
            var first = rank;
            Visit(tree.Left[at]);
            var keep = ~(Below(rank) ^ Below(first));
            nodes[tree.Feature[at]].Add((new() { Threshold = tree.Threshold[at], Tree = index, Keep = keep }, tree.MissingLeft[at]));
            Visit(tree.Right[at]);
        }

        // A left side never holds all leaves of a tree, so count < the width of the mask.
        static TMask Below(int count) => unchecked((TMask.One << count) - TMask.One);
    }

    public double RawScore(ReadOnlySpan<float> vector)
    {
        var rowBytes = _rowLength * Unsafe.SizeOf<TMask>();
        Span<int> rows = vector.Length * sizeof(int) <= StackBytesMax ? stackalloc int[vector.Length] : new int[vector.Length];
        Span<TMask> leaves = rowBytes <= StackBytesMax ? stackalloc TMask[_rowLength] : new TMask[_rowLength];
        FindRows(vector, rows);
        JoinRows(rows, leaves);
        ApplySteps(vector, rows, leaves);

        double sum = 0;
        ref var tree = ref MemoryMarshal.GetReference(leaves);
        ref var values = ref MemoryMarshal.GetArrayDataReference(_leafValues);
        for (var t = 0; t < _treeCount; t++)
        {
            sum += Unsafe.Add(ref values, int.CreateTruncating(TMask.TrailingZeroCount(Unsafe.Add(ref tree, t))));
            values = ref Unsafe.Add(ref values, _stride);
        }
        return sum;
    }

    /// <summary>Per feature the last checkpoint that the value has passed, as a row of the table; 0 before the first.</summary>
    private void FindRows(ReadOnlySpan<float> vector, Span<int> rows)
    {
        ref var marks = ref MemoryMarshal.GetArrayDataReference(_marks);
        ref var features = ref MemoryMarshal.GetArrayDataReference(_features);
        for (var f = 0; f < rows.Length; f++)
        {
            ref var feature = ref Unsafe.Add(ref features, f);
            var value = Vector512.Create(vector[f]);
            var passed = 0;
            for (var v = 0; v < feature.MarkVectors; v++)
            {
                var before = Vector512.LessThan(Vector512.LoadUnsafe(ref marks, (nuint)(feature.Marks + (v * Vector512<float>.Count))), value);
                passed += BitOperations.PopCount(before.ExtractMostSignificantBits());
            }
            var last = feature.Row + passed - 1;                      // NaN passes nothing: the row before the first
            rows[f] = passed > 0 || float.IsNaN(vector[f]) ? last : 0;
        }
    }

    private void JoinRows(ReadOnlySpan<int> rows, Span<TMask> leaves)
    {
        ref var table = ref MemoryMarshal.GetArrayDataReference(_table);
        ref var target = ref MemoryMarshal.GetReference(leaves);
        var width = MasksPerVector;
        var at = 0;
        for (; at + (4 * width) <= _rowLength; at += 4 * width)
        {
            Vector512<TMask> a = Vector512<TMask>.AllBitsSet, b = a, c = a, d = a;
            foreach (var row in rows)
            {
                ref var from = ref Unsafe.Add(ref table, (row * _rowLength) + at);
                a &= Vector512.LoadUnsafe(ref from);
                b &= Vector512.LoadUnsafe(ref from, (nuint)width);
                c &= Vector512.LoadUnsafe(ref from, (nuint)(2 * width));
                d &= Vector512.LoadUnsafe(ref from, (nuint)(3 * width));
            }
            a.StoreUnsafe(ref target, (nuint)at);
            b.StoreUnsafe(ref target, (nuint)(at + width));
            c.StoreUnsafe(ref target, (nuint)(at + (2 * width)));
            d.StoreUnsafe(ref target, (nuint)(at + (3 * width)));
        }
        for (; at < _rowLength; at += width)
        {
            var a = Vector512<TMask>.AllBitsSet;
            foreach (var row in rows) a &= Vector512.LoadUnsafe(ref table, (nuint)((row * _rowLength) + at));
            a.StoreUnsafe(ref target, (nuint)at);
        }
    }

    /// <summary>The nodes between a feature's checkpoint and its value.</summary>
    private void ApplySteps(ReadOnlySpan<float> vector, ReadOnlySpan<int> rows, Span<TMask> leaves)
    {
        ref var tree = ref MemoryMarshal.GetReference(leaves);
        ref var steps = ref MemoryMarshal.GetArrayDataReference(_steps);
        ref var features = ref MemoryMarshal.GetArrayDataReference(_features);
        for (var f = 0; f < rows.Length; f++)
        {
            ref var feature = ref Unsafe.Add(ref features, f);
            var value = vector[f];
            var passed = rows[f] == 0 ? 0 : rows[f] - feature.Row + 1;
            ref var step = ref Unsafe.Add(ref steps, feature.Steps + (passed * _spacing));
            // Nothing is below NaN, and infinity closes every feature's steps: no step lies beyond it, not even for the value infinity.
            if (_spacing > SpacingMin)
            {
                for (; step.Threshold < value; step = ref Unsafe.Add(ref step, 1)) Unsafe.Add(ref tree, step.Tree) &= step.Keep;
                continue;
            }
            // Where to stop is a coin toss that a processor loses; all steps up to the next checkpoint cost less, with those beyond the value keeping everything.
            for (var i = 0; i < SpacingMin; i++)
            {
                ref var at = ref Unsafe.Add(ref step, i);
                Unsafe.Add(ref tree, at.Tree) &= at.Keep | unchecked(TMask.CreateTruncating(Unsafe.BitCast<bool, byte>(at.Threshold < value)) - TMask.One);
            }
        }
    }
}
