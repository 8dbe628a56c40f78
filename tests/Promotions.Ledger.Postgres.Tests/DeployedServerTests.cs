using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Promotions.Ledger.Contract;

namespace Promotions.Ledger.Postgres.Tests;

/// <summary>The server that <c>./deploy/up --kafka</c> runs, by the very script.</summary>
public sealed class DeployedServerTests
{
    [Fact]
    public async Task A_server_that_the_script_starts_carries_a_ledger_over_kill_and_restart_and_lets_nobody_in_without_its_password()
    {
        Assert.SkipWhen(!PostgresServer.IsInstalled, PostgresServer.Missing);
        var folder = Directory.CreateTempSubdirectory("deployed-").FullName;
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, (UnixFileMode)0b111_001_001);   // the server's own user has to reach what it owns inside
        var port = FreePort().ToString(System.Globalization.CultureInfo.InvariantCulture);
        try
        {
            await RunAsync("start", folder, port, "shared_buffers=16MB");
            var connection = (await RunAsync("connection", folder)).Trim();
            var deposit = new DepositCash("d-1", Make.Admin, Make.Start, "ann", "EUR", 1, null);
            await using (var ledger = await OpenAsync(connection))
                Assert.True((await ledger.ExecuteAsync(deposit, Lane.Decision, TestContext.Current.CancellationToken)).Accepted);
            await RunAsync("kill", folder);
            await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync("status", folder));
            await RunAsync("start", folder, port, "shared_buffers=16MB");
            Assert.EndsWith(" " + port, (await RunAsync("status", folder)).Trim(), StringComparison.Ordinal);
            await using (var ledger = await OpenAsync(connection))
                Assert.True((await ledger.ExecuteAsync(deposit, Lane.Decision, TestContext.Current.CancellationToken)).Repeated);
            var stranger = new Npgsql.NpgsqlConnectionStringBuilder(connection) { Password = "guessed" }.ConnectionString;
            await Assert.ThrowsAsync<LedgerFaultException>(() => OpenAsync(stranger));
            await RunAsync("stop", folder);
            await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync("status", folder));
        }
        finally
        {
            await RunAsync("stop", folder);
            Directory.Delete(folder, true);
        }
    }

    private static Task<PostgresLedger> OpenAsync(string connection) => PostgresLedger.OpenAsync(new() { ConnectionString = connection }, TimeProvider.System, TestContext.Current.CancellationToken);

    private static async Task<string> RunAsync(params string[] arguments)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "deploy", "lib", "postgres"))) root = root.Parent ?? throw new InvalidOperationException("The checkout was not found above the tests.");
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments.Prepend(Path.Combine(root.FullName, "deploy", "lib", "postgres"))) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{string.Join(' ', arguments)} ended with {process.ExitCode}: {errors}");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
