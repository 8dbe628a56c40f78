using System.Numerics;

namespace Promotions.Scoring.Tests;

/// <summary>Shapley values of a tree by their definition: every subset of its features.</summary>
internal static class ShapleyByEnumeration
{
    public static double[] Explain(TreeModel model, float[] row)
    {
        var contributions = new double[model.Features.Length];
        foreach (var tree in model.Trees)
        {
            var players = tree.Feature.Distinct().ToArray();
            var covers = tree.NodeCovers();
            var value = new double[1 << players.Length];
            for (uint known = 0; known < value.Length; known++) value[known] = Value(tree, covers, row, players, known, tree.NodeCount == 0 ? -1 : 0);
            for (var p = 0; p < players.Length; p++)
            {
                for (uint known = 0; known < value.Length; known++)
                {
                    if ((known & (1u << p)) != 0) continue;
                    var size = BitOperations.PopCount(known);
                    contributions[players[p]] += Factorial(size) * Factorial(players.Length - size - 1) / Factorial(players.Length) * (value[known | (1u << p)] - value[known]);
                }
            }
        }
        return contributions;
    }

    private static double Value(DecisionTree tree, double[] covers, float[] row, int[] players, uint known, int at)
    {
        if (at < 0) return tree.LeafValue[~at];
        if ((known & (1u << Array.IndexOf(players, tree.Feature[at]))) != 0)
            return Value(tree, covers, row, players, known, tree.GoesLeft(at, row[tree.Feature[at]]) ? tree.Left[at] : tree.Right[at]);
        double Cover(int child) => child >= 0 ? covers[child] : tree.LeafCover[~child];
        return ((Cover(tree.Left[at]) * Value(tree, covers, row, players, known, tree.Left[at]))
            + (Cover(tree.Right[at]) * Value(tree, covers, row, players, known, tree.Right[at]))) / covers[at];
    }

    private static double Factorial(int n) => n <= 1 ? 1 : n * Factorial(n - 1);
}
