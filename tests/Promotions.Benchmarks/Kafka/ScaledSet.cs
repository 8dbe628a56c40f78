using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Promotions.Benchmarks.Http;

namespace Promotions.Benchmarks.Kafka;

/// <summary><c>./deploy/up --kafka</c> in a folder and at ports of its own: Kafka, PostgreSQL, two pipelines, sinks and an API, as a user starts them.</summary>
internal sealed class ScaledSet : IAsyncDisposable
{
    private const int PortsFromBase = 27;       // as `deploy/up --help` lays them out
    private readonly string _data;
    private readonly IReadOnlyDictionary<string, string> _environment;

    private ScaledSet(string data, int port, IReadOnlyDictionary<string, string> environment)
    {
        _data = data;
        _environment = environment;
        Api = new(data, port);
    }

    public ApiCaller Api { get; }

    /// <param name="settings">Further environment: the Kafka client's settings, for example.</param>
    public static async Task<ScaledSet> StartAsync(IReadOnlyDictionary<string, string> settings, string[] arguments, CancellationToken cancellationToken)
    {
        // Not a temporary folder of .NET's, which is closed to others: PostgreSQL refuses root, and must come this far as its own user.
        var port = FreeRange();
        var data = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"promotions-bench-kafka-{Environment.ProcessId}-{port}"))).FullName;
        var set = new ScaledSet(data, port, new Dictionary<string, string>(settings)
        {
            ["PROMOTIONS_DATA"] = data,
            ["PROMOTIONS_PORT"] = port.ToString(CultureInfo.InvariantCulture),
        });
        try
        {
            await set.RunAsync("up", ["--kafka", "--wait", "--no-demo", .. arguments], cancellationToken);
            return set;
        }
        catch
        {
            await set.DisposeAsync();
            throw;
        }
    }

    /// <param name="verb"><c>add</c>, <c>stop</c> or <c>kill</c>.</param>
    public Task PipelineAsync(string verb, int number, CancellationToken cancellationToken) => RunAsync("pipeline", [verb, number.ToString(CultureInfo.InvariantCulture)], cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await RunAsync("down", [], CancellationToken.None);
        Directory.Delete(_data, recursive: true);
    }

    private async Task RunAsync(string command, string[] arguments, CancellationToken cancellationToken)
    {
        // To a file: what the script leaves running inherits its output, and a pipe would stay open for as long.
        var log = Path.Combine(_data, $"{command}.out");
        var start = new ProcessStartInfo("bash", ["-c", "exec \"$@\" >\"$0\" 2>&1 </dev/null", log, $"deploy/{command}", .. arguments]);
        foreach (var (name, value) in _environment) start.Environment[name] = value;
        using var process = Process.Start(start) ?? throw new InvalidOperationException("bash did not start.");
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0) throw new InvalidOperationException($"deploy/{command} ended with {process.ExitCode}:\n{await File.ReadAllTextAsync(log, CancellationToken.None)}");
    }

    /// <summary>The first of so many ports in a row that nobody uses, below those that the kernel hands out.</summary>
    private static int FreeRange()
    {
        for (var first = 18_000; first < 30_000; first += 50)
            if (Enumerable.Range(first, PortsFromBase).All(IsFree)) return first;
        throw new InvalidOperationException($"No {PortsFromBase} free ports in a row between 18000 and 30000.");

        static bool IsFree(int port)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }
    }
}
