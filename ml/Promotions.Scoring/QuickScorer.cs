using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Promotions.Scoring;

/// <summary>
/// All trees at once, feature by feature (Lucchese et al., QuickScorer, SIGIR 2015). A set of leaves is a bit mask; a node that sends the row right
/// removes the leaves on its left. What is left of a tree's leaves, once every node that sends right has spoken, has the row's leaf lowest.
/// </summary>
/// <remarks>
/// Nodes are grouped by feature and sorted by threshold, so those that send a value right are a prefix, read in order. A missing value removes by a list
/// of its own: the nodes of the feature whose missing values go right.
/// Leaf values are added in the file's order of trees, so that the sum is the same double that a walk gives.
/// </remarks>
internal sealed class QuickScorer<TMask> : IRowScorer where TMask : unmanaged, IBinaryInteger<TMask>, IUnsignedNumber<TMask>
{
    private const int StackTreesMax = 1024;

    [StructLayout(LayoutKind.Sequential)]
    private struct Step
    {
        public float Threshold;
        public int Tree;
        public TMask Keep;
    }

    private readonly Step[] _steps;          // by feature, ascending threshold, each feature closed by +infinity
    private readonly int[] _start;           // feature -> first step
    private readonly Step[] _missing;        // by feature: the nodes that send NaN right
    private readonly int[] _missingStart;    // feature -> first of _missing; one more at the end
    private readonly double[] _leafValues;   // tree * stride + rank from the left
    private readonly int _stride;
    private readonly int _treeCount;

    public static int LeavesMax => Unsafe.SizeOf<TMask>() * 8;

    public QuickScorer(TreeModel model)
    {
        _treeCount = model.Trees.Length;
        _stride = model.Trees.Max(tree => tree.LeafCount);
        _leafValues = new double[_treeCount * _stride];
        var byFeature = new List<(Step Step, bool MissingLeft)>[model.Features.Length];
        for (var f = 0; f < byFeature.Length; f++) byFeature[f] = [];
        for (var t = 0; t < _treeCount; t++) Add(model.Trees[t], t, byFeature);

        _start = new int[byFeature.Length];
        _missingStart = new int[byFeature.Length + 1];
        var steps = new List<Step>();
        var missing = new List<Step>();
        for (var f = 0; f < byFeature.Length; f++)
        {
            _start[f] = steps.Count;
            steps.AddRange(byFeature[f].Select(x => x.Step).OrderBy(x => x.Threshold).ThenBy(x => x.Tree));
            steps.Add(new() { Threshold = float.PositiveInfinity });
            missing.AddRange(byFeature[f].Where(x => !x.MissingLeft).Select(x => x.Step));
            _missingStart[f + 1] = missing.Count;
        }
        _steps = [.. steps];
        _missing = [.. missing];
    }

    private void Add(DecisionTree tree, int index, List<(Step, bool)>[] byFeature)
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
            byFeature[tree.Feature[at]].Add((new() { Threshold = tree.Threshold[at], Tree = index, Keep = keep }, tree.MissingLeft[at]));
            Visit(tree.Right[at]);
        }

        // A left side never holds all leaves of a tree, so count < the width of the mask.
        static TMask Below(int count) => unchecked((TMask.One << count) - TMask.One);
    }

    public double RawScore(ReadOnlySpan<float> vector)
    {
        var leaves = _treeCount <= StackTreesMax ? stackalloc TMask[_treeCount] : new TMask[_treeCount];
        leaves.Fill(TMask.AllBitsSet);
        ref var tree = ref MemoryMarshal.GetReference(leaves);
        ref var steps = ref MemoryMarshal.GetArrayDataReference(_steps);
        ref var starts = ref MemoryMarshal.GetArrayDataReference(_start);
        for (var f = 0; f < vector.Length; f++)
        {
            var value = vector[f];
            if (float.IsNaN(value))
            {
                foreach (ref readonly var step in _missing.AsSpan(_missingStart[f], _missingStart[f + 1] - _missingStart[f])) Unsafe.Add(ref tree, step.Tree) &= step.Keep;
                continue;
            }
            // Infinity ends every feature's steps: no step is beyond it, not even for the value infinity.
            for (ref var step = ref Unsafe.Add(ref steps, Unsafe.Add(ref starts, f)); step.Threshold < value; step = ref Unsafe.Add(ref step, 1))
                Unsafe.Add(ref tree, step.Tree) &= step.Keep;
        }

        double sum = 0;
        ref var values = ref MemoryMarshal.GetArrayDataReference(_leafValues);
        for (var t = 0; t < leaves.Length; t++)
        {
            sum += Unsafe.Add(ref values, int.CreateTruncating(TMask.TrailingZeroCount(Unsafe.Add(ref tree, t))));
            values = ref Unsafe.Add(ref values, _stride);
        }
        return sum;
    }
}
