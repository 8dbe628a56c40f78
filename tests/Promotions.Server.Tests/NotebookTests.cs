using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Promotions.ClickHouse.Tests;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Ledger.Sqlite;
using Promotions.Training;

namespace Promotions.Server.Tests;

/// <summary>The notebook as a new user runs it: on a shop of one's own, by its command; its numbers against a plain count over the ledger.</summary>
public class NotebookTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Fraud_signals_says_what_the_ledger_says_and_refuses_stores_that_differ()
    {
        var (library, reason) = await ChdbLibrary.FindAsync();
        Assert.True(library is not null, reason);
        var data = Directory.CreateTempSubdirectory("promotions-notebook-").FullName;
        try
        {
            var environment = new Dictionary<string, string> { ["PROMOTIONS_DATA"] = data, ["PROMOTIONS_LIBCHDB"] = library, ["PROMOTIONS_DEMO_DAYS"] = "12", ["PROMOTIONS_NOTEBOOK_RESULT"] = Path.Combine(data, "result.json") };
            await using (var server = await RunningServer.StartAsync(data, environment: environment, arguments: ["--no-analytics", "--rate", "0"])) Assert.Equal(0, await server.StopAsync());
            await RunAsync(environment, 0, "dotnet", Path.Combine(AppContext.BaseDirectory, "promotions.dll"), "rebuild-analytics");

            LogDataSet month;
            string[] command;
            await using (var ledger = SqliteLedger.Open(new() { Path = Path.Combine(data, "ledger", "ledger.db") }, TimeProvider.System))
            {
                var today = ledger.Reader.LatestDecisions(1)[0].DecidedAt.ToDateTimeOffset().UtcDateTime.Date;
                var (from, to) = (today.AddDays(-10), today.AddDays(1));
                month = LogDataSet.Read(Log(ledger.Reader), ledger.Campaigns, ledger.Reader.FindDecision, Utc(from), Utc(to));
                command = [Path.Combine(Repository.Root, "deploy", "notebook"), "fraud-signals", "--from", Day(from), "--to", Day(to), "--out", Path.Combine(data, "signals.html")];
            }

            await RunAsync(environment, 0, command);
            var page = await File.ReadAllTextAsync(Path.Combine(data, "signals.html"), TestContext.Current.CancellationToken);
            Assert.Contains("What did each signal catch last month?", page, StringComparison.Ordinal);
            Assert.Contains("image/png", page, StringComparison.Ordinal);
            await using (var ledger = SqliteLedger.Open(new() { Path = Path.Combine(data, "ledger", "ledger.db") }, TimeProvider.System))
                Compare(JsonNode.Parse(await File.ReadAllTextAsync(environment["PROMOTIONS_NOTEBOOK_RESULT"], TestContext.Current.CancellationToken))!, month.Rows, ledger);

            // A data set with an attempt that ClickHouse does not hold: a cell raises, and the command says why and fails.
            var other = Path.Combine(data, "other.parquet");
            await using (var file = File.Create(other))
                await ParquetDataSet.WriteAsync(file, month with { Rows = [.. month.Rows.SkipLast(1), month.Rows[^1] with { RedemptionId = "nobody" }] }, TestContext.Current.CancellationToken);
            await File.WriteAllBytesAsync(Path.ChangeExtension(other, ".registry.json"), ParquetDataSet.Registry(), TestContext.Current.CancellationToken);
            var failed = await RunAsync(environment, 1, [.. command, "--dataset", other]);
            Assert.Matches("[12] attempts are in only one of ClickHouse and the data set", failed);       // its own id, and the one that it had where ClickHouse places it in the same period
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task Notebooks_are_committed_without_what_they_once_printed()
    {
        var files = Directory.GetFiles(Path.Combine(Repository.Root, "notebooks"), "*.ipynb");
        Assert.NotEmpty(files);
        foreach (var file in files)
            foreach (var cell in JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!["cells"]!.AsArray().Where(cell => (string?)cell!["cell_type"] == "code"))
            {
                Assert.Empty(cell!["outputs"]!.AsArray());
                Assert.Null(cell["execution_count"]);
            }
    }

    /// <summary>The same questions, asked of the ledger by counting alone: no shared code but the replay that makes the vectors.</summary>
    private void Compare(JsonNode said, IReadOnlyList<LoggedAttempt> rows, SqliteLedger ledger)
    {
        var decisions = rows.ToDictionary(row => row.RedemptionId, row => ledger.Reader.FindDecision(row.RedemptionId)!);
        Assert.Equal(rows.Count, (int)said["attempts"]!);

        foreach (var group in rows.Where(row => decisions[row.RedemptionId].Proposal.Risk is { Verdict: RedemptionStatus.Review or RedemptionStatus.Blocked, Reasons.Count: > 0 })
            .GroupBy(row => decisions[row.RedemptionId].Proposal.Risk.Reasons.MaxBy(why => why.Contribution)!.Feature))
        {
            var named = said["named"]![group.Key]!;
            output.WriteLine($"named {group.Key}: {named.ToJsonString()}");
            Assert.Equal((group.Count(), group.Count(row => row.Abuse == true), group.Count(row => row.Abuse == false), Money(group)),
                ((int)named["flagged"]!, (int)named["abuse"]!, (int)named["honest"]!, (long)named["money"]!));
        }
        Assert.NotEmpty(said["named"]!.AsObject());

        var middle = (rows.Min(row => row.At.UnixMilliseconds) + rows.Max(row => row.At.UnixMilliseconds)) / 2;
        LoggedAttempt[] learned = [.. rows.Where(row => row.At.UnixMilliseconds <= middle)], judged = [.. rows.Where(row => row.At.UnixMilliseconds > middle)];
        Assert.Equal((judged.Length, judged.Count(row => row.Abuse == true)), ((int)said["judged"]!, (int)said["known"]!));
        Assert.InRange((int)said["known"]!, 20, judged.Length);
        var (most, catching) = (learned.Length / 100, 0);
        foreach (var feature in FeatureRegistry.Features)
        {
            var best = new[] { 1, -1 }.Select(direction => (Direction: direction, Threshold: Strictest(learned.Select(row => direction * (double)row.Vector[feature.Index]), most)))
                .MaxBy(choice => learned.Count(row => choice.Direction * (double)row.Vector[feature.Index] >= choice.Threshold && row.Abuse == true));
            LoggedAttempt[] hit = [.. judged.Where(row => best.Direction * (double)row.Vector[feature.Index] >= best.Threshold)];
            var alone = said["alone"]![feature.Name]!;
            Assert.Equal((feature.Name, hit.Length, hit.Count(row => row.Abuse == true), Money(hit)), (feature.Name, (int)alone["alarms"]!, (int)alone["caught"]!, (long)alone["money"]!));
            if (hit.Any(row => row.Abuse == true)) catching++;
        }
        Assert.True(catching > 5, $"{catching} signals caught anything: the shop is too quiet to test on");
        Assert.NotEmpty(said["together"]!.AsArray());

        long Money(IEnumerable<LoggedAttempt> some) => some.Where(row => row.Abuse == true).Sum(row => decisions[row.RedemptionId].Proposal.Priced.Discount);
    }

    /// <summary>The lowest of the values that at most so many reach.</summary>
    private static double Strictest(IEnumerable<double> values, int most)
    {
        var (reached, lowest) = (0, double.PositiveInfinity);
        foreach (var same in values.Where(value => !double.IsNaN(value)).GroupBy(value => value).OrderByDescending(group => group.Key))
        {
            reached += same.Count();
            if (reached > most) break;
            lowest = same.Key;
        }
        return lowest;
    }

    private static IEnumerable<LogRecord> Log(ILedgerReader reader)
    {
        for (long position = 0; reader.ReadLog(position, 4_096) is { Count: > 0 } page; position = page[^1].Position)
            foreach (var record in page) yield return record;
    }

    private static EventTime Utc(DateTime day) => EventTime.From(new DateTimeOffset(day, TimeSpan.Zero));

    private static string Day(DateTime day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <returns>What it said on either stream.</returns>
    private static async Task<string> RunAsync(Dictionary<string, string> environment, int code, params string[] command)
    {
        using var process = new Process { StartInfo = new(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Repository.Root } };
        foreach (var (name, value) in environment) process.StartInfo.Environment[name] = value;
        process.Start();
        var (said, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(5));
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
        var all = await said + await errors;
        Assert.True(process.ExitCode == code, $"{string.Join(' ', command)} ended with {process.ExitCode}, not {code}:\n{all}");
        return all;
    }
}
