using System.Diagnostics;
using System.Globalization;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Ledger.Postgres;

namespace Promotions.Benchmarks.Postgres;

/// <summary>The ledger on a PostgreSQL of this machine, clients and server on the same cores: one process beside hand-written SQL, and two on one budget beside two on a thousand.</summary>
internal sealed class PostgresSuite : IBenchSuite
{
    private const int Rounds = 3;
    private const int Redemptions = 20_480;
    private const int Warmup = 4_096;
    private const int Budgets = 1_000;

    public string Name => "postgres";

    public async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        var folder = Path.GetFullPath(Path.Combine("artifacts", "bench", "postgres"));
        if (Directory.Exists(folder)) throw new InvalidOperationException($"{folder} is left from a run that was cut short. Run: deploy/lib/postgres stop {folder}; then delete it.");
        await using var server = await PostgresServer.StartAsync(folder, cancellationToken);
        await RateAsync(report, server, cancellationToken);
        await HotAsync(report, server, cancellationToken);
    }

    /// <summary>In turns, so that what else the machine does meets both; the round with the middle ratio is the row.</summary>
    private static async Task RateAsync(BenchReport report, PostgresServer server, CancellationToken cancellationToken)
    {
        var rounds = new List<(double Ours, double Beside)>();
        var lags = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            report.Progress("redemptions from one process");
            var (ours, lag) = await OursAsync(await server.NewDatabaseAsync($"ours_{round}", cancellationToken), cancellationToken);
            lags.Add(lag.TotalMilliseconds);
            report.Progress("the same bookings by hand-written SQL");
            rounds.Add((ours, await HandWritten.MeasureAsync(await server.NewDatabaseAsync($"beside_{round}", cancellationToken), Warmup, Redemptions, PostgresWorker.Batch, cancellationToken)));
            report.Progress(string.Create(CultureInfo.InvariantCulture, $"round {round + 1}: {rounds[round].Ours:F0}/s beside {rounds[round].Beside:F0}/s"));
        }

        var middle = rounds.OrderBy(r => r.Ours / r.Beside).ElementAt(Rounds / 2);
        report.Rate("postgres.rate", middle.Ours, "1/s", middle.Beside,
            $"{Redemptions:N0} redemptions in batches of {PostgresWorker.Batch}, one unique coupon each, until every entry has its place; the middle of {Rounds} rounds in turns");
        report.Cost("postgres.lag", lags.Max(), "ms", note: "longest that an entry waited for its place in the audit tree and the outbox, at that rate, of all rounds");
    }

    /// <returns>Redemptions a second, and the greatest age of an entry without a place that was seen meanwhile.</returns>
    private static async Task<(double Rate, TimeSpan Lag)> OursAsync(string connection, CancellationToken cancellationToken)
    {
        await using var ledger = await PostgresLedger.OpenAsync(new() { ConnectionString = connection }, TimeProvider.System, cancellationToken);
        await FillAsync(ledger, 1, Warmup + Redemptions, cancellationToken);
        var task = await ledger.AcquireAsync("bench/0", cancellationToken);
        await PostgresWorker.DriveAsync(ledger, task, PostgresWorker.Make(0, Warmup, 1), cancellationToken);
        var batches = PostgresWorker.Make(Warmup, Redemptions, 1);
        var started = Stopwatch.GetTimestamp();
        var driving = PostgresWorker.DriveAsync(ledger, task, batches, cancellationToken);
        var oldest = TimeSpan.Zero;
        while (true)
        {
            var lag = ledger.Lag();
            if (lag.Oldest > oldest) oldest = lag.Oldest;
            if (driving.IsCompleted && lag.Unsequenced == 0) break;   // the work is done when the last entry stands in the tree and the outbox
            await Task.Delay(5, cancellationToken);
        }

        await driving;
        return (Redemptions / Stopwatch.GetElapsedTime(started).TotalSeconds, oldest);
    }

    private static async Task HotAsync(BenchReport report, PostgresServer server, CancellationToken cancellationToken)
    {
        var rounds = new List<(double Hot, double Wide)>();
        for (var round = 0; round < Rounds; round++)
        {
            report.Progress("two processes on one budget");
            var hot = await TwoAsync(await server.NewDatabaseAsync($"hot_{round}", cancellationToken), 1, cancellationToken);
            report.Progress("two processes on a thousand");
            rounds.Add((hot, await TwoAsync(await server.NewDatabaseAsync($"wide_{round}", cancellationToken), Budgets, cancellationToken)));
            report.Progress(string.Create(CultureInfo.InvariantCulture, $"round {round + 1}: {rounds[round].Hot:F0}/s beside {rounds[round].Wide:F0}/s"));
        }

        var middle = rounds.OrderBy(r => r.Hot / r.Wide).ElementAt(Rounds / 2);
        report.Rate("postgres.hot", middle.Hot, "1/s", middle.Wide, $"all of two processes' traffic on one campaign's budget, beside {Budgets:N0} campaigns; the middle of {Rounds} rounds in turns");
    }

    private static async Task<double> TwoAsync(string connection, int campaigns, CancellationToken cancellationToken)
    {
        await using (var ledger = await PostgresLedger.OpenAsync(new() { ConnectionString = connection }, TimeProvider.System, cancellationToken))
            await FillAsync(ledger, campaigns, Warmup + Redemptions, cancellationToken);
        Process[] workers = [Start(connection, campaigns), Start(connection, campaigns)];
        try
        {
            foreach (var worker in workers) await ExpectAsync(worker, "ready", cancellationToken);
            await MakeAsync(workers, 0, Warmup, cancellationToken);
            await BookAsync(workers, cancellationToken);
            await MakeAsync(workers, Warmup, Redemptions, cancellationToken);
            var started = Stopwatch.GetTimestamp();
            await BookAsync(workers, cancellationToken);
            return Redemptions / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        finally
        {
            foreach (var worker in workers)
            {
                worker.StandardInput.Close();
                await worker.WaitForExitAsync(CancellationToken.None);
                worker.Dispose();
            }
        }
    }

    private static async Task BookAsync(Process[] workers, CancellationToken cancellationToken)
    {
        foreach (var worker in workers) await worker.StandardInput.WriteLineAsync("go".AsMemory(), cancellationToken);
        await Task.WhenAll(workers.Select(w => ExpectAsync(w, "done", cancellationToken)));
    }

    /// <summary>Each gets its half.</summary>
    private static async Task MakeAsync(Process[] workers, int first, int count, CancellationToken cancellationToken)
    {
        var each = count / workers.Length;
        for (var w = 0; w < workers.Length; w++) await workers[w].StandardInput.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{first + (w * each)} {each}").AsMemory(), cancellationToken);
        await Task.WhenAll(workers.Select(w => ExpectAsync(w, "made", cancellationToken)));
    }

    private static async Task ExpectAsync(Process worker, string word, CancellationToken cancellationToken)
    {
        if (await worker.StandardOutput.ReadLineAsync(cancellationToken) is var line && line != word) throw new InvalidOperationException($"A worker said '{line}' instead of {word}.");
    }

    private static Process Start(string connection, int campaigns) => Process.Start(new ProcessStartInfo("dotnet",
        [typeof(PostgresSuite).Assembly.Location, "postgres-worker", connection, campaigns.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardInput = true, RedirectStandardOutput = true })
        ?? throw new InvalidOperationException("A worker did not start.");

    private static async Task FillAsync(PostgresLedger ledger, int campaigns, int redemptions, CancellationToken cancellationToken)
    {
        var now = EventTime.Now(TimeProvider.System);
        var commands = new List<LedgerCommand>();
        for (var c = 0; c < campaigns; c++)
        {
            var id = PostgresWorker.CampaignOf(c, campaigns);
            commands.Add(new PutCampaign("put-" + id, LedgerLoad.Shop, now, LedgerLoad.Campaign(id, now)));
            var codes = Enumerable.Range(0, redemptions).Where(i => i % campaigns == c).Select(i => new NewCoupon(LedgerLoad.Code(i), null, 1));
            commands.AddRange(codes.Chunk(500).Select((chunk, n) => new AddCoupons(string.Create(CultureInfo.InvariantCulture, $"codes-{id}-{n}"), LedgerLoad.Shop, now, id, chunk)));
        }

        var outcomes = await ledger.ExecuteManyAsync(commands, null, cancellationToken);
        if (outcomes.Any(o => !o.Accepted)) throw new InvalidOperationException("The campaigns were not accepted.");
    }
}
