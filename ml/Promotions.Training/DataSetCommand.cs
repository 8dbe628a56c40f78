using System.CommandLine;
using System.Globalization;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Ledger.Sqlite;

namespace Promotions.Training;

/// <summary><c>promotions-ml dataset</c>: from a ledger's log to Parquet.</summary>
internal static class DataSetCommand
{
    private const int PageRecords = 4_096;

    public static Command Create()
    {
        var data = DataOption();
        var from = new Option<DateTimeOffset>("--from") { Description = "Event time of the first row, UTC.", Required = true };
        var to = new Option<DateTimeOffset>("--to") { Description = "Event time before which rows lie, UTC.", Required = true };
        var output = new Option<FileInfo>("--out") { DefaultValueFactory = _ => new("attempts" + ParquetDataSet.Extension), Description = "Parquet file to write; the feature registry is put beside it." };
        var command = new Command("dataset", "Writes the attempts of a period with point-in-time vectors, by replay of the log, and their labels as they had arrived.") { data, from, to, output };
        command.SetAction((parsed, cancellationToken) => CommandLine.RunAsync(() => WriteAsync(
            parsed.GetRequiredValue(data), EventTime.From(parsed.GetValue(from)), EventTime.From(parsed.GetValue(to)), parsed.GetRequiredValue(output), cancellationToken)));
        return command;
    }

    internal static Option<DirectoryInfo> DataOption() => new("--data") { DefaultValueFactory = _ => new(Environment.GetEnvironmentVariable("PROMOTIONS_DATA") is { Length: > 0 } named ? named : ".data"), Description = "Data folder of a system, running or stopped." };

    /// <exception cref="InvalidDataException">There is no ledger in the folder.</exception>
    internal static SqliteLogView OpenLog(DirectoryInfo folder)
    {
        var path = Path.Combine(folder.FullName, "ledger", "ledger.db");
        return File.Exists(path) ? SqliteLogView.Open(path)
            : throw new InvalidDataException($"There is no ledger at {path}: --data names a system's data folder. A set over Kafka and PostgreSQL has no such log: its requests lie in Kafka, no longer than the topic keeps them.");
    }

    private static async Task WriteAsync(DirectoryInfo folder, EventTime from, EventTime to, FileInfo output, CancellationToken cancellationToken)
    {
        if (!(from < to)) throw new InvalidDataException($"--from {from} does not lie before --to {to}.");
        using var log = OpenLog(folder);
        var started = TimeProvider.System.GetTimestamp();
        var data = LogDataSet.Read(LogOf(log, log.LastLogPosition, cancellationToken), log.Campaigns, log.FindDecision, from, to);
        if (data.Rows.Count == 0) throw new InvalidDataException($"The log, which ends at {data.Until}, holds no attempt from {from} to {to}.");
        var stream = output.Create();
        await using (stream.ConfigureAwait(false)) await ParquetDataSet.WriteAsync(stream, data, cancellationToken).ConfigureAwait(false);
        await File.WriteAllBytesAsync(Path.ChangeExtension(output.FullName, ".registry.json"), ParquetDataSet.Registry(), cancellationToken).ConfigureAwait(false);
        Tell(data, output, TimeProvider.System.GetElapsedTime(started));
    }

    /// <summary>The log from its beginning through a position, in pages.</summary>
    internal static IEnumerable<LogRecord> LogOf(SqliteLogView log, long through, CancellationToken cancellationToken)
    {
        for (long position = 0; position < through;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var page = log.ReadLog(position, PageRecords);
            if (page.Count == 0) yield break;
            foreach (var record in page)
            {
                if (record.Position > through) yield break;
                yield return record;
            }

            position = page[^1].Position;
        }
    }

    private static void Tell(LogDataSet data, FileInfo output, TimeSpan took)
    {
        var (rows, found) = (data.Rows, data.Findings);
        var (abuse, honest) = (rows.Count(row => row.Abuse == true), rows.Count(row => row.Abuse == false));
        Say($"{output.Name}: {rows.Count:#,0} attempts; {abuse:#,0} labelled abuse, {honest:#,0} labelled honest, {rows.Count - abuse - honest:#,0} without a label by {data.Until}; {took.TotalSeconds:0.0} s");
        Say($"{found.Compared:#,0} vectors compared with those recorded at the decision, {found.Different:#,0} differ");
        if (abuse == 0) Say($"No attempt of the period is labelled abuse: nothing can be learned from it.");
        foreach (var suspect in LeakCheck.Suspects([.. rows.Where(row => row.Abuse is not null).Select(row => new TrainingRow(row.Vector, row.Abuse!.Value, 1, row.At))], [.. FeatureRegistry.Features.Select(f => f.Name)]))
            Say($"'{suspect.Feature}' alone has an AUC of {suspect.Auc:0.0000} on the labelled rows: it may know the label");
        if (found.Repeated > 0) Say($"{found.Repeated:#,0} attempts are in the log more than once; the first is the row");
        if (found.LabelsBeforeTheirAttempt > 0) Say($"{found.LabelsBeforeTheirAttempt:#,0} labels are dated before the attempt that they judge, and were not used");
        if (found.LabelsOfNothing > 0) Say($"{found.LabelsOfNothing:#,0} labels judge attempts that the log does not hold");
    }

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
