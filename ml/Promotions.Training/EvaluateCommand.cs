using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Promotions.Scoring;
using Promotions.Training.Report;

namespace Promotions.Training;

/// <summary><c>promotions-ml evaluate</c>.</summary>
internal static class EvaluateCommand
{
    private static readonly JsonSerializerOptions Json = new(CommandLine.Json) { NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public static Command Create()
    {
        var model = CommandLine.ModelArgument();
        var dataset = CommandLine.DataSetOption();
        var output = new Option<FileInfo?>("--out") { Description = "Report to write, .html; the same as JSON is put beside it. Default: MODEL.report.html." };
        var command = new Command("evaluate", "Measures a model on all rows of a data set: a page with charts, and JSON.") { model, dataset, output };
        command.SetAction(parsed => CommandLine.Run(() =>
        {
            var (file, source) = (parsed.GetRequiredValue(model), parsed.GetRequiredValue(dataset));
            var data = CommandLine.ReadDataSet(source);
            var report = EvaluationReport.Of(ScorerFile.Load(File.ReadAllBytes(file.FullName), data.LayoutHash), data);
            var page = parsed.GetValue(output)?.FullName ?? Path.ChangeExtension(file.FullName, ".report.html");
            File.WriteAllText(page, ReportPage.Write(report, file.Name, source.Name));
            File.WriteAllBytes(Path.ChangeExtension(page, ".json"), JsonSerializer.SerializeToUtf8Bytes(report, Json));
            Console.WriteLine(JsonSerializer.Serialize(report.Metrics, Json));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"A score is {(report.Calibration.Passes ? "a probability here" : "no probability here")}: {report.Calibration.Why}. {Path.GetFileName(page)} and its JSON are written."));
        }));
        return command;
    }
}
