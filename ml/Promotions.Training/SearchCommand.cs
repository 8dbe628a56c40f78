using System.CommandLine;
using System.Globalization;
using Promotions.Features;
using Promotions.Scoring;
using Promotions.Training.Search;

namespace Promotions.Training;

/// <summary><c>promotions-ml search</c>.</summary>
internal static class SearchCommand
{
    private const int MinutesDefault = 20;
    private const int FoldsDefault = 4;
    private const int DelayDaysDefault = 7;
    private const int RowsShown = 12;

    public static Command Create()
    {
        var dataset = CommandLine.DataSetOption();
        var minutes = new Option<double>("--minutes") { DefaultValueFactory = _ => MinutesDefault, Description = "No trial begins later." };
        var metric = new Option<string>("--metric") { DefaultValueFactory = _ => "cost", Description = "cost, ap, auc, logloss or missed (at 0.2 % of honest rows flagged)." };
        var seed = new Option<int>("--seed") { DefaultValueFactory = _ => 1, Description = "Of proposals and learners." };
        var folds = new Option<int>("--folds") { DefaultValueFactory = _ => FoldsDefault, Description = "Test windows at the end of the period." };
        var delay = new Option<double>("--label-delay-days") { DefaultValueFactory = _ => DelayDaysDefault, Description = "Between the rows that teach a fold and those that measure it." };
        var state = new Option<FileInfo>("--state") { DefaultValueFactory = _ => new("search.state.jsonl"), Description = "What has been tried; a search that was stopped goes on from it." };
        var output = new Option<FileInfo?>("--out") { Description = "Model file to write: the chosen pipeline, learned again." };
        var command = new Command("search", "Looks for the best pipeline within a time, on time-ordered folds.") { dataset, minutes, metric, seed, folds, delay, state, output };
        command.SetAction((parsed, cancellationToken) => CommandLine.RunAsync(() =>
        {
            var source = parsed.GetRequiredValue(dataset);
            var data = CommandLine.ReadDataSet(source);
            var task = new SearchTask(SearchMetric.Of(parsed.GetRequiredValue(metric), Array.IndexOf(data.Features, SearchMetric.DiscountFeature)), TimeSpan.FromMinutes(parsed.GetValue(minutes)), parsed.GetValue(seed), parsed.GetValue(folds), TimeSpan.FromDays(parsed.GetValue(delay)));
            Search(data, task, parsed.GetRequiredValue(state), parsed.GetValue(output), source.Name, cancellationToken);
            return Task.CompletedTask;
        }));
        return command;
    }

    private static void Search(DataSet data, SearchTask task, FileInfo file, FileInfo? output, string source, CancellationToken cancellationToken)
    {
        var state = SearchState.In(file.FullName);
        var bar = new SearchBar(task);
        var result = ModelSearch.Run(data, task, state, TimeProvider.System, bar.Tell, cancellationToken);
        SearchBar.End();
        Show(result, task);
        if (output is null) return;
        if (result.ChosenServable is not { } chosen) throw new InvalidDataException("No pipeline that a model file can hold has come that far: give the search more time.");
        var options = new TrainingOptions
        {
            Seed = task.Seed,
            Parts = data.LayoutHash == FeatureRegistry.LayoutHash ? CommandLine.PartsOfLayout() : [],
            LateRate = data.LayoutHash == FeatureRegistry.LayoutHash ? CommandLine.LateRateDefault : 0,
            Command = string.Create(CultureInfo.InvariantCulture, $"promotions-ml search --dataset {source} --metric {task.Metric.Name} --seed {task.Seed} --folds {task.Folds} --label-delay-days {task.LabelDelay.TotalDays} --out {output.Name}: {chosen.Candidate.Name}"),
        };
        var trained = ModelSearch.Train(data, chosen.Candidate, options);
        File.WriteAllBytes(output.FullName, trained.File);
        Console.WriteLine($"{output.Name}: {ModelFile.HashOf(trained.File)}");
    }

    internal static void Show(SearchResult result, SearchTask task)
    {
        Say($"loss: {task.Metric.Unit}; mean ± standard error over {task.Folds} folds (standard deviation between them)");
        foreach (var (trial, place) in result.Leaderboard.Take(RowsShown).Select((trial, place) => (trial, place)))
            Say($"{place + 1,3}  rung {trial.Rung}  {trial.Loss,10:0.#####} {Spread(trial),-24} work {trial.Work,6}  {trial.Seconds,6:0.0} s  {trial.Candidate.Name}{(trial == result.Chosen ? "  ← chosen" : "")}");
        Say($"best:   {result.Best.Loss:0.#####} {result.Best.Candidate.Name}");
        Say($"chosen: {result.Chosen.Loss:0.#####} {result.Chosen.Candidate.Name}: the cheapest within one standard error of the best");
        if (!result.Chosen.Servable) Say($"A model file cannot hold it; of those that it can: {result.ChosenServable?.Loss.ToString("0.#####", CultureInfo.InvariantCulture) ?? "none"} {result.ChosenServable?.Candidate.Name}");
        if (result.Standard is not { } standard) Say($"The default LightGBM has not been on all folds yet: nothing to compare with.");
        else Say($"default LightGBM: {standard.Loss:0.#####} {Spread(standard)}; the chosen one is {Verdict(result.Chosen, standard)}");
    }

    /// <summary>By the same folds: the mean difference against its standard error.</summary>
    internal static string Verdict(Trial chosen, Trial standard)
    {
        if (SearchState.SameCandidate.Equals(chosen.Candidate, standard.Candidate)) return "the same";
        double[] differences = [.. standard.Losses.Zip(chosen.Losses, (theirs, ours) => theirs - ours)];
        var mean = differences.Average();
        var error = Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / (differences.Length - 1) / differences.Length);
        var noisy = Math.Abs(mean) <= 2 * error ? "within the folds' noise" : "more than the folds' noise";
        return string.Create(CultureInfo.InvariantCulture, $"{(mean >= 0 ? "better" : "worse")} by {Math.Abs(mean):0.#####} ± {error:0.#####} a fold: {noisy}");
    }

    private static string Spread(Trial trial) => trial.Losses.Length < 2 ? "(one fold)" : string.Create(CultureInfo.InvariantCulture, $"± {trial.StandardError:0.#####} ({trial.Deviation:0.#####})");

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}

/// <summary>How far a search has come: one line that is written over on a terminal, a line per trial else.</summary>
internal sealed class SearchBar(SearchTask task)
{
    private const int Width = 24;
    private Trial? _best;
    private int _count;

    public void Tell(Trial trial, TimeSpan spent)
    {
        _count++;
        if (_best is null || trial.Rung > _best.Rung || (trial.Rung == _best.Rung && trial.Loss < _best.Loss)) _best = trial;
        var done = Math.Min(1, spent / task.Budget);
        var bar = new string('█', (int)(done * Width)).PadRight(Width, '·');
        var text = string.Create(CultureInfo.InvariantCulture, $"{bar} {done,4:P0} {spent:mm\\:ss}  trial {_count}, rung {trial.Rung}: {trial.Loss:0.#####} {SearchSpace.NameOf(trial.Candidate.Family)}; best on rung {_best.Rung}: {_best.Loss:0.#####} {SearchSpace.NameOf(_best.Candidate.Family)}");
        if (Console.IsErrorRedirected) Console.Error.WriteLine(text);
        else Console.Error.Write("\r\u001b[K" + text);
    }

    public static void End()
    {
        if (!Console.IsErrorRedirected) Console.Error.WriteLine();
    }
}
