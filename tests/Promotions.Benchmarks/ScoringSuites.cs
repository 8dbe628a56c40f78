using System.Diagnostics;
using System.Globalization;
using System.Text;
using Promotions.Scoring;
using Promotions.Scoring.LightGbm;
using Promotions.Training;
using Promotions.Training.Tests;

namespace Promotions.Benchmarks;

/// <summary>The model that the scoring rows are stated for: 200 trees × 31 leaves over 60 features with 10 % missing, learned by ML.NET from seeded rows, and 10,000 other rows.</summary>
internal sealed class ScoringWorkload
{
    public const int Features = 60;
    public const int RowCount = 10_000;
    private static readonly Lazy<ScoringWorkload> Lazily = new(() => new());

    private ScoringWorkload()
    {
        var data = SyntheticData.Create(seed: 31, rows: 20_000, Features, missingShare: 0.1, abuseLogOdds: -1);
        Fitted = LightGbmLearner.Fit(data.Rows, Features, new() { Trees = 200, Leaves = 31, LearningRate = 0.05, RowsPerLeafMin = 20 });
        Model = new(data.LayoutHash, data.Features, Fitted.Trees, Calibration.None, null);
        Scorer = TreeScorer.Load(ModelFile.Write(Model));
        Rows = [.. SyntheticData.Create(seed: 32, RowCount, Features, missingShare: 0.1).Rows.Select(row => row.Vector)];
        Shape = $"{Model.Trees.Length} trees, {Model.Trees.Average(tree => tree.LeafCount):0.#} leaves each, {Features} features, 10 % missing, {RowCount} rows in turn";
    }

    public static ScoringWorkload Shared => Lazily.Value;
    public LightGbmLearner.Fitted Fitted { get; }
    public TreeModel Model { get; }
    public TreeScorer Scorer { get; }
    public float[][] Rows { get; }
    public string Shape { get; }

    /// <summary>Median over passes of the mean time per row, in microseconds; the first pass warms up.</summary>
    public static double MicrosecondsPerRow(int rows, int passes, Action<int> row)
    {
        var means = new List<double>();
        for (var pass = 0; pass <= passes; pass++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < rows; i++) row(i);
            if (pass > 0) means.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds / rows);
        }
        means.Sort();
        return means[means.Count / 2];
    }
}

/// <summary>One row at a time through our scorer and through ML.NET's PredictionEngine on the same model.</summary>
internal sealed class ScoreSuite : IBenchSuite
{
    public string Name => "score";

    public Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        report.Progress("learning the model");
        var work = ScoringWorkload.Shared;
        using var engine = work.Fitted.CreateEngine();
        // ML.NET is given examples made beforehand and an answer to reuse, its quickest way.
        var examples = work.Rows.Select(row => new LightGbmLearner.Example { Features = work.Fitted.Scaled(row) }).ToArray();
        var answer = new LightGbmLearner.Answer();
        for (var i = 0; i < work.Rows.Length; i++)
        {
            engine.Predict(examples[i], ref answer);
            var ours = (float)work.Scorer.RawScore(work.Rows[i]);
            if (ours != answer.Score) throw new InvalidOperationException($"Row {i}: {ours} here, {answer.Score} in ML.NET.");
        }

        double sink = 0;
        var scored = ScoringWorkload.MicrosecondsPerRow(work.Rows.Length, passes: 15, i => sink += work.Scorer.RawScore(work.Rows[i]));
        var beside = ScoringWorkload.MicrosecondsPerRow(work.Rows.Length, passes: 5, i =>
        {
            engine.Predict(examples[i], ref answer);
            sink += answer.Score;
        });
        GC.KeepAlive(sink);
        report.Cost("score.row", scored, "µs", beside, $"beside ML.NET's PredictionEngine, scores equal in float32; {work.Shape}");
        Imported(report, work);
        FullScore.Measure(report, work);
        return Task.CompletedTask;
    }

    /// <summary>The same trees as LightGBM's text, read by us and by the library.</summary>
    private static void Imported(BenchReport report, ScoringWorkload work)
    {
        var text = LightGbmNative.Text(work.Model);
        var imported = ImportedModelFile.Import(Encoding.UTF8.GetBytes(text), work.Model.LayoutHash, [.. Enumerable.Range(0, ScoringWorkload.Features).Select(f => string.Create(CultureInfo.InvariantCulture, $"f{f}"))], null);
        var scorer = ImportedScorer.Load(ImportedModelFile.Write(imported));
        using var native = new LightGbmNative(text, ScoringWorkload.Features);
        var fast = native.RawScoreOfOne();
        for (var i = 0; i < work.Rows.Length; i++)
            if (scorer.RawScore(work.Rows[i]) != fast(work.Rows[i])) throw new InvalidOperationException($"Row {i}: {scorer.RawScore(work.Rows[i])} here, {fast(work.Rows[i])} in LightGBM.");

        double sink = 0;
        var ours = ScoringWorkload.MicrosecondsPerRow(work.Rows.Length, passes: 9, i => sink += scorer.RawScore(work.Rows[i]));
        var theirs = ScoringWorkload.MicrosecondsPerRow(work.Rows.Length, passes: 9, i => sink += fast(work.Rows[i]));
        GC.KeepAlive(sink);
        report.Cost("score.imported", ours, "µs", theirs, $"imported text beside LightGBM's single-row fast call, scores equal to the bit; {work.Shape}");
    }
}

/// <summary>One exact explanation at a time, and LightGBM's own for all rows in one call.</summary>
internal sealed class ExplainSuite : IBenchSuite
{
    public string Name => "explain";

    public Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        report.Progress("learning the model");
        var work = ScoringWorkload.Shared;
        var contributions = new double[ScoringWorkload.Features];
        var explained = ScoringWorkload.MicrosecondsPerRow(work.Rows.Length, passes: 5, i => work.Scorer.Explain(work.Rows[i], contributions));

        using var native = new LightGbmNative(work.Model);
        var flat = work.Rows.SelectMany(row => row).ToArray();
        native.Contributions(flat[..(100 * ScoringWorkload.Features)]);
        report.Progress("native predict_contrib, 10,000 rows in one call, one thread");
        var start = Stopwatch.GetTimestamp();
        var theirs = native.Contributions(flat);
        var beside = Stopwatch.GetElapsedTime(start).TotalMicroseconds / work.Rows.Length;

        double apart = 0;
        for (var i = 0; i < work.Rows.Length; i++)
        {
            work.Scorer.Explain(work.Rows[i], contributions);
            for (var f = 0; f < contributions.Length; f++) apart = Math.Max(apart, Math.Abs(contributions[f] - theirs[(i * (ScoringWorkload.Features + 1)) + f]));
        }
        if (apart > 1e-9) throw new InvalidOperationException($"Contributions differ from LightGBM's by {apart}.");
        report.Cost("explain.row", explained, "µs", beside, $"beside native LightGBM predict_contrib, one thread; largest difference {apart:G2}; {work.Shape}");
        SmallestChangeRows.Measure(report);
        return Task.CompletedTask;
    }
}
