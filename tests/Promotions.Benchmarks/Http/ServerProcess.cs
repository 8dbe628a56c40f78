using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Promotions.Benchmarks.Http;

/// <summary>The built server in a process of its own, for measuring it from outside.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process, string data, int port, TimeSpan readyAfter)
    {
        _process = process;
        ReadyAfter = readyAfter;
        Api = new(data, port);
    }

    public TimeSpan ReadyAfter { get; }
    public ApiCaller Api { get; }

    public static async Task<ServerProcess> StartAsync(string data, string[] arguments, CancellationToken cancellationToken)
    {
        var port = FreePort();
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.GetFullPath("api/Promotions.Server/bin/Release/net10.0/promotions.dll"));
        start.ArgumentList.Add("serve");
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["PROMOTIONS_DATA"] = data;
        start.Environment["PROMOTIONS_PORT"] = port.ToString(CultureInfo.InvariantCulture);
        var started = Stopwatch.GetTimestamp();
        var process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => { lock (output) output.AppendLine(line.Data); };
        process.ErrorDataReceived += (_, line) => { lock (output) output.AppendLine(line.Data); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        while (true)
        {
            if (process.HasExited)
            {
                lock (output) throw new InvalidOperationException($"The server ended with {process.ExitCode}:\n{output}");
            }

            try
            {
                using var answer = await client.GetAsync(new Uri("/readyz", UriKind.Relative), cancellationToken);
                if (answer.IsSuccessStatusCode) break;
            }
            catch (Exception fault) when (fault is HttpRequestException or SocketException)
            {
                // Not listening yet.
            }

            await Task.Delay(20, cancellationToken);
        }

        return new(process, data, port, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>Proportional set size of the server and its children, bytes: shared pages are counted once.</summary>
    public long ProportionalMemory()
    {
        long sum = 0;
        foreach (var id in Family())
        {
            var rollup = $"/proc/{id}/smaps_rollup";
            if (!File.Exists(rollup)) continue;
            var line = File.ReadLines(rollup).FirstOrDefault(l => l.StartsWith("Pss:", StringComparison.Ordinal));
            if (line is not null) sum += 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }

        return sum;
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        if (!_process.HasExited)
        {
            using var stop = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            await stop.WaitForExitAsync();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private List<int> Family()
    {
        var parents = new Dictionary<int, int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) continue;
            try
            {
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                parents[id] = int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // The process ended while we looked.
            }
        }

        var family = new List<int> { _process.Id };
        for (var i = 0; i < family.Count; i++) family.AddRange(parents.Where(p => p.Value == family[i]).Select(p => p.Key));
        return family;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
