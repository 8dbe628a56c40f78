using Promotions.Features;
using Promotions.Scoring;
using Promotions.Scoring.Drift;

namespace Promotions.Training;

/// <summary>A model file and what was measured on the way.</summary>
public sealed record TrainedModel(byte[] File, TrainingCard Card);

/// <summary>Data set → model file. The same data set and options give the same bytes.</summary>
public static class Trainer
{
    /// <summary>Learns from the earliest rows, calibrates on later ones, measures on the latest.</summary>
    /// <exception cref="InvalidDataException">The rows cannot be learned from; the message says which part and why.</exception>
    public static TrainedModel Train(DataSet data, TrainingOptions options) => Train(data, options, fit => LightGbmLearner.Fit(fit, data.Features.Length, options).Trees);

    /// <inheritdoc cref="Train(DataSet, TrainingOptions)"/>
    /// <param name="learn">Makes trees of the earliest rows, in order of time. What it adds up is log-odds, or near to them.</param>
    internal static TrainedModel Train(DataSet data, TrainingOptions options, Func<IReadOnlyList<TrainingRow>, DecisionTree[]> learn)
    {
        data.Validate();
        if (!(options.FitShare > 0 && options.CalibrateShare >= 0 && options.FitShare + options.CalibrateShare <= 1))
            throw new ArgumentException($"Shares {options.FitShare} to fit and {options.CalibrateShare} to calibrate leave no sense.", nameof(options));

        // OrderBy is stable: rows of one millisecond keep the log's order.
        TrainingRow[] rows = [.. data.Rows.OrderBy(row => row.At)];
        var fitEnd = (int)(rows.Length * options.FitShare);
        var calibrateEnd = (int)(rows.Length * (options.FitShare + options.CalibrateShare));
        var fit = rows[..fitEnd];
        var abuse = fit.Count(row => row.Abuse);
        if (abuse == 0 || abuse == fit.Length) throw new InvalidDataException($"Of the {fit.Length} rows to learn from {abuse} are abuse; both classes are needed.");
        LeakCheck.Refuse(fit, data.Features, options.Accepted);

        var masked = LatePartMask.Apply(rows, options.Parts, options.LateRate, options.Seed);
        var trees = learn([.. masked.Take(fitEnd)]);
        var model = new TreeModel(data.LayoutHash, data.Features, trees, Calibration.None, null);
        if (calibrateEnd > fitEnd) model = model with { Calibration = Calibrate(model, [.. masked.Skip(fitEnd).Take(calibrateEnd - fitEnd)]) };

        var held = rows[calibrateEnd..];
        var metrics = held.Length == 0 ? null : Evaluation.Measure(TreeScorer.Load(ModelFile.Write(model)), held);
        var population = data.LayoutHash == FeatureRegistry.LayoutHash ? PopulationMeasure.Of(fit) : null;
        var card = new TrainingCard(data.TrainedOn, data.Seed, fit[0].At.ToDateTimeOffset(), rows[calibrateEnd > fitEnd ? calibrateEnd - 1 : fitEnd - 1].At.Plus(TimeSpan.FromMilliseconds(1)).ToDateTimeOffset(),
            fit.Length, (double)abuse / fit.Length, options.Command, metrics);
        return new(ModelFile.Write(model with { Card = card, Population = population, Reference = Reference(model, data.Features, rows[fitEnd..] is { Length: > 0 } later ? later : rows) }), card);
    }

    /// <summary>Of rows later than those that were learned from, where there are any.</summary>
    internal static ModelReference Reference(TreeModel model, string[] features, IReadOnlyList<TrainingRow> rows) =>
        ReferenceOf(TreeScorer.Load(ModelFile.Write(model)), features, rows);

    internal static ModelReference ReferenceOf(IScorer scorer, string[] features, IReadOnlyList<TrainingRow> rows) =>
        ModelReference.Measure(scorer, features, [.. rows.Select(row => (row.Vector, row.At.ToDateTimeOffset()))]);

    private static Calibration Calibrate(TreeModel model, IReadOnlyList<TrainingRow> rows)
    {
        var scorer = TreeScorer.Load(ModelFile.Write(model));
        var raw = new double[rows.Count];
        for (var i = 0; i < raw.Length; i++) raw[i] = scorer.RawScore(rows[i].Vector);
        return CalibrationChoice.Fit(raw, [.. rows.Select(row => row.Abuse)], [.. rows.Select(row => row.Weight)]);
    }
}
