using System.Globalization;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Scoring;
using Promotions.Simulation;
using Promotions.Simulation.Abuse;
using Promotions.Training;
using Promotions.Training.Tests;

namespace Promotions.Benchmarks;

/// <summary>What a model catches in a simulated shop, later than it learned, and of kinds of abuse that it has never met.</summary>
/// <remarks>
/// Learned from days 0 to 59 with the labels that had arrived by day 84, some of them wrong and many missing; measured on days 85 to 114 against the truth, nothing blocked. The threshold is fixed on the
/// training period's last 40 %, which taught no tree: the lowest that blocks at most 0.2 % of its honest customers, in as many days as the later month has. Value is the discount that the rules would have given.
/// Blocked is what the model, a hard rule of the shipped policy, or one of those that <c>promotions-ml outliers</c> measures says: what the guessing and code rules leave of the 0.2 % is half the limits', half the model's. Rules, shares and budget were chosen on four other shops.
/// </remarks>
internal sealed class ShopSuite : IBenchSuite
{
    private const int TrainDays = 60, LabelDays = 85, TestDays = 30, MatureDays = 45, GroupRowsMin = 100;
    private static readonly ulong[] Seeds = [811, 812, 813, 814];       // so many that no kind is likely to be missing from the later month
    private const double HonestBlocked = 0.002, OutliersPart = 0.5, StoppedReach = 0.9, WorstKindReach = 0.6, LookalikeReach = 5, CalibrationReach = 0.01;
    private static readonly TrainingOptions Options = new() { FitShare = 0.6, CalibrateShare = 0.4, LateRate = 0 };
    private static readonly EventTime Start = EventTime.From(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public string Name => "shop";

    /// <param name="Learned">Its label is what had arrived when the model was made.</param>
    /// <param name="Abuse">The truth.</param>
    /// <param name="LabelledLater">The label after all complaints had time to come.</param>
    /// <param name="Value">Minor units.</param>
    private sealed record Row(TrainingRow Learned, ulong Customer, string Kind, bool Abuse, bool LabelledLater, long Value)
    {
        public double Raw(Model model) => model.Scorer.RawScore(Learned.Vector);

        /// <summary>The probability that abuse as this would have its label by then. Whether it was refused is known; here it is what gave no discount.</summary>
        public double Arrived(EventTime by) => (Value > 0 ? Complaints : Reviews).By(TimeSpan.FromMilliseconds(by.UnixMilliseconds - Learned.At.UnixMilliseconds));
    }

    /// <param name="Rules">The shipped policy's, and as <c>promotions-ml outliers</c> writes them.</param>
    /// <param name="Calibration">Of the probability of abuse: labels that are still to come, or never do, allowed for.</param>
    private sealed record Model(TreeScorer Scorer, IReadOnlyList<HardRule> Rules, double Threshold, Calibration Calibration);

    /// <summary>As the simulator's kinds have it on average, and as its DECISIONS say: of what got through, seven tenths are complained about, after 7 to 60 days; of what was refused, three tenths are judged, soon.</summary>
    private static readonly LabelArrival Complaints = new(0.7, TimeSpan.FromDays(7), TimeSpan.FromDays(60)), Reviews = new(0.3, TimeSpan.Zero, TimeSpan.FromDays(2));

    /// <summary>The shipped policy's: a bot that guesses codes.</summary>
    private static readonly HardRule[] Shipped = [new("code_guessing_ip", "ip_invalid_codes_1h", 20), new("code_guessing_device", "device_invalid_codes_1h", 15)];

    /// <summary>A partner's staff's: the one code of the shop whose audience its campaign bounds.</summary>
    private const string BoundedCode = "PARTNER25";
    private const double SurgeTimes = 3;

    public Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        report.Progress(Text($"simulating and folding 115 days of {Seeds.Length} shops, and {MatureDays} until their labels have come, with {ScenarioReader.All.Count} kinds of abuse"));
        var (train, test) = Rows();
        Console.WriteLine(Text($"  training: {train.Count:N0} attempts, {train.Count(row => row.Abuse):N0} abuse, {train.Count(row => row.Learned.Abuse):N0} labelled so; later month: {test.Count:N0}, {test.Count(row => row.Abuse):N0} abuse worth {test.Where(row => row.Abuse).Sum(row => row.Value) / 100.0:N0} EUR"));

        report.Progress("learning from all kinds");
        var model = Learn(train);
        var (stopped, honest) = (Stopped(model, [.. test.Where(row => row.Abuse)]), HonestShare(model, test));
        report.Rate("shop.stopped", stopped, "of value", StoppedReach, Text($"beside the reach; realised: {honest:P2} of the month's honest customers blocked (0.2 % in the training period); {ScenarioReader.All.Count} kinds, {Seeds.Length} shops"));
        Kinds(report, train, test, model, cancellationToken);
        Groups(report, test, model);

        var plain = model.Scorer.Model.Calibration;
        report.Cost("shop.calibration", Error(test, row => model.Calibration.Probability(row.Raw(model)), row => row.Abuse), "ECE", CalibrationReach, Text($"15 bins of equal count, against the truth; labels that are still to come, or never do, allowed for by their known shares and delays ({train.Count(row => row.Learned.Abuse) / (double)train.Count(row => row.Abuse):P0} of training abuse was labelled); without that {Error(test, row => plain.Probability(row.Raw(model)), row => row.Abuse):0.000}; beside the reach"));
        report.Cost("shop.calibration_labels", Error(test, row => model.Calibration.Probability(row.Raw(model)) * row.Arrived(Day(LabelDays + TestDays + MatureDays)), row => row.LabelledLater), "ECE", CalibrationReach, Text($"the probability of a label by {MatureDays} days later, against the labels that a shop would have then; beside the reach"));
        return Task.CompletedTask;
    }

