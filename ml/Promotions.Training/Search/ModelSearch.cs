namespace Promotions.Training.Search;

/// <summary>What to search for.</summary>
/// <param name="Budget">Time after which no further trial begins; the one that runs is finished.</param>
/// <param name="Folds">2 or more.</param>
/// <param name="LabelDelay">Between the rows that teach a fold and those that measure it.</param>
public sealed record SearchTask(SearchMetric Metric, TimeSpan Budget, int Seed, int Folds, TimeSpan LabelDelay);

/// <summary>A candidate on one rung.</summary>
/// <param name="Rung">0, 1 or 2; see <see cref="ModelSearch.Rungs"/>.</param>
/// <param name="Losses">One per fold that the rung looks at.</param>
/// <param name="Work">What a score costs: leaves or weights that may count, mean over the folds.</param>
/// <param name="Seconds">Of learning and measuring, all folds.</param>
public sealed record Trial(Candidate Candidate, int Rung, double[] Losses, int Work, double Seconds)
{
    public double Loss => Losses.Average();

    /// <summary>Between folds, of a sample.</summary>
    public double Deviation => Losses.Length < 2 ? double.NaN : Math.Sqrt(Losses.Sum(loss => (loss - Loss) * (loss - Loss)) / (Losses.Length - 1));
    public double StandardError => Deviation / Math.Sqrt(Losses.Length);

    /// <summary>Whether a model file can hold it.</summary>
    public bool Servable => Candidate.Family is not Family.Logistic;
}

/// <param name="Trials">In the order in which they ended.</param>
/// <param name="Best">Least mean loss on the highest rung that was reached.</param>
/// <param name="Chosen">The cheapest to serve within one standard error of it.</param>
/// <param name="ChosenServable">The same among those that a model file can hold; null where none got there.</param>
public sealed record SearchResult(IReadOnlyList<Trial> Trials, Trial Best, Trial Chosen, Trial? ChosenServable)
{
    /// <summary>Each candidate on its highest rung; best first, higher rungs first.</summary>
    public IReadOnlyList<Trial> Leaderboard => [.. Trials.GroupBy(trial => SearchState.KeyOf(trial.Candidate)).Select(own => own.MaxBy(trial => trial.Rung)!).OrderByDescending(trial => trial.Rung).ThenBy(trial => trial.Loss)];

    /// <summary>What <c>promotions-ml train</c> would do without a search, on all folds; null where time ran out before.</summary>
    public Trial? Standard => Trials.FirstOrDefault(trial => trial.Rung == ModelSearch.Rungs.Count - 1 && SearchState.KeyOf(trial.Candidate) == SearchState.KeyOf(SearchSpace.Default(Family.LightGbm)));
}

/// <summary>The best pipeline for a metric within a time, on time-ordered folds.</summary>
/// <remarks>
/// Successive halving (Jamieson and Talwalkar 2016; brackets as in Hyperband, Li et al. 2018, with η = 3): nine candidates see a ninth of the rows and the last fold, the best three a third and all folds, the best
/// one everything. Candidates are proposed by TPE (Bergstra et al. 2011) from what the highest rung with enough trials has shown. The path depends on data, task and seed, not on how fast
/// trials are: a search that is resumed from its state gives what an uninterrupted one would have given.
/// </remarks>
public static class ModelSearch
{
    private const int BracketSize = 9;
    private const int Eta = 3;
    private const int ObservationsMin = 6;

    /// <summary>Share of the rows that teach, and whether all folds are looked at or only the last.</summary>
    public static readonly IReadOnlyList<(double RowShare, bool AllFolds)> Rungs = [(1.0 / 9, false), (1.0 / 3, true), (1, true)];

    /// <param name="state">What an earlier run left; trials are added to it.</param>
    /// <param name="tell">Told of each trial that ended, with the time spent.</param>
    /// <exception cref="InvalidDataException">The rows cannot be searched on: says why.</exception>
    public static SearchResult Run(DataSet data, SearchTask task, SearchState state, TimeProvider time, Action<Trial, TimeSpan> tell, CancellationToken cancellationToken)
    {
        data.Validate();
        TrainingRow[] rows = [.. data.Rows.OrderBy(row => row.At)];
        LeakCheck.Refuse(rows, data.Features, []);
        var folds = PrequentialFolds.Make(rows, task.Folds, task.LabelDelay);
        state.Begin(data, task);
        return new Searcher(rows, data.Features.Length, folds, task, state, time, tell, cancellationToken).Search();
    }

    /// <summary>Learns the candidate again as <see cref="Trainer"/> does: earliest rows teach, later ones calibrate, the latest are measured on.</summary>
    /// <exception cref="ArgumentException">No model file can hold a logistic regression.</exception>
    public static TrainedModel Train(DataSet data, Candidate candidate, TrainingOptions options)
    {
        if (candidate.Family is Family.Logistic) throw new ArgumentException("A model file holds trees; a logistic regression has none.", nameof(candidate));
        return Trainer.Train(data, options, fit => Pipeline.Fit(candidate, fit, data.Features.Length, options.Seed).Trees!);
    }

