using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Promotions.Benchmarks.Postgres;

/// <summary>The server of <c>./deploy/lib/postgres</c>, with the settings that the system ships, in a folder of its own.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private readonly string _folder;

    private PostgresServer(string folder) => _folder = folder;

    public static async Task<PostgresServer> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var server = new PostgresServer(folder);
        int port;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        await RunAsync(["start", folder, port.ToString(CultureInfo.InvariantCulture)], cancellationToken);
        return server;
    }

    /// <summary>The connection string of an empty database.</summary>
    public async Task<string> NewDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        await RunAsync(["psql", _folder, "postgres", "-c", $"CREATE DATABASE {name}"], cancellationToken);
        return (await RunAsync(["connection", _folder, name], cancellationToken)).Trim();
    }

    private static async Task<string> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("deploy/lib/postgres", arguments) { RedirectStandardOutput = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException("deploy/lib/postgres did not start.");
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0 ? output : throw new InvalidOperationException("deploy/lib/postgres failed: its own words stand above.");
    }

    public async ValueTask DisposeAsync()
    {
        await RunAsync(["stop", _folder], CancellationToken.None);
        Directory.Delete(_folder, true);
    }
}