    private static void Kinds(BenchReport report, List<Row> train, List<Row> test, Model all, CancellationToken cancellationToken)
    {
        Console.WriteLine("  kind                   attempts    value EUR   known    unseen   honest customers blocked (unseen)");
        var worst = (Kind: "", Stopped: double.PositiveInfinity);
        foreach (var kind in ScenarioReader.All.Select(scenario => scenario.Kind).Order(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            report.Progress($"learning without {kind}");
            Row[] own = [.. test.Where(row => row.Kind == kind)];
            var without = Learn([.. train.Where(row => row.Kind != kind)]);
            var (known, unseen, value) = (Stopped(all, own), Stopped(without, own), own.Sum(row => row.Value) / 100.0);
            Console.WriteLine(Text($"  {kind,-20} {own.Length,10:N0} {value,12:N0} {known,7:P1} {unseen,9:P1} {HonestShare(without, test),10:P2}"));
            if (unseen < worst.Stopped) worst = (kind, unseen);
        }
        report.Rate("shop.worst_kind", worst.Stopped, "of value", WorstKindReach, $"{worst.Kind}, learned from the {ScenarioReader.All.Count - 1} others; beside the reach");
    }

    private static void Groups(BenchReport report, List<Row> test, Model model)
    {
        Row[] honest = [.. test.Where(row => !row.Abuse)];
        double Alarms(IReadOnlyCollection<Row> rows) => (double)rows.Count(row => Blocks(model, row)) / rows.Count;
        var mean = Alarms(honest);
        Console.WriteLine(Text($"  honest people: {mean:P3} of {honest.Length:N0} attempts are false alarms"));
        var worst = (Group: "", Ratio: 0.0);
        foreach (var group in honest.GroupBy(row => row.Kind).OrderByDescending(group => Alarms([.. group])))
        {
            Row[] rows = [.. group];
            var ratio = mean > 0 ? Alarms(rows) / mean : 0;
            Console.WriteLine(Text($"  {group.Key,-22} {rows.Length,8:N0} {Alarms(rows),9:P3} {ratio,7:N1} × the mean{(rows.Length < GroupRowsMin ? "  (too few to count)" : "")}"));
            if (rows.Length >= GroupRowsMin && ratio > worst.Ratio) worst = (group.Key, ratio);
        }
        report.Cost("shop.lookalike", worst.Ratio, "ratio", LookalikeReach, $"{worst.Group}; false alarms per attempt, groups of {GroupRowsMin} attempts and more; beside the reach");
    }

    private static (List<Row> Train, List<Row> Test) Rows()
    {
        var customer = Entities.Kinds.ToList().IndexOf(EntityKind.Customer);
        var rows = Seeds.SelectMany(seed =>
        {
            var log = SimulatedLog.Create(new() { Seed = seed, IdPrefix = $"s{seed}-", Start = Start, Days = LabelDays + TestDays + MatureDays, Scenarios = ScenarioReader.All });
            return LogDataSet.Read(log.Records, log.Checkout, _ => null, Start, Day(LabelDays + TestDays)).Rows.Select(row =>
            {
                var (truth, discount) = log.Facts[row.RedemptionId];
                var label = row.Abuse == true && row.LabelAt < Day(LabelDays);
                return new Row(new(row.Vector, label, 1, row.At, row.Entities, truth.Kind), row.Entities[customer], truth.Kind, truth.Abuse, row.Abuse == true, discount);
            });
        }).OrderBy(row => row.Learned.At).ToList();
        return ([.. rows.Where(row => row.Learned.At < Day(TrainDays))], [.. rows.Where(row => row.Learned.At >= Day(LabelDays))]);
    }

    /// <summary>Expected calibration error over 15 bins of equal count.</summary>
    private static double Error(List<Row> rows, Func<Row, double> probability, Func<Row, bool> happened)
    {
        const int bins = 15;
        var sorted = rows.Select(row => (P: probability(row), Happened: happened(row) ? 1.0 : 0)).OrderBy(one => one.P).ToArray();
        return Enumerable.Range(0, bins).Select(bin => sorted[(bin * sorted.Length / bins)..((bin + 1) * sorted.Length / bins)])
            .Sum(own => (double)own.Length / sorted.Length * Math.Abs(own.Average(one => one.P) - own.Average(one => one.Happened)));
    }

    private static EventTime Day(int day) => Start.Plus(TimeSpan.FromDays(day));

    private static Model Learn(List<Row> train)
    {
        DataSet data = new(FeatureRegistry.LayoutHash, [.. FeatureRegistry.Features.Select(f => f.Name)], "simulated shops", 811, [.. train.Select(row => row.Learned)]);
        var scorer = TreeScorer.Load(Trainer.Train(data, Options).File);
        var fitted = (int)(train.Count * Options.FitShare);
        Row[] later = [.. train.Skip(fitted)];
        var raw = later.Select(row => scorer.RawScore(row.Learned.Vector)).ToArray();
        var calibration = DelayedLabels.Calibrate(raw, [.. later.Select(row => row.Learned.Abuse)], [.. later.Select(row => row.Arrived(Day(LabelDays)))]);

        // A customer who comes for more days is blocked more easily: the later month has more than this part.
        var customers = later.Where(row => !row.Abuse).GroupBy(row => row.Customer).ToList();
        var budget = OutlierRules.Budget(customers.Count, HonestBlocked, TimeSpan.FromMilliseconds(Day(TrainDays).UnixMilliseconds - later[0].Learned.At.UnixMilliseconds), TimeSpan.FromDays(TestDays));
        var learned = later.Select(row => row.Learned).ToList();
        HardRule[] standing = [.. Shipped, .. OutlierRules.MeasureSurge(OutlierRules.Unsuspected(learned, Shipped, scorer), BoundedCode, SurgeTimes) is { } surge ? (HardRule[])[surge] : []];
        var unruly = customers.Where(own => !own.Any(row => OutlierRules.Blocks(standing, row.Learned))).ToList();
        HardRule[] rules = [.. standing, .. OutlierRules.MeasureLimits(OutlierRules.Unsuspected(learned, standing, scorer), Math.Max(0, (int)((budget - (customers.Count - unruly.Count)) * OutliersPart)))];
        var usual = unruly.Where(own => !own.Any(row => OutlierRules.Blocks(rules, row.Learned))).ToList();
        var threshold = Highest(usual, row => scorer.RawScore(row.Learned.Vector), Math.Max(0, (int)(budget - (customers.Count - usual.Count))));
        return new(scorer, rules, threshold, calibration);

        // Above what all customers but so many ever had.
        static double Highest(List<IGrouping<ulong, Row>> customers, Func<Row, double> value, int but) => Math.BitIncrement(customers.Select(own => own.Max(value)).OrderDescending().ElementAt(but));
    }

    private static bool Blocks(Model model, Row row) => row.Raw(model) >= model.Threshold || OutlierRules.Blocks(model.Rules, row.Learned);

    private static double Stopped(Model model, IReadOnlyCollection<Row> abuse) => (double)abuse.Where(row => Blocks(model, row)).Sum(row => row.Value) / abuse.Sum(row => row.Value);

    private static double HonestShare(Model model, IEnumerable<Row> rows)
    {
        var honest = rows.Where(row => !row.Abuse).GroupBy(row => row.Customer).ToList();
        return (double)honest.Count(own => own.Any(row => Blocks(model, row))) / honest.Count;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
