using System.Globalization;
using System.Net;
using System.Text;

namespace Promotions.Training.Report;

/// <summary>An evaluation as one HTML file that needs nothing else.</summary>
internal static class ReportPage
{
    private const string Style = """
        :root{color-scheme:light dark;--ink:#1b2330;--soft:#5c6778;--line:#dde2ea;--paper:#fff;--card:#f7f9fc;--mark:#2457d6;--warn:#b4371c;--good:#1d7a45}
        @media (prefers-color-scheme:dark){:root{--ink:#e6eaf2;--soft:#9aa6b8;--line:#2d3645;--paper:#12161e;--card:#1a2029;--mark:#7ea2ff;--warn:#ff8f73;--good:#5fd093}}
        *{box-sizing:border-box}body{margin:0 auto;max-width:1040px;padding:24px 16px 48px;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
        h1{font-size:24px;margin:0 0 4px}h2{font-size:17px;margin:28px 0 8px}p{margin:4px 0;max-width:78ch}.soft{color:var(--soft)}code{font-size:13px;overflow-wrap:anywhere}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:16px 0}.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 12px}
        .tile b{display:block;font-size:21px;font-variant-numeric:tabular-nums}.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:16px}
        figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px}figcaption{font-weight:600;margin-bottom:4px}svg{width:100%;height:auto;display:block}
        .grid{stroke:var(--line)}.tick{fill:var(--soft);font-size:11px}.axis{fill:var(--soft);font-size:12px}polyline{fill:none;stroke-width:2}.curve{stroke:var(--mark)}.even{stroke:var(--soft);stroke-dasharray:4 4;stroke-width:1}
        .point{fill:var(--mark)}.interval{stroke:var(--mark);stroke-width:1.5}.wrap{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:5px 10px;border-bottom:1px solid var(--line);text-align:right}
        th:first-child,td:first-child{text-align:left}th{color:var(--soft);font-weight:600}.verdict{border-left:4px solid var(--good);padding:6px 12px;background:var(--card)}.verdict.no{border-color:var(--warn)}
        """;

