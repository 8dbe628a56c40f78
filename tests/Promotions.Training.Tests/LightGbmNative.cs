using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Promotions.Scoring;

namespace Promotions.Training.Tests;

/// <summary>The native LightGBM library with one of our models in it: the independent answer for scores and contributions.</summary>
internal sealed class LightGbmNative : IDisposable
{
    private const string Library = "lib_lightgbm";
    private const int Float32 = 0;
    private readonly nint _booster;
    private readonly int _features;
    private readonly List<nint> _fast = [];

    public LightGbmNative(TreeModel model) : this(Text(model), model.Features.Length) { }

    /// <param name="text">A model in LightGBM's text format.</param>
    public LightGbmNative(string text, int features)
    {
        _features = features;
        Check(LGBM_BoosterLoadModelFromString(Encoding.UTF8.GetBytes(text + "\0"), out _, out _booster));
    }

    /// <summary>Raw score per row.</summary>
    public double[] RawScores(float[] rows) => Predict(rows, kind: 1, perRow: 1);

    /// <summary>Per row: a contribution per feature, then the expected value.</summary>
    public double[] Contributions(float[] rows) => Predict(rows, kind: 3, perRow: _features + 1);

    /// <summary>The library's quickest way to score one row after another: everything but the row is set beforehand.</summary>
    public unsafe Func<float[], double> RawScoreOfOne()
    {
        Check(LGBM_BoosterPredictForMatSingleRowFastInit(_booster, 1, 0, -1, Float32, _features, "num_threads=1\0"u8.ToArray(), out var fast));
        _fast.Add(fast);
        return row =>
        {
            double score;
            fixed (float* values = row) Check(LGBM_BoosterPredictForMatSingleRowFast(fast, values, out _, &score));
            return score;
        };
    }

    private double[] Predict(float[] rows, int kind, int perRow)
    {
        var count = rows.Length / _features;
        var result = new double[(long)count * perRow];
        Check(LGBM_BoosterPredictForMat(_booster, rows, Float32, count, _features, 1, kind, 0, -1, "num_threads=1\0"u8.ToArray(), out var length, result));
        return length == result.Length ? result : throw new InvalidOperationException($"{length} answers for {result.Length} places.");
    }

    public void Dispose()
    {
        foreach (var fast in _fast) Check(LGBM_FastConfigFree(fast));
        Check(LGBM_BoosterFree(_booster));
    }

    private static void Check(int code)
    {
        if (code != 0) throw new InvalidOperationException(Marshal.PtrToStringUTF8(LGBM_GetLastError()));
    }

    /// <summary>Our trees in LightGBM's text format, missing values being NaN at every node.</summary>
    public static string Text(TreeModel model)
    {
        var trees = new StringBuilder[model.Trees.Length];
        for (var t = 0; t < trees.Length; t++) Append(trees[t] = new(), t, model.Trees[t]);
        var text = new StringBuilder();
        var last = model.Features.Length - 1;
        text.Append(CultureInfo.InvariantCulture, $"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx={last}\nobjective=binary sigmoid:1\n");
        text.Append("feature_names=").AppendJoin(' ', Enumerable.Range(0, last + 1).Select(f => $"f{f}"));
        text.Append("\nfeature_infos=").AppendJoin(' ', Enumerable.Repeat("[-1e30:1e30]", last + 1));
        text.Append("\ntree_sizes=").AppendJoin(' ', trees.Select(tree => tree.Length)).Append("\n\n");
        foreach (var tree in trees) text.Append(tree);
        return text.Append("end of trees\n").ToString();
    }

    private static void Append(StringBuilder text, int index, DecisionTree tree)
    {
        const int NumericWithNan = 8, DefaultLeft = 2;
        text.Append(CultureInfo.InvariantCulture, $"Tree={index}\nnum_leaves={tree.LeafCount}\nnum_cat=0\n");
        Line("split_feature", tree.Feature.Select(f => (double)f));
        Line("split_gain", tree.Feature.Select(_ => 1.0));
        Line("threshold", tree.Threshold.Select(t => (double)t));
        Line("decision_type", tree.MissingLeft.Select(left => (double)(NumericWithNan | (left ? DefaultLeft : 0))));
        Line("left_child", tree.Left.Select(c => (double)c));
        Line("right_child", tree.Right.Select(c => (double)c));
        Line("leaf_value", tree.LeafValue);
        Line("leaf_weight", tree.LeafCover);
        Line("leaf_count", tree.LeafCover);
        Line("internal_value", tree.Feature.Select(_ => 0.0));
        Line("internal_weight", tree.NodeCovers());
        Line("internal_count", tree.NodeCovers());
        text.Append("is_linear=0\nshrinkage=1\n\n\n");

        void Line(string key, IEnumerable<double> values) =>
            text.Append(key).Append('=').AppendJoin(' ', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture))).Append('\n');
    }

    [DllImport(Library)]
    private static extern int LGBM_BoosterLoadModelFromString(byte[] text, out int iterations, out nint booster);

    [DllImport(Library)]
    private static extern int LGBM_BoosterPredictForMat(nint booster, float[] data, int type, int rows, int columns, int rowMajor, int kind, int startIteration, int iterations,
        byte[] parameters, out long length, double[] result);

    [DllImport(Library)]
    private static extern int LGBM_BoosterPredictForMatSingleRowFastInit(nint booster, int kind, int startIteration, int iterations, int type, int columns, byte[] parameters, out nint fast);

    [DllImport(Library)]
    private static extern unsafe int LGBM_BoosterPredictForMatSingleRowFast(nint fast, float* row, out long length, double* result);

    [DllImport(Library)]
    private static extern int LGBM_FastConfigFree(nint fast);

    [DllImport(Library)]
    private static extern int LGBM_BoosterFree(nint booster);

    [DllImport(Library)]
    private static extern nint LGBM_GetLastError();
}
