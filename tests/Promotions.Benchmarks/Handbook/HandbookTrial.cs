using Promotions.Scoring;
using Promotions.Training;

namespace Promotions.Benchmarks.Handbook;

/// <summary>How to learn.</summary>
/// <param name="Members">Models that are averaged; see <see cref="BaggedLearner"/>.</param>
internal sealed record HandbookConfiguration(string Name, TrainingOptions Options, int Members);

/// <param name="TrainFrauds">Of <paramref name="TrainRows"/>.</param>
/// <param name="AveragePrecision">This and the next two are of the same scores.</param>
internal sealed record HandbookResult(int TrainDay, int TrainRows, int TrainFrauds, int TestRows, int TestFrauds, double AveragePrecision, double Auc, double CardPrecision);

/// <summary>Mean over the folds, and the standard deviation over them as published: of the population.</summary>
internal sealed record HandbookSummary(double AveragePrecision, double AveragePrecisionSd, double Auc, double AucSd, double CardPrecision, double CardPrecisionSd)
{
    /// <summary>What the configuration is chosen by: all three are asked for, and none is given up for another.</summary>
    public double Sum => AveragePrecision + Auc + CardPrecision;

    public static HandbookSummary Of(IReadOnlyList<HandbookResult> folds)
    {
        var (ap, auc, cp) = (Spread(folds, r => r.AveragePrecision), Spread(folds, r => r.Auc), Spread(folds, r => r.CardPrecision));
        return new(ap.Mean, ap.Sd, auc.Mean, auc.Sd, cp.Mean, cp.Sd);
    }

    private static (double Mean, double Sd) Spread(IReadOnlyList<HandbookResult> folds, Func<HandbookResult, double> metric)
    {
        var mean = folds.Average(metric);
        return (mean, Math.Sqrt(folds.Average(fold => (metric(fold) - mean) * (metric(fold) - mean))));
    }
}

/// <summary>Learns and measures on folds.</summary>
/// <param name="vectors">As <see cref="HandbookFeatures.Compute"/> gives them, for every day of the folds.</param>
internal sealed class HandbookTrial(IReadOnlyList<HandbookTransaction> transactions, float[]?[] vectors)
{
    private const int CardsPerDay = 100;

    /// <summary>The candidates, written down before the test weeks were looked at: single models of two sizes, and averages of models that see half of the rows.</summary>
    public static readonly IReadOnlyList<HandbookConfiguration> Candidates =
    [
        new("100 × 8", Trees(100, 8), 1),
        new("100 × 31", Trees(100, 31), 1),
        new("5 × 100 × 8, half of rows and features", Trees(100, 8) with { RowShare = 0.5, FeatureShare = 0.5 }, 5),
        new("5 × 100 × 31, half of rows, 0.3 of features", Trees(100, 31) with { RowShare = 0.5, FeatureShare = 0.3 }, 5),
    ];

    /// <summary>One result per fold. Deterministic, whatever runs beside.</summary>
    public IReadOnlyList<HandbookResult> Run(HandbookConfiguration configuration, int seed, IReadOnlyList<HandbookFold> folds)
    {
        var results = new HandbookResult[folds.Count];
        Parallel.For(0, folds.Count, new() { MaxDegreeOfParallelism = Environment.ProcessorCount }, f => results[f] = Run(configuration, seed, folds[f]));
        return results;
    }

    private HandbookResult Run(HandbookConfiguration configuration, int seed, HandbookFold fold)
    {
        var (train, test) = fold.Split(transactions);
        TrainingRow[] rows = [.. train.Select(i => new TrainingRow(vectors[i]!, transactions[i].Fraud, 1, transactions[i].At))];
        var trees = BaggedLearner.Fit(rows, HandbookFeatures.Names.Length, configuration.Options with { Seed = seed }, configuration.Members);
        var scorer = TreeScorer.Load(ModelFile.Write(new(0, HandbookFeatures.Names, trees, Calibration.None, null)));
        double[] scores = [.. test.Select(i => scorer.RawScore(vectors[i]))];
        bool[] labels = [.. test.Select(i => transactions[i].Fraud)];
        var cards = test.Select((i, row) => (transactions[i].Day, (ulong)transactions[i].Customer, scores[row], labels[row]));
        return new(fold.TrainDay, train.Count, rows.Count(row => row.Abuse), test.Count, labels.Count(fraud => fraud),
            Evaluation.AveragePrecision(scores, labels), Evaluation.Auc(scores, labels), CardPrecision.AtK(cards, CardsPerDay));
    }

    private static TrainingOptions Trees(int trees, int leaves) => new() { Trees = trees, Leaves = leaves, LearningRate = 0.05, RowsPerLeafMin = 20 };
}
