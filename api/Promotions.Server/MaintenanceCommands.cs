using System.Globalization;
using Promotions.Ledger;
using Promotions.Ledger.Postgres;
using Promotions.Ledger.Postgres.Verification;
using Promotions.Ledger.Sqlite;
using Promotions.Ledger.Sqlite.Verification;
using Promotions.Ledger.Verification;

namespace Promotions.Server;

/// <summary><c>promotions verify</c> and <c>promotions rebuild-analytics</c>.</summary>
internal static class MaintenanceCommands
{
    /// <returns>0 for a sound ledger, 1 for findings, 2 when it cannot be read.</returns>
    public static async Task<int> VerifyAsync(ServerOptions options, string? postgres, string? checkpointKey, CancellationToken cancellationToken)
    {
        try
        {
            return Print(postgres is null ? Embedded(options) : await PostgresVerifier.VerifyAsync(postgres, checkpointKey, cancellationToken));
        }
        catch (Exception fault) when (fault is LedgerFaultException or Npgsql.NpgsqlException)
        {
            throw new StartRefusedException(fault.Message, fault);
        }
    }

    public static async Task<int> MigrateAsync(string? postgres, bool grant, CancellationToken cancellationToken)
    {
        if (postgres is null) throw new StartRefusedException("Name the database with --postgres (or PROMOTIONS_POSTGRES).");
        try
        {
            var version = await PostgresLedger.MigrateAsync(postgres, cancellationToken);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"The ledger's tables are at version {version}."));
            if (!grant) return 0;
            await PostgresLedger.GrantAsync(postgres, cancellationToken);
            Console.WriteLine("Each role has its rights.");
            return 0;
        }
        catch (Exception fault) when (fault is LedgerFaultException or ArgumentException)
        {
            throw new StartRefusedException(fault.Message, fault);
        }
    }

    private static LedgerReport Embedded(ServerOptions options)
    {
        var path = Path.Combine(Path.GetFullPath(options.DataPath), "ledger", "ledger.db");
        if (!File.Exists(path)) throw new StartRefusedException($"There is no ledger at {path}. Set PROMOTIONS_DATA to the data folder to verify.");
        return LedgerVerifier.Verify(path);
    }

    private static int Print(LedgerReport report)
    {
        foreach (var (check, rows) in report.Checked) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{check,-40} {rows,12:#,0} looked at"));
        foreach (var finding in report.Findings) Console.WriteLine($"BROKEN {finding.Invariant}: {finding.Detail}");
        Console.WriteLine(report.IsSound ? "The ledger is sound." : $"{report.Findings.Count} broken invariants.");
        return report.IsSound ? 0 : 1;
    }

    public static async Task<int> RebuildAnalyticsAsync(ServerOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var folder = DataFolder.Open(options.DataPath);
        using var claim = folder.Claim();
        if (options.EnginePath is null) throw new StartRefusedException("PROMOTIONS_LIBCHDB does not name the ClickHouse engine: start with ./deploy/rebuild-analytics, which fetches it.");
        using var loggers = LoggerFactory.Create(logging => logging.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning));
        await using var ledger = SqliteLedger.Open(new SqliteLedgerOptions { Path = folder.LedgerFile }, time);
        await using var analytics = AnalyticsSystem.Start(folder, options, ledger.Reader, time, loggers);
        var last = ledger.Reader.LastOutboxPosition;
        var bar = new ProgressBar("rebuilding", Console.Out, !Console.IsOutputRedirected, time);
        await analytics.RebuildAsync(ledger, new Direct(position => bar.Report(last == 0 ? 1 : (double)position / last, $"{position:#,0} of {last:#,0} rows")), cancellationToken);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ClickHouse holds the ledger up to outbox position {last:#,0}."));
        return 0;
    }

    /// <summary>Reports on the caller's thread: <see cref="Progress{T}"/> would print after the last line.</summary>
    private sealed class Direct(Action<long> report) : IProgress<long>
    {
        public void Report(long value) => report(value);
    }
}
