using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Promotions.Server.Tests;

/// <summary>The real executable in a process of its own, on a free port and a temporary data folder; killed and started again at will.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly StringBuilder _output = new();
    private readonly bool _ownsData;
    private Process _process;

    private RunningServer(string data, bool ownsData, int port, Process process)
    {
        Data = data;
        _ownsData = ownsData;
        Port = port;
        _process = process;
        Client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    public string Data { get; }
    public int Port { get; }
    public HttpClient Client { get; }
    public int ProcessId => _process.Id;

    public string Output
    {
        get { lock (_output) return _output.ToString(); }
    }

    /// <param name="crashAt">A named point of the path at which the process kills itself, <c>name</c> or <c>name:nth</c>.</param>
    public static async Task<RunningServer> StartAsync(
        string? data = null, string? crashAt = null, IReadOnlyDictionary<string, string>? environment = null, string[]? arguments = null)
    {
        var folder = data ?? Directory.CreateTempSubdirectory("promotions-server-").FullName;
        var server = new RunningServer(folder, data is null, FreePort(), new Process());
        server._process = server.Launch(crashAt, environment, arguments ?? ["--no-demo", "--no-analytics"]);
        try
        {
            await server.WaitUntilReadyAsync();
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }

        if (File.Exists(Path.Combine(folder, "keys", "checkout.key"))) server.UseKey("checkout");       // a process that serves no API has none
        return server;
    }

    public void UseKey(string name) =>
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", File.ReadAllText(Path.Combine(Data, "keys", name + ".key")).Trim());

    public async Task<(HttpStatusCode Status, JsonNode? Body, HttpResponseMessage Response)> SendAsync(HttpMethod method, string path, string? json = null, string? key = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(Path.Combine(Data, "keys", key + ".key"))).Trim());
        var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length > 0 && response.Content.Headers.ContentType?.MediaType?.Contains("json", StringComparison.Ordinal) == true ? JsonNode.Parse(text) : null, response);
    }

    /// <summary>SIGKILL: nothing is flushed, nobody is told.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public Task WaitForExitAsync(TimeSpan limit) => _process.WaitForExitAsync().WaitAsync(limit);

    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (IsRunning()) await KillAsync();
        _process.Dispose();
        if (_ownsData) Directory.Delete(Data, recursive: true);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private bool IsRunning()
    {
        try
        {
            return !_process.HasExited;
        }
        catch (InvalidOperationException)
        {
            return false;       // never started
        }
    }

    private Process Launch(string? crashAt, IReadOnlyDictionary<string, string>? environment, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "promotions.dll"));
        start.ArgumentList.Add("serve");
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["PROMOTIONS_DATA"] = Data;
        start.Environment["PROMOTIONS_PORT"] = Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (crashAt is not null) start.Environment["PROMOTIONS_CRASH_AT"] = crashAt;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_output) _output.AppendLine(line);
    }

    private async Task WaitUntilReadyAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (true)
        {
            if (_process.HasExited)
            {
                await _process.WaitForExitAsync(limit.Token);
                throw new InvalidOperationException($"The server ended with {_process.ExitCode} while starting:\n{Output}");
            }

            try
            {
                using var answer = await Client.GetAsync(new Uri("/readyz", UriKind.Relative), limit.Token);
                if (answer.IsSuccessStatusCode) return;
            }
            catch (Exception fault) when (fault is HttpRequestException or SocketException)
            {
                // Not listening yet.
            }

            await Task.Delay(50, limit.Token);
        }
    }
}
