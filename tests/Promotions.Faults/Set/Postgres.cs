using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Promotions.Faults.Set;

/// <summary>A real PostgreSQL in a folder, by <c>deploy/lib/postgres</c>.</summary>
internal sealed class Postgres
{
    private static readonly string s_script = Path.Combine(Shell.Root, "deploy", "lib", "postgres");

    private readonly string _folder;
    private readonly int _port;

    private Postgres(string folder, int port, string connection) => (_folder, _port, Owner) = (folder, port, connection);

    /// <summary>As the database's owner, who runs nothing but checks.</summary>
    public string Owner { get; }

    /// <exception cref="InvalidOperationException">With what the script said.</exception>
    public static async Task<Postgres> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var port = FreePort();
        await Shell.RunAsync(s_script, ["start", folder, Text(port)], null, cancellationToken);
        return new(folder, port, await Shell.RunAsync(s_script, ["connection", folder], null, cancellationToken));
    }

    /// <summary>Tables, rights, and a user for each of these processes: none of them is the owner.</summary>
    public async Task PrepareAsync(IEnumerable<string> pipelines, string api, CancellationToken cancellationToken)
    {
        await Shell.RunAsync("dotnet", [ServerProcess.Program, "migrate", "--postgres", Owner], null, cancellationToken);
        var users = string.Join(' ', pipelines.Select(name => CreateUser(name, "promotions_pipeline")).Append(CreateUser(api, "promotions_api")));
        await Shell.RunAsync(s_script, ["psql", _folder, "promotions", "-f", Path.Combine(Shell.Root, "deploy", "postgres", "roles.sql"), "-c", users], null, cancellationToken);
    }

    public string ConnectionOf(string user) => new Npgsql.NpgsqlConnectionStringBuilder(Owner) { Username = user }.ConnectionString;

    /// <summary>All its processes at once, as when the power is cut.</summary>
    public Task KillAsync(CancellationToken cancellationToken) => Shell.RunAsync(s_script, ["kill", _folder], null, cancellationToken);

    /// <summary>On the same data and port; answers when it returns.</summary>
    public Task RestartAsync(CancellationToken cancellationToken) => Shell.RunAsync(s_script, ["start", _folder, Text(_port)], null, cancellationToken);

    /// <summary>The cluster's own password for each: it is in the folder, which only the owner reads.</summary>
    private string CreateUser(string name, string role) => $"CREATE ROLE {name} LOGIN PASSWORD '{new Npgsql.NpgsqlConnectionStringBuilder(Owner).Password}' IN ROLE {role};";

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
