using System.Globalization;

namespace Promotions.Benchmarks.Handbook;

/// <summary>The public benchmark of fraud models, from the raw file to the table. See HandbookFold for the protocol.</summary>
internal sealed class HandbookSuite : IBenchSuite
{
    private static readonly TimeSpan Delay = TimeSpan.FromDays(HandbookFold.DelayDays);
    private static readonly int[] Seeds = [1, 2, 3, 4, 5];

    public string Name => "handbook";

    public Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        if (HandbookFile.Find() is not { } path)
        {
            Console.WriteLine("handbook is not measured, for its data is not here. It takes " + HandbookFile.Origin + ".");
            return Task.CompletedTask;
        }
        report.Progress("reading and folding 1.75 million transactions");
        using var file = File.OpenRead(path);
        var transactions = HandbookFile.Read(file);
        var trial = Trial(transactions, Delay);

        var chosen = Choose(report, trial, cancellationToken);
        report.Progress($"measuring '{chosen.Name}' with seeds {string.Join(", ", Seeds)}");
        var runs = Seeds.Select(seed => trial.Run(chosen, seed, HandbookFold.Test)).ToList();
        foreach (var fold in runs[0])
            Console.WriteLine(Text($"  training week from day {fold.TrainDay}: {fold.TrainRows:N0} / {fold.TrainFrauds} frauds; test week: {fold.TestRows:N0} / {fold.TestFrauds}; AP {fold.AveragePrecision:F3}, AUC {fold.Auc:F3}, CP@100 {fold.CardPrecision:F3}"));

        // Of the first seed, not of the luckiest or of an average that nobody would serve; the others say how much luck there is.
        var seeds = runs.Select(HandbookSummary.Of).ToList();
        var first = seeds[0];
        var how = Text($"'{chosen.Name}', chosen on the weeks before; 4 folds, 7-day delay");
        report.Rate("handbook.ap", first.AveragePrecision, "AP", 0.687, Note(first.AveragePrecisionSd, s => s.AveragePrecision, "tuned XGBoost"));
        report.Rate("handbook.auc", first.Auc, "AUC", 0.879, Note(first.AucSd, s => s.Auc, "balanced bagging"));
        report.Rate("handbook.cp100", first.CardPrecision, "CP@100", 0.305, Note(first.CardPrecisionSd, s => s.CardPrecision, "balanced bagging"));
        Curve(report, transactions, chosen, first);
        return Task.CompletedTask;

        string Note(double sd, Func<HandbookSummary, double> metric, string beside) =>
            Text($"± {sd:F3} over folds; seeds {seeds.Min(metric):F4} to {seeds.Max(metric):F4}; beside the best published ({beside}); {how}");
    }

    private static HandbookConfiguration Choose(BenchReport report, HandbookTrial trial, CancellationToken cancellationToken)
    {
        report.Progress("choosing on test weeks 07-04 to 07-31, whose labels are all known before 08-08");
        HandbookConfiguration? best = null;
        var sum = double.NegativeInfinity;
        foreach (var candidate in HandbookTrial.Candidates)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var summary = HandbookSummary.Of(trial.Run(candidate, Seeds[0], HandbookFold.Selection));
            Console.WriteLine(Text($"  candidate {candidate.Name,-46} AP {summary.AveragePrecision:F4}  AUC {summary.Auc:F4}  CP@100 {summary.CardPrecision:F4}"));
            if (summary.Sum <= sum) continue;
            (best, sum) = (candidate, summary.Sum);
        }
        return best!;
    }

    /// <summary>The same weeks, the same transactions and the same configuration: only labels come sooner.</summary>
    private static void Curve(BenchReport report, List<HandbookTransaction> transactions, HandbookConfiguration chosen, HandbookSummary sevenDays)
    {
        foreach (var (name, delay) in new[] { ("handbook.delay_1d", TimeSpan.FromDays(1)), ("handbook.delay_1h", TimeSpan.FromHours(1)) })
        {
            report.Progress(name);
            var summary = HandbookSummary.Of(Trial(transactions, delay).Run(chosen, Seeds[0], HandbookFold.Test));
            report.Rate(name, summary.AveragePrecision, "AP", sevenDays.AveragePrecision, Text($"± {summary.AveragePrecisionSd:F3} over folds; AUC {summary.Auc:F4}, CP@100 {summary.CardPrecision:F4}; beside a delay of 7 d; same transactions"));
        }
    }

    private static HandbookTrial Trial(List<HandbookTransaction> transactions, TimeSpan delay) =>
        new(transactions, HandbookFeatures.Compute(transactions, delay, HandbookFold.Selection[0].TrainDay));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