    public static string Write(EvaluationReport report, string model, string dataSet)
    {
        var (m, page) = (report.Metrics, new StringBuilder());
        page.Append(Text($"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{Safe(model)} on {Safe(dataSet)}</title><style>{Style}</style></head><body>"));
        page.Append(Text($"<h1>{Safe(model)} on {Safe(dataSet)}</h1><p class=\"soft\">{m.Rows:#,0} attempts from {m.PeriodFrom:yyyy-MM-dd} to {m.PeriodTo:yyyy-MM-dd}, {EvaluationReport.Share(m.AbuseShare)} labelled abuse · {Safe(report.DataSet)}</p><p class=\"soft\">model <code>{report.Model}</code></p>"));
        page.Append("<div class=\"tiles\">");
        Tile("AUC", m.Auc.ToString("0.0000", CultureInfo.InvariantCulture));
        Tile("average precision", m.AveragePrecision.ToString("0.0000", CultureInfo.InvariantCulture));
        Tile("caught at 0.2 % of honest", EvaluationReport.Share(m.FalseAlarms.First(point => point.HonestFlagged <= EvaluationReport.HonestShare && point == m.FalseAlarms.Last(p => p.HonestFlagged <= EvaluationReport.HonestShare)).AbuseCaught));
        Tile("log loss", m.LogLoss.ToString("0.0000", CultureInfo.InvariantCulture));
        Tile("calibration error", m.CalibrationError.ToString("0.0000", CultureInfo.InvariantCulture));
        Tile("cost against blocking nothing", EvaluationReport.Share(report.Cost.Best.PerThousand / Math.Max(report.Cost.AtNothing, 1e-9)));
        page.Append("</div>");

        var check = report.Calibration;
        page.Append(Text($"<p class=\"verdict{(check.Passes ? "" : " no")}\">{(check.Passes ? "Its scores may be called probabilities" : "Its scores must not be called probabilities")}: {check.Why} (calibration error {check.Error:0.0000}, at most {check.ErrorMax:0.00}; {EvaluationReport.Share(check.Predicted)} predicted in the mean, {EvaluationReport.Share(check.Seen)} seen). </p>"));
        page.Append("<h2>Ranking and calibration</h2><div class=\"charts\">");
        Figure("Abuse caught by honest customers flagged", new SvgChart("ROC curve", "honest flagged", "abuse caught", 1, 1, Percent, Percent).Line([(0, 0), (1, 1)], "even").Line(report.Roc.Select(p => (p.X, p.Y)), "curve"));
        Figure("The same where it matters: at most 2 % of honest customers", new SvgChart("Left end of the ROC curve", "honest flagged", "abuse caught", 0.02, 1, x => x.ToString("0.0 %", CultureInfo.InvariantCulture), Percent).Line(Until(report.Roc, 0.02), "curve"));
        Figure("Precision by abuse caught", new SvgChart("Precision-recall curve", "abuse caught", "precision", 1, 1, Percent, Percent).Line([(0, m.AbuseShare), (1, m.AbuseShare)], "even").Line(report.PrecisionRecall.Select(p => (p.X, p.Y)), "curve"));
        var reach = Math.Min(1, Math.Max(0.05, 1.1 * report.Reliability.Max(bin => Math.Max(bin.SeenHigh, bin.Predicted))));
        var reliability = new SvgChart("Reliability", $"mean {report.ScoreName} of a bin", "abuse seen", reach, reach, Percent, Percent).Line([(0, 0), (reach, reach)], "even");
        foreach (var bin in report.Reliability) reliability.Point(bin.Predicted, bin.Seen, bin.SeenLow, bin.SeenHigh, Text($"{bin.Rows} rows: {bin.Predicted:0.0000} predicted, {bin.Seen:0.0000} seen"));
        Figure("Reliability: 15 bins of equal count, the highest split into 8; 95 % intervals", reliability);
        page.Append("</div>");
        if (m.Brier is { } brier)
            page.Append(Text($"<p class=\"soft\">Brier score {brier.Score:0.00000} = reliability {brier.Reliability:0.00000} − resolution {brier.Resolution:0.00000} + uncertainty {brier.Uncertainty:0.00000}, but for differences within bins.</p>"));

        page.Append("<h2>Cost of a threshold</h2>");
        page.Append(Text($"<p>Abuse let through costs {report.Cost.Costs.AbuseMultiple:0.#} times its discount, {Money(report.Cost.Costs.LossMin)} at least; an honest customer wronged {Money(report.Cost.Costs.WrongedCustomer)}. Cheapest: block from {report.Cost.Best.Threshold:0.0000} on; {Money(report.Cost.Best.PerThousand)} per thousand attempts instead of {Money(report.Cost.AtNothing)}, with {EvaluationReport.Share(report.Cost.Best.AbuseStopped)} of abuse stopped and {EvaluationReport.Share(report.Cost.Best.HonestBlocked)} of honest customers blocked.</p>"));
        page.Append("<div class=\"charts\">");
        var yMax = report.Cost.AtNothing * 1.25;
        Figure("Cost per thousand attempts by threshold", new SvgChart("Cost curve", $"block from this {report.ScoreName} on", "cost", 1, yMax, x => x.ToString("0.00", CultureInfo.InvariantCulture), Money)
            .Line([(0, report.Cost.AtNothing), (1, report.Cost.AtNothing)], "even").Line(report.Cost.Points.Where(p => p.PerThousand <= yMax).OrderBy(p => p.Threshold).Select(p => (p.Threshold, p.PerThousand)), "curve")
            .Point(report.Cost.Best.Threshold, report.Cost.Best.PerThousand, report.Cost.Best.PerThousand, report.Cost.Best.PerThousand, "cheapest"));
        Table("Looking at the day's k highest attempts", ["k", "precision", "of all abuse"], report.PrecisionAt.Select(at => new[] { at.K.ToString(CultureInfo.InvariantCulture), EvaluationReport.Share(at.Precision), EvaluationReport.Share(at.Recall) }));
        page.Append("</div>");

        if (report.Groups.Count > 0)
        {
            page.Append(Text($"<h2>Groups</h2><p>Flagged from {report.GroupThreshold:0.0000} on, which {EvaluationReport.Share(EvaluationReport.HonestShare)} of rows without abuse label reach at most. Who somebody is the data set's maker knew; a shop does not.</p>"));
            Table("Kinds of abuse and groups of honest people", ["group", "rows", $"mean {report.ScoreName}", "flagged"], report.Groups.Select(g => new[] { g.Group, g.Rows.ToString("#,0", CultureInfo.InvariantCulture), g.MeanScore.ToString("0.0000", CultureInfo.InvariantCulture), EvaluationReport.Share(g.Flagged) }));
        }

        if (report.Strongest.Count > 0)
        {
            page.Append(Text($"<h2>What single features tell</h2><p class=\"soft\">AUC of each alone, in the better direction; above {LeakCheck.AucMax:0.00} a feature is suspected to know the label.</p>"));
            Table("Features by what they tell alone", ["feature", "AUC alone"], report.Strongest.Select(one => new[] { one.Feature, one.Auc.ToString("0.0000", CultureInfo.InvariantCulture) }));
        }
        if (report.Card is { } card) page.Append(Text($"<h2>The model</h2><p>Learned on {card.Rows:#,0} attempts from {card.PeriodFrom:yyyy-MM-dd} to {card.PeriodTo:yyyy-MM-dd}: {Safe(card.TrainedOn)}.</p><p><code>{Safe(card.Command)}</code></p>{(m.PeriodFrom < card.PeriodTo ? "<p class=\"verdict no\">The measured rows begin before those that it learned from end: these numbers flatter it.</p>" : "")}"));
        return page.Append("</body></html>").ToString();

        void Tile(string name, string value) => page.Append(Text($"<div class=\"tile\"><b>{value}</b>{name}</div>"));
        void Figure(string caption, SvgChart chart) => page.Append(Text($"<figure><figcaption>{Safe(caption)}</figcaption>{chart.Draw()}</figure>"));
        void Table(string caption, string[] heads, IEnumerable<string[]> rows)
        {
            page.Append(Text($"<figure><figcaption>{Safe(caption)}</figcaption><div class=\"wrap\"><table><thead><tr>{string.Concat(heads.Select(h => $"<th scope=\"col\">{Safe(h)}</th>"))}</tr></thead><tbody>"));
            foreach (var row in rows) page.Append(Text($"<tr>{string.Concat(row.Select(cell => $"<td>{Safe(cell)}</td>"))}</tr>"));
            page.Append("</tbody></table></div></figure>");
        }
    }

    private static IEnumerable<(double X, double Y)> Until(IReadOnlyList<CurvePoint> points, double x)
    {
        for (var i = 0; i < points.Count; i++)
        {
            if (points[i].X <= x) yield return (points[i].X, points[i].Y);
            else
            {
                var share = i == 0 ? 0 : (x - points[i - 1].X) / (points[i].X - points[i - 1].X);
                if (i > 0) yield return (x, points[i - 1].Y + (share * (points[i].Y - points[i - 1].Y)));
                yield break;
            }
        }
    }

    private static string Percent(double share) => share.ToString(share is > 0 and < 0.1 ? "0.# %" : "0 %", CultureInfo.InvariantCulture);
    private static string Money(double minor) => (minor / 100).ToString("#,0.00", CultureInfo.InvariantCulture);
    private static string Safe(string text) => WebUtility.HtmlEncode(text);
    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
