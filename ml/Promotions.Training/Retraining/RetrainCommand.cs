using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Promotions.Ledger.Sqlite;
using Promotions.Scoring;
using Promotions.Training.Retraining;

namespace Promotions.Training;

/// <summary><c>promotions-ml retrain</c>: a candidate from the log of a system that goes on deciding. A server starts the same command on its schedule.</summary>
internal static class RetrainCommand
{
    private const int DaysDefault = 90;
    private const int LabelDaysDefault = 60;
    private const int LabelsMinDefault = 200;
    private const int LabelsMinLeast = 10;

    /// <summary>Exit code where labels are missing: no failure, and no candidate.</summary>
    public const int ExitTooFewLabels = 3;

    public static Command Create()
    {
        var data = DataSetCommand.DataOption();
        var output = new Option<FileInfo>("--out") { DefaultValueFactory = _ => new("candidate.json"), Description = "Model file to write." };
        var report = new Option<FileInfo?>("--report") { Description = "Report to write, JSON. Default: beside the model, .report.json." };
        var champion = new Option<FileInfo?>("--champion") { Description = "Model file to compare with where the system's registry has no champion. Default: the one that comes with the program." };
        var days = new Option<int>("--days") { DefaultValueFactory = _ => DaysDefault, Description = "Length of the period to learn from." };
        var labelDays = new Option<double>("--label-days") { DefaultValueFactory = _ => LabelDaysDefault, Description = "The period ends so many days before the log does: complaints take as long. What nobody complained about by then counts as honest." };
        var labelsMin = new Option<int>("--labels-min") { DefaultValueFactory = _ => LabelsMinDefault, Description = "Attempts labelled abuse that the period needs, a tenth of them in its later part." };
        var through = new Option<long?>("--through") { Description = "Look at the log up to this position. Default: its end." };
        var register = new Option<bool>("--register") { Description = "Register the candidate in the running system (--server, --key-file)." };
        var learner = new LearnerOptions();
        var command = new Command("retrain", "Learns anew from the log of a running or stopped system, with the settings of its champion, and compares both on later rows. It never serves anything: a candidate is what comes of it.")
        {
            data, output, report, champion, days, labelDays, labelsMin, through, register, RegistryCommands.Server, RegistryCommands.KeyFile,
        };
        learner.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var made = RetrainingOutcome.Failed;
            var code = await CommandLine.RunAsync(async () =>
            {
                var task = new RetrainingTask(parsed.GetValue(days), TimeSpan.FromDays(parsed.GetValue(labelDays)), parsed.GetValue(labelsMin));
                if (task.Days < 1 || task.LabelDelay < TimeSpan.Zero || task.LabelsMin < LabelsMinLeast) throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"--days is 1 or more, --label-days 0 or more, --labels-min {LabelsMinLeast} or more."));
                var target = parsed.GetRequiredValue(output);
                using var system = DataSetCommand.OpenLog(parsed.GetRequiredValue(data));
                var end = parsed.GetValue(through) ?? system.LastLogPosition;
                var found = Run(system, end, task, parsed.GetValue(champion), target, otherwise => learner.Of(parsed, otherwise), cancellationToken);
                await File.WriteAllBytesAsync(parsed.GetValue(report)?.FullName ?? Path.ChangeExtension(target.FullName, ".report.json"), JsonSerializer.SerializeToUtf8Bytes(found, CommandLine.Json), cancellationToken).ConfigureAwait(false);
                Console.WriteLine(JsonSerializer.Serialize(found, CommandLine.Json));
                made = found.Outcome;
            }).ConfigureAwait(false);
            if (code != 0) return code;
            if (made == RetrainingOutcome.TooFewLabels) return ExitTooFewLabels;
            return parsed.GetValue(register) ? await RegistryCommands.RegisterAsync(parsed, parsed.GetRequiredValue(output), "retrained by hand", cancellationToken).ConfigureAwait(false) : 0;
        });
        return command;
    }

    private static RetrainingReport Run(SqliteLogView system, long through, RetrainingTask task, FileInfo? named, FileInfo output, Func<TrainingOptions?, TrainingOptions> learnerOf, CancellationToken cancellationToken)
    {
        // Beside a pipe nobody reads standard error before the end but a server: it shows the last line as what goes on.
        static void Say(FormattableString what) => Console.Error.WriteLine(what.ToString(CultureInfo.InvariantCulture));

        if (system.ReadLog(through - 1, 1) is not [{ } last] || last.Position != through) throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"The log has no record at position {through}; it ends at {system.LastLogPosition}."));
        var (champion, missing) = ChampionOf.Read(system, named);
        var settings = LearnerOptions.OfCard(champion?.Card);
        var options = learnerOf(settings);
        options = options with
        {
            Parts = CommandLine.PartsOfLayout(),
            Command = string.Create(CultureInfo.InvariantCulture, $"promotions-ml retrain --through {through} --days {task.Days} --label-days {task.LabelDelay.TotalDays} --out {output.Name} {LearnerOptions.Said(options)}"),
        };
        var (from, to) = Retrainer.Period(task, last.At);
        Say($"replaying the log up to position {through:#,0}");
        var rows = Retrainer.RowsOf(LogDataSet.Read(DataSetCommand.LogOf(system, through, cancellationToken), system.Campaigns, system.FindDecision, from, to));
        var abuse = rows.Rows.Count(row => row.Abuse);
        if (Retrainer.TooFew(rows, options, task) is { } why) return new(RetrainingOutcome.TooFewLabels, $"From {from} to {to}: {why}", null, champion?.ModelHash, through, rows.Rows.Count, abuse, null);
        Say($"learning from {rows.Rows.Count:#,0} attempts, {abuse:#,0} of them labelled abuse");
        var (model, comparison) = Retrainer.Run(rows, champion, options);
        File.WriteAllBytes(output.FullName, model.File);
        var how = settings is null ? "with this program's defaults, for the champion's card names no settings" : "with the champion's settings";
        var message = string.Create(CultureInfo.InvariantCulture, $"Learned from {from} to {to} {how}: {rows.Rows.Count:#,0} attempts, {abuse:#,0} labelled abuse.{(comparison is null ? $" Nothing to compare with: {missing}." : "")}");
        return new(RetrainingOutcome.Candidate, message, ModelFile.HashOf(model.File), champion?.ModelHash, through, rows.Rows.Count, abuse, comparison);
    }
}
