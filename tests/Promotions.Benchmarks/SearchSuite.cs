using System.Globalization;
using Promotions.Training.Search;
using Promotions.Training.Tests;

namespace Promotions.Benchmarks;

/// <summary>How soon a search shows something, and what its winner is worth beside the default LightGBM.</summary>
/// <remarks>The data are of a seeded formula: 500,000 rows of 60 features with interactions and missing values. PROMOTIONS_SEARCH_MINUTES sets the budget, 20 by default.</remarks>
internal sealed class SearchSuite : IBenchSuite
{
    private const int Rows = 500_000;
    private const int Features = 60;
    private const double MinutesDefault = 20;

    public string Name => "search";

    public Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        var minutes = Environment.GetEnvironmentVariable("PROMOTIONS_SEARCH_MINUTES") is { Length: > 0 } set ? double.Parse(set, CultureInfo.InvariantCulture) : MinutesDefault;
        report.Progress("making 500,000 rows of 60 features");
        var data = SyntheticData.Create(seed: 501, Rows, Features, missingShare: 0.05, abuseLogOdds: -5);
        var task = new SearchTask(SearchMetric.Of("cost", -1), TimeSpan.FromMinutes(minutes), Seed: 1, Folds: 4, LabelDelay: TimeSpan.FromDays(7));
        TimeSpan? first = null;
        var result = ModelSearch.Run(data, task, SearchState.InMemory(), TimeProvider.System, (trial, spent) =>
        {
            if (first is null) report.Cost("search.first", spent.TotalSeconds, "s", 60, $"{trial.Candidate.Name}, a ninth of the rows, last fold; beside the reach");
            first ??= spent;
            report.Progress(string.Create(CultureInfo.InvariantCulture, $"{spent:mm\\:ss} rung {trial.Rung} {trial.Loss:0.####} {trial.Candidate.Name}"));
        }, cancellationToken);
        if (result.Standard is { } standard)
            report.Cost("search.winner", result.Chosen.Loss, task.Metric.Unit, standard.Loss, string.Create(CultureInfo.InvariantCulture, $"± {result.Chosen.StandardError:0.####}; {result.Trials.Count} trials in {minutes} min; beside the default LightGBM (± {standard.StandardError:0.####}); {result.Chosen.Candidate.Name}"));
        else
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  search.winner is not measured: {minutes} minutes were too few for the default LightGBM on all folds; highest rung: {result.Best.Rung}, {result.Best.Candidate.Name}"));
        return Task.CompletedTask;
    }
}