    internal static SearchResult ResultOf(IReadOnlyList<Trial> trials)
    {
        var highest = trials.Max(trial => trial.Rung);
        Trial[] there = [.. trials.Where(trial => trial.Rung == highest)];
        return new(trials, there.MinBy(trial => trial.Loss)!, Choose(there), there.Any(trial => trial.Servable) ? Choose([.. there.Where(trial => trial.Servable)]) : null);
    }

    /// <summary>The one-standard-error rule (Breiman et al. 1984).</summary>
    private static Trial Choose(Trial[] trials)
    {
        var best = trials.MinBy(trial => trial.Loss)!;
        var limit = best.Loss + (double.IsNaN(best.StandardError) ? 0 : best.StandardError);
        return trials.Where(trial => trial.Loss <= limit).OrderBy(trial => trial.Work).ThenBy(trial => trial.Loss).First();
    }

    private sealed class Searcher(TrainingRow[] rows, int features, IReadOnlyList<Fold> folds, SearchTask task, SearchState state, TimeProvider time, Action<Trial, TimeSpan> tell, CancellationToken cancellationToken)
    {
        private readonly List<Trial> _trials = [];
        private readonly long _began = time.GetTimestamp();
        private readonly TreeParzenEstimator _proposals = new(new Random(task.Seed));

        public SearchResult Search()
        {
            for (var bracket = 0; !IsOver; bracket++)
            {
                var standing = new List<Candidate>();
                for (var i = 0; i < BracketSize && !IsOver; i++)
                {
                    var candidate = bracket == 0 && i < SearchSpace.Families.Count ? SearchSpace.Default(SearchSpace.Families[i]) : _proposals.Propose(Observed());
                    Try(candidate, 0);
                    standing.Add(candidate);
                }

                for (var rung = 1; rung < Rungs.Count && !IsOver; rung++)
                {
                    standing = [.. standing.OrderBy(candidate => LossOf(candidate, rung - 1)).Take(Math.Max(1, standing.Count / Eta))];
                    // The standard is what everything is compared with: it goes all the way, once.
                    if (bracket == 0 && !standing.Contains(SearchSpace.Default(Family.LightGbm), SearchState.SameCandidate)) standing.Add(SearchSpace.Default(Family.LightGbm));
                    foreach (var candidate in standing)
                        if (!IsOver) Try(candidate, rung);
                }
            }
            return ResultOf(_trials);
        }

        private bool IsOver => _trials.Count > 0 && (cancellationToken.IsCancellationRequested || time.GetElapsedTime(_began) >= task.Budget);

        private double LossOf(Candidate candidate, int rung) => _trials.First(trial => trial.Rung == rung && SearchState.SameCandidate.Equals(trial.Candidate, candidate)).Loss;

        private List<(Candidate, double)> Observed()
        {
            for (var rung = Rungs.Count - 1; rung > 0; rung--)
                if (_trials.Count(trial => trial.Rung == rung) >= ObservationsMin) return Of(rung);
            return Of(0);

            List<(Candidate, double)> Of(int rung) => [.. _trials.Where(trial => trial.Rung == rung).Select(trial => (trial.Candidate, trial.Loss))];
        }

        private void Try(Candidate candidate, int rung)
        {
            if (_trials.Exists(trial => trial.Rung == rung && SearchState.SameCandidate.Equals(trial.Candidate, candidate))) return;
            var trial = state.Find(candidate, rung);
            if (trial is null)
            {
                trial = Measure(candidate, rung);
                state.Add(trial);
            }
            _trials.Add(trial);
            tell(trial, time.GetElapsedTime(_began));
        }

        private Trial Measure(Candidate candidate, int rung)
        {
            var began = time.GetTimestamp();
            var (share, all) = Rungs[rung];
            Fold[] looked = all ? [.. folds] : [folds[^1]];
            var (losses, work) = (new double[looked.Length], new int[looked.Length]);
            Parallel.For(0, looked.Length, new() { MaxDegreeOfParallelism = Environment.ProcessorCount }, f =>
            {
                var pipeline = Pipeline.Fit(candidate, Thinned(looked[f].TrainEnd, share), features, task.Seed);
                var test = new ArraySegment<TrainingRow>(rows, looked[f].TestFrom, looked[f].TestTo - looked[f].TestFrom);
                losses[f] = task.Metric.Loss(test, [.. test.Select(row => pipeline.Raw(row.Vector))], pipeline.Calibration);
                work[f] = pipeline.Work;
            });
            return new(candidate, rung, losses, (int)work.Average(), time.GetElapsedTime(began).TotalSeconds);
        }

        /// <summary>Every so manieth row of either class, over the whole time.</summary>
        private List<TrainingRow> Thinned(int end, double share)
        {
            var step = (int)Math.Round(1 / share);
            var kept = new List<TrainingRow>((end / step) + 1);
            int abuse = 0, honest = 0;
            for (var i = 0; i < end; i++)
                if ((rows[i].Abuse ? abuse++ : honest++) % step == 0) kept.Add(rows[i]);
            return kept;
        }
    }
}
