using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using Promotions.Ledger.Postgres.Tests;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace Promotions.Ledger.Postgres.Tests;

/// <summary>A real PostgreSQL from the Debian package, on a temporary folder and a free port: one for all tests of the assembly, a database for each ledger. It runs as the
/// package's own user where the tests run as root, because the server refuses root.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private static readonly TimeSpan StartWithin = TimeSpan.FromSeconds(60);
    private static int s_databases;

    public const string Missing = "PostgreSQL's server is missing. Run: apt-get install postgresql";

    private static readonly string? s_binaries = FindBinaries();
    private string _folder = "";
    private int _port;
    private Process? _process;

    /// <summary>The one that this assembly runs; tests that kill a server start their own.</summary>
    public static PostgresServer Shared { get; private set; } = null!;

    public static bool IsInstalled => s_binaries is not null;

    public async ValueTask InitializeAsync()
    {
        Shared ??= this;
        if (!IsInstalled)
        {
            if (Environment.GetEnvironmentVariable("CI") == "true") throw new InvalidOperationException(Missing);
            return;
        }

        _folder = Directory.CreateTempSubdirectory("postgres-").FullName;
        if (Environment.IsPrivilegedProcess) await RunAsync("chown", ["postgres", _folder], false);
        await RunAsync(Path.Combine(s_binaries!, "initdb"), ["-D", Data, "-U", "promotions", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-instructions"], true);
        _port = FreePort();
        await StartAsync();
    }

    private string Data => Path.Combine(_folder, "data");

    /// <summary>An empty database of its own. Skips the test where there is no server.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        Assert.SkipWhen(!IsInstalled, Missing);
        var name = string.Create(CultureInfo.InvariantCulture, $"ledger_{Interlocked.Increment(ref s_databases)}");
        await ExecuteAsync(ConnectionString("postgres"), $"CREATE DATABASE {name}");
        return ConnectionString(name);
    }

    public string ConnectionString(string database) => string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={_port};Username=promotions;Database={database};Timeout=10");

    public static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>As a power cut of the server alone: no process of it gets a chance to write.</summary>
    public async Task KillAsync()
    {
        var postmaster = int.Parse((await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid")))[0], CultureInfo.InvariantCulture);
        using var server = Process.GetProcessById(postmaster);
        server.Kill(entireProcessTree: true);
        await _process!.WaitForExitAsync();
    }

    public async Task StartAsync()
    {
        _process = Launch(Path.Combine(s_binaries!, "postgres"),
            ["-D", Data, "-p", _port.ToString(CultureInfo.InvariantCulture), "-h", "127.0.0.1", "-k", "", "-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "log_min_messages=panic", "-c", "log_min_error_statement=panic"], true);
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await ExecuteAsync(ConnectionString("postgres"), "SELECT 1");
                return;
            }
            catch (NpgsqlException) when (!_process.HasExited && Stopwatch.GetElapsedTime(started) < StartWithin)
            {
                await Task.Delay(20);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await RunAsync(Path.Combine(s_binaries!, "pg_ctl"), ["-D", Data, "-m", "immediate", "stop"], true);
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        if (_folder.Length > 0) Directory.Delete(_folder, true);
    }

    private static async Task RunAsync(string program, string[] arguments, bool asServer)
    {
        using var process = Launch(program, arguments, asServer);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await output}{errors}");
    }

    private static Process Launch(string program, string[] arguments, bool asServer)
    {
        var start = new ProcessStartInfo { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        if (asServer && Environment.IsPrivilegedProcess)
        {
            start.FileName = "setpriv";
            foreach (var argument in new[] { "--reuid=postgres", "--regid=postgres", "--init-groups", "--", program }) start.ArgumentList.Add(argument);
        }
        else
        {
            start.FileName = program;
        }

        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["LC_ALL"] = "C";
        return Process.Start(start)!;
    }

    private static string? FindBinaries() =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.EnumerateDirectories("/usr/lib/postgresql").Select(v => Path.Combine(v, "bin")).Where(b => File.Exists(Path.Combine(b, "postgres")) && File.Exists(Path.Combine(b, "initdb")))
                .OrderByDescending(b => b, StringComparer.Ordinal).FirstOrDefault()
            : null;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
