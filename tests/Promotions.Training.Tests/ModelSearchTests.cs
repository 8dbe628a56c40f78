using Microsoft.Extensions.Time.Testing;
using Promotions.Scoring;
using Promotions.Training.Search;

namespace Promotions.Training.Tests;

public class ModelSearchTests
{
    private static readonly DataSet Data = SyntheticData.Create(seed: 21, rows: 3_000, features: 6, missingShare: 0.1, abuseLogOdds: -1.5);
    private static readonly SearchTask Wanted = new(SearchMetric.Of("logloss", -1), TimeSpan.Zero, Seed: 3, Folds: 3, LabelDelay: TimeSpan.FromHours(2));

    [Fact]
    public void Folds_learn_only_from_what_was_labelled_when_their_window_began()
    {
        var folds = PrequentialFolds.Make(Data.Rows, 4, TimeSpan.FromHours(5));
        Assert.Equal(4, folds.Count);
        Assert.Equal(Data.Rows.Count, folds[^1].TestTo);
        foreach (var fold in folds)
        {
            Assert.True(Data.Rows[fold.TrainEnd - 1].At.Plus(TimeSpan.FromHours(5)) < Data.Rows[fold.TestFrom].At, "a row teaches whose label had not come");
            Assert.InRange(fold.TestTo - fold.TestFrom, 250, 350);
        }
        Assert.Equal(folds.Skip(1).Select(fold => fold.TestFrom), folds.SkipLast(1).Select(fold => fold.TestTo));
    }

