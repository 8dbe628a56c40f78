using CsCheck;
using Promotions.Scoring.Drift;

namespace Promotions.Scoring.Tests;

/// <summary>The reference in the model file, the window beside it, and the alarms that follow.</summary>
public class DriftMonitorTests
{
    private const long Hour = 3_600_000;
    private const int Features = 5;
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddDays(20_000);
    private static readonly TreeModel Model = RandomModels.Model(7, 6, 8, Features);
    private static readonly TreeScorer Plain = TreeScorer.Load(ModelFile.Write(Model));

    [Fact]
    public void A_reference_is_written_read_covered_by_the_hash_and_changes_no_score()
    {
        var file = ModelFile.Write(Model with { Reference = Measured(Rows(1, 500)) });
        var with = TreeScorer.Load(file);
        Assert.NotEqual(Plain.ModelHash, with.ModelHash);
        Assert.Equal(file, ModelFile.Write(with.Model));
        Assert.Equal(500, with.Reference!.Rows);
        Assert.Equal(Model.Features, with.Reference.Features.Keys);
        foreach (var row in Rows(2, 50)) Assert.Equal(Plain.RawScore(row), with.RawScore(row));

        var text = System.Text.Encoding.UTF8.GetString(file);
        var at = text.IndexOf("\"missing\":", text.IndexOf("\"reference\"", StringComparison.Ordinal), StringComparison.Ordinal) + "\"missing\":".Length;
        file[at] ^= 1;
        Assert.Equal(ModelFileProblem.Damaged, Assert.Throws<ModelFileException>(() => TreeScorer.Load(file)).Problem);
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { "rows", "of 501 rows" }, { "feature", "which the model does not have" }, { "edges", "edges do not ascend" }, { "counts", "edges and" }, { "many", "more than 15" }, { "none", "nothing was measured" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_reference_that_makes_no_sense_is_refused_by_name(string what, string said)
    {
        var good = Measured(Rows(1, 500));
        var bins = good.Features["feature_1"];
        var bad = what switch
        {
            "rows" => good with { Rows = 501 },
            "feature" => With("feature_9", bins),
            "edges" => With("feature_1", bins with { Edges = [.. bins.Edges.Reverse()] }),
            "counts" => With("feature_1", bins with { Counts = bins.Counts[1..] }),
            "many" => With("feature_1", new([.. Enumerable.Range(0, 16).Select(i => (double)i)], [500, .. new long[16]], 0)),
            _ => good with { Rows = 0 },
        };
        Assert.Contains(said, Assert.Throws<ModelFileException>(() => ModelFile.Write(Model with { Reference = bad })).Message, StringComparison.Ordinal);

        ModelReference With(string name, Bins changed) => good with { Features = new Dictionary<string, Bins>(good.Features) { [name] = changed } };
    }

    [Fact]
    public void The_window_counts_as_a_naive_one_that_keeps_every_row()
    {
        var reference = Measured(Rows(1, 400));
        Gen.Select(Gen.Int[0, 60].Array[1, 80], Gen.Int[0, 1_000]).Sample((hours, seed) =>
        {
            var monitor = new DriftMonitor(Plain.ModelHash, reference, Model.Features);
            var rows = Rows(seed, hours.Length);
            var newest = 0L;
            var kept = new List<(float[] Row, long Hour)>();
            for (var i = 0; i < rows.Length; i++)
            {
                monitor.Observe(rows[i], Plain.RawScore(rows[i]), hours[i] * Hour);
                // What comes too late for its slot is gone: a later hour has taken it.
                if (!kept.Exists(one => one.Hour > hours[i] && one.Hour % 24 == hours[i] % 24)) kept.Add((rows[i], hours[i]));
                newest = Math.Max(newest, hours[i]);
            }

            var reading = monitor.Read((newest * Hour) + 5);
            var inside = kept.Where(one => one.Hour > newest - 24).Select(one => one.Row).ToArray();
            Assert.Equal(inside.Length, reading.Rows);
            Assert.Equal(Features + 1, reading.Measures.Count);
            foreach (var measure in reading.Measures)
            {
                var bins = measure.Name == "score" ? reference.Score : reference.Features[measure.Name];
                var values = inside.Select(row => measure.Name == "score" ? Plain.RawScore(row) : row[Array.IndexOf(Model.Features, measure.Name)]).ToArray();
                var actual = Bins.Of(values, bins.Edges).WithMissing();
                Assert.Equal(actual, measure.Actual);
                Assert.Equal(PopulationStability.Of(bins.WithMissing(), actual), measure.Psi);
                Assert.Equal(KolmogorovSmirnov.OfBins(bins.WithMissing(), actual), measure.Ks);
            }
        }, iter: 200);
    }

    [Fact]
    public void Values_at_an_edge_between_two_floats_fall_where_doubles_do()
    {
        // 0.1 is no float: the nearest lies above it, and so above the edge.
        var bins = new Bins([0.1], [1, 1], 0);
        var monitor = new DriftMonitor("m", new(Start, Start.AddDays(1), 2, new([], [2], 0), new Dictionary<string, Bins> { ["f"] = bins }), ["f"]);
        foreach (var value in (ReadOnlySpan<float>)[0.1f, MathF.BitDecrement(0.1f), float.PositiveInfinity, float.NegativeInfinity, float.NaN]) monitor.Observe([value], 0, 0);
        Assert.Equal([1, 2, 2], monitor.Read(0).Measures[1].Actual);
    }

    [Fact]
    public void The_same_people_are_no_drift_and_others_are_named()
    {
        var reference = Measured(Rows(1, 4_000));
        var monitor = new DriftMonitor(Plain.ModelHash, reference, Model.Features);
        foreach (var row in Rows(2, 4_000)) monitor.Observe(row, Plain.RawScore(row), Hour);
        var alarms = new DriftAlarms(DriftLevels.Default);
        var same = monitor.Read(Hour);
        Assert.All(same.Measures, measure => Assert.InRange(measure.Psi, 0, 0.03));
        Assert.Empty(alarms.Assess(same));

        // A day later one feature's source is broken: it comes doubled.
        foreach (var row in Rows(3, 4_000))
        {
            row[2] = (row[2] * 2) + 1;
            monitor.Observe(row, Plain.RawScore(row), 30 * Hour);
        }

        var changes = alarms.Assess(monitor.Read(30 * Hour));
        Assert.Contains(changes, change => change is { What: "psi feature_2", Began: true, Value: > 0.25 });
        Assert.DoesNotContain(changes, change => change.What.EndsWith("feature_1", StringComparison.Ordinal));
    }

    [Fact]
    public void Alarms_begin_at_one_level_end_below_another_and_keep_quiet_where_there_is_too_little()
    {
        var alarms = new DriftAlarms(DriftLevels.Default);
        Assert.Empty(alarms.Assess(Reading(rows: 999, psi: 3, gap: 0.5, answers: 99)));
        Assert.Equal([new("psi score", true, 0.25)], alarms.Assess(Reading(1_000, 0.25, 0, 0)));
        Assert.Empty(alarms.Assess(Reading(1_000, 0.20, 0, 0)));
        Assert.Empty(alarms.Assess(Reading(999, 0.01, 0, 0)));
        Assert.Equal(["psi score"], alarms.Holding);
        Assert.Equal([new("psi score", false, 0.19)], alarms.Assess(Reading(1_000, 0.19, 0, 0)));
        Assert.Empty(alarms.Assess(Reading(1_000, 0.24, 0, 0)));
        Assert.Equal([new("calibration", true, 0.1)], alarms.Assess(Reading(1_000, 0.1, 0.1, 100)));
        Assert.Empty(alarms.Assess(Reading(0, 0, 0.08, 100)));
        Assert.Equal([new("calibration", false, 0.069)], alarms.Assess(Reading(0, 0, 0.069, 100)));

        static DriftReading Reading(long rows, double psi, double gap, long answers) => new("m", rows, [new("score", psi, 0, [], [], [])], new(answers, gap, []));
    }

    [Fact]
    public void Answers_are_held_against_what_was_said_for_28_days()
    {
        var monitor = new DriftMonitor("m", Measured(Rows(1, 100)), Model.Features);
        for (var i = 0; i < 10; i++) monitor.Answered(0.55, abuse: i < 8, at: Hour);
        monitor.Answered(1, abuse: true, Hour);
        monitor.Answered(double.NaN, abuse: true, Hour);
        var reading = monitor.Read(27 * 24 * Hour).Calibration;
        Assert.Equal(11, reading.Answers);
        Assert.Equal((0.5, 10L, 0.8), (reading.Bins[0].From, reading.Bins[0].Answers, reading.Bins[0].Seen));
        Assert.Equal(0.55, reading.Bins[0].Predicted, 1e-6);
        Assert.Equal((0.9, 1L), (reading.Bins[1].From, reading.Bins[1].Answers));
        Assert.Equal(10 * 0.25 / 11, reading.Gap, 1e-6);
        Assert.Equal(0, monitor.Read(29 * 24 * Hour).Calibration.Answers);
    }

    [Fact]
    public void Observing_allocates_nothing()
    {
        var monitor = new DriftMonitor("m", Measured(Rows(1, 100)), Model.Features);
        var row = Rows(1, 1)[0];
        monitor.Observe(row, 0.5, Hour);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++) monitor.Observe(row, 0.5, Hour + (i * 60_000L));
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static ModelReference Measured(float[][] rows) => ModelReference.Measure(Plain, Model.Features, [.. rows.Select((row, i) => (row, Start.AddSeconds(i)))]);

    private static float[][] Rows(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => RandomModels.Row(random, Features))];
    }
}
