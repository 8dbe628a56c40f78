using System.Text.RegularExpressions;
using System.Xml.Linq;
using Promotions.Scoring;
using Promotions.Training.Report;

namespace Promotions.Training.Tests;

public partial class ReportTests
{
    private static readonly TreeScorer Scorer = TreeScorer.Load(Trainer.Train(SyntheticData.Create(seed: 30, rows: 4_000, features: 6, missingShare: 0.05), new() { Trees = 60, Leaves = 8 }).File);
    private static readonly DataSet Data = Grouped(AsItSays(SyntheticData.Create(seed: 31, rows: 30_000, features: 6, missingShare: 0.05)));
    private static readonly EvaluationReport Report = EvaluationReport.Of(Scorer, Data);

    [Fact]
    public void The_area_under_the_drawn_curve_is_the_auc()
    {
        double area = 0;
        for (var i = 1; i < Report.Roc.Count; i++) area += (Report.Roc[i].X - Report.Roc[i - 1].X) * (Report.Roc[i].Y + Report.Roc[i - 1].Y) / 2;
        Assert.Equal(Report.Metrics.Auc, area, 0.003);
        Assert.Equal((1.0, 1.0), (Report.Roc[^1].X, Report.Roc[^1].Y));
    }

    [Fact]
    public void The_cheapest_threshold_is_that_of_a_plain_search()
    {
        var rows = Data.Rows.Select(row => (P: Scorer.Probability(Scorer.RawScore(row.Vector)), row.Abuse)).ToList();
        var (low, wronged) = (Report.Cost.Costs.LossMin, Report.Cost.Costs.WrongedCustomer);
        double Cost(double threshold) => rows.Sum(row => (row.Abuse, row.P >= threshold) switch { (true, false) => low, (false, true) => wronged, _ => 0.0 }) / rows.Count * 1_000;
        Assert.Equal(rows.Select(row => row.P).Append(2).Distinct().Order().Where((_, i) => i % 50 == 0).Append(Report.Cost.Best.Threshold).Min(Cost), Report.Cost.Best.PerThousand, 9);
        Assert.Equal(Cost(2), Report.Cost.AtNothing, 9);
    }

    [Fact]
    public void A_score_is_called_a_probability_only_where_the_check_passes()
    {
        Assert.True(Report.Calibration.Passes, Report.Calibration.Why);
        Assert.Equal("probability", Report.ScoreName);
        var crooked = TreeScorer.Load(ModelFile.Write(Scorer.Model with { Calibration = Calibration.Platt(1, 2) }));
        var report = EvaluationReport.Of(crooked, Data);
        Assert.Equal((false, "score"), (report.Calibration.Passes, report.ScoreName));
        Assert.Equal(Report.Metrics.Auc, report.Metrics.Auc);
        var page = ReportPage.Write(report, "m", "d");
        Assert.Contains("must not be called probabilities", page, StringComparison.Ordinal);
        Assert.DoesNotContain("probability", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Groups_are_counted_at_one_threshold_and_precision_at_k_by_day()
    {
        Assert.Equal(["honest_even", "honest_odd", "bad"], Report.Groups.Select(group => group.Group).OrderByDescending(name => name.StartsWith("honest", StringComparison.Ordinal)).ThenBy(name => name));
        Assert.Equal(Data.Rows.Count, Report.Groups.Sum(group => group.Rows));
        var honest = Report.Groups.Where(group => !group.Abuse).ToList();
        Assert.InRange(honest.Sum(group => group.Flagged * group.Rows) / honest.Sum(group => group.Rows), 0, EvaluationReport.HonestShare);
        Assert.True(Report.PrecisionAt[0].Precision > Report.PrecisionAt[^1].Precision, "the first looked at are not the surest");
    }

    [Fact]
    public void The_page_needs_nothing_else_and_its_charts_are_well_formed()
    {
        var page = ReportPage.Write(Report, "a<b", "rows & more");
        Assert.DoesNotContain("a<b", page, StringComparison.Ordinal);
        Assert.DoesNotMatch(Foreign(), page);
        var charts = Chart().Matches(page);
        Assert.Equal(5, charts.Count);
        foreach (Match chart in charts) Assert.NotEmpty(XElement.Parse(chart.Value).Descendants());
    }

    [Fact]
    public void A_data_set_file_keeps_the_groups()
    {
        using var file = new MemoryStream();
        DataSetFile.Write(file, Data);
        file.Position = 0;
        Assert.Equal(Data.Rows.Select(row => row.Group), DataSetFile.Read(file).Rows.Select(row => row.Group));
    }

    /// <summary>Labels drawn with the model's own probabilities: it is right by construction.</summary>
    private static DataSet AsItSays(DataSet data)
    {
        var random = new Random(6);
        return data with { Rows = [.. data.Rows.Select(row => row with { Abuse = random.NextDouble() < Scorer.Probability(Scorer.RawScore(row.Vector)) })] };
    }

    private static DataSet Grouped(DataSet data) => data with { Rows = [.. data.Rows.Select((row, i) => row with { Group = row.Abuse ? "bad" : i % 2 == 0 ? "honest_even" : "honest_odd" })] };

    [GeneratedRegex("<script|<link|src=|href=|url\\(|https?:")]
    private static partial Regex Foreign();

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Chart();
}