    [Fact]
    public void A_period_that_is_too_short_or_of_one_class_is_said_with_the_fold()
    {
        var refused = Assert.Throws<InvalidDataException>(() => PrequentialFolds.Make(Data.Rows, 4, TimeSpan.FromHours(29.9)));
        Assert.Contains("before 2023-11-", refused.Message, StringComparison.Ordinal);
        DataSet honest = Data with { Rows = [.. Data.Rows.Select((row, i) => i < 2_000 ? row : row with { Abuse = false })] };
        Assert.Contains("of fold 2's window", Assert.Throws<InvalidDataException>(() => PrequentialFolds.Make(honest.Rows, 4, TimeSpan.Zero)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Family.LightGbm)]
    [InlineData(Family.FastTree)]
    [InlineData(Family.FastForest)]
    [InlineData(Family.Blend)]
    public void What_a_family_learned_is_what_its_model_file_answers(Family family)
    {
        var candidate = Small(family);
        var pipeline = Pipeline.Fit(candidate, Data.Rows, 6, seed: 1);
        var scorer = TreeScorer.Load(ModelFile.Write(new(Data.LayoutHash, Data.Features, pipeline.Trees!, pipeline.Calibration, null)));
        foreach (var row in Data.Rows.Take(300)) Assert.Equal(pipeline.Raw(row.Vector), scorer.RawScore(row.Vector), 9);
        var labels = Data.Rows.Select(row => row.Abuse).ToArray();
        Assert.InRange(Evaluation.Auc([.. Data.Rows.Select(row => pipeline.Raw(row.Vector))], labels), 0.75, 1);
    }

    [Fact]
    public void A_class_weight_changes_the_trees_and_not_what_a_probability_means()
    {
        var settings = SearchSpace.Of(Family.LightGbm).ToList();
        var heavy = Small(Family.LightGbm);
        heavy = heavy with { Values = [.. heavy.Values.Select((value, i) => settings[i].Name == SearchSpace.AbuseWeight ? 10 : value)] };
        var pipeline = Pipeline.Fit(heavy, Data.Rows, 6, seed: 1);
        var mean = Data.Rows.Average(row => pipeline.Calibration.Probability(pipeline.Raw(row.Vector)));
        Assert.Equal(Data.Rows.Count(row => row.Abuse) / 3_000.0, mean, 0.05);
    }

    [Fact]
    public void A_search_that_was_stopped_and_resumed_goes_the_way_of_one_that_was_not()
    {
        var folder = Directory.CreateTempSubdirectory("promotions-search-");
        try
        {
            var path = Path.Combine(folder.FullName, "state.jsonl");
            var first = Run(SearchState.In(path), trials: 3);
            Assert.Equal(3, first.Trials.Count);
            File.AppendAllText(path, "{\"family\":1,\"val");       // the power went while a line was written
            var resumed = Run(SearchState.In(path), trials: 6);
            var whole = Run(SearchState.InMemory(), trials: 6);
            Assert.Equal(whole.Trials.Select(Facts), resumed.Trials.Select(Facts));
            Assert.Equal(whole.Chosen.Candidate.Name, resumed.Chosen.Candidate.Name);
            Assert.Equal(7, File.ReadAllLines(path).Length);

            var other = Assert.Throws<InvalidDataException>(() => ModelSearch.Run(Data, Wanted with { Seed = 4 }, SearchState.In(path), TimeProvider.System, (_, _) => { }, CancellationToken.None));
            Assert.Contains("another search", other.Message, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        static string Facts(Trial trial) => $"{trial.Candidate.Name} {trial.Rung} {string.Join(' ', trial.Losses)} {trial.Work}";
    }

    [Fact]
    public void Cost_counts_the_value_of_abuse_let_through_and_customers_wronged()
    {
        Assert.Contains(SearchMetric.DiscountFeature, Promotions.Features.FeatureRegistry.Features.Select(f => f.Name));
        var costs = Promotions.Processing.Decisions.FraudCosts.Default;
        TrainingRow Row(bool abuse, float discount) => new([discount], abuse, 1, default);
        TrainingRow[] rows = [Row(true, 1_000), Row(true, 1_000), Row(false, 1_000), Row(false, 10)];
        // Blocked: the first and the third; 0.9 · 5,000 > 0.1 · 2,000, 0.05 · 5,000 < 0.95 · 2,000.
        double[] raw = [.. new[] { 0.9, 0.05, 0.9, 0.5 }.Select(p => Math.Log(p / (1 - p)))];
        Assert.Equal(((costs.AbuseMultiple * 1_000) + costs.WrongedCustomer) / 4, SearchMetric.Of("cost", 0).Loss(rows, raw, Calibration.None), 9);
    }

    [Fact]
    public void Within_one_standard_error_the_cheaper_one_is_chosen_and_one_that_can_be_served_is_named()
    {
        Trial best = new(SearchSpace.Default(Family.FastForest), 2, [0.10, 0.12, 0.14], 9_000, 1), near = new(SearchSpace.Default(Family.LightGbm), 2, [0.11, 0.12, 0.15], 3_000, 1);
        Trial cheap = new(SearchSpace.Default(Family.Logistic), 2, [0.12, 0.12, 0.15], 60, 1), far = new(SearchSpace.Default(Family.FastTree), 2, [0.2, 0.2, 0.2], 10, 1), low = new(SearchSpace.Default(Family.Blend), 1, [0.01, 0.01, 0.01], 5, 1);
        var result = ModelSearch.ResultOf([far, low, cheap, near, best]);
        Assert.Equal((best, cheap, near), (result.Best, result.Chosen, result.ChosenServable));
        Assert.Equal([best, near, cheap, far, low], result.Leaderboard);
    }

    [Fact]
    public void Proposals_gather_where_losses_were_small()
    {
        var random = new Random(5);
        var estimator = new TreeParzenEstimator(random);
        var tried = new List<(Candidate Candidate, double Loss)>();
        for (var i = 0; i < 120; i++)
        {
            var next = estimator.Propose(tried);
            tried.Add((next, Badness(next)));
        }
        var (early, late) = (tried.Take(30).Average(one => one.Loss), tried.TakeLast(30).Average(one => one.Loss));
        Assert.True(late < 0.75 * early, $"{early} at first, {late} in the end");

        // Best is FastTree with a rate near 0.1.
        static double Badness(Candidate candidate) => candidate.Family is Family.FastTree ? Math.Abs(Math.Log(candidate[SearchSpace.Rate] / 0.1)) : 1.5;
    }

    private static Candidate Small(Family family) => new(family, [.. SearchSpace.Of(family).Select(setting => setting.Name switch
    {
        SearchSpace.Trees => 40,
        SearchSpace.Leaves => 12,
        SearchSpace.Rate => 0.1,
        _ => setting.Default,
    })]);

    /// <summary>Time passes by a minute a trial.</summary>
    private static SearchResult Run(SearchState state, int trials)
    {
        var time = new FakeTimeProvider();
        return ModelSearch.Run(Data, Wanted with { Budget = TimeSpan.FromMinutes(trials) }, state, time, (_, _) => time.Advance(TimeSpan.FromMinutes(1)), CancellationToken.None);
    }
}
