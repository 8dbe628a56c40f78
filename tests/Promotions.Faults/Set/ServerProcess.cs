using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Promotions.Faults.Set;

/// <summary>One process of the scaled set, in a folder of its own that outlives it: started, killed, stopped in mid-air, and started again.</summary>
internal sealed class ServerProcess(string name, string folder, string logFile, IReadOnlyDictionary<string, string> environment) : IAsyncDisposable
{
    /// <summary>Built beside the checker.</summary>
    public static readonly string Program = Path.Combine(AppContext.BaseDirectory, "promotions.dll");

    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(180);
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(5) };
    private Process? _process;
    private int _port;

    public string Name => name;
    public string Data => folder;

    /// <summary>Its user at the database.</summary>
    public string User => name.Replace('-', '_');
    public Uri Address => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}"));
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Whether it ended though nobody here ended it: a supervisor would start it again.</summary>
    public bool EndedByItself => _process is { HasExited: true };

    /// <summary>Does not wait until it serves.</summary>
    /// <param name="more">On top of its environment, for this run.</param>
    public void Start(IReadOnlyDictionary<string, string>? more = null)
    {
        if (IsRunning) throw new InvalidOperationException($"{name} runs already.");
        Directory.CreateDirectory(folder);
        if (_port == 0) _port = Postgres.FreePort();       // kept: callers know it
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = folder };
        // The shell only sends the output to the file, where it stays when the process is killed; then it is the process.
        foreach (var argument in (string[])["-c", "exec dotnet \"$0\" serve --no-analytics >>\"$1\" 2>&1 </dev/null", Program, logFile]) start.ArgumentList.Add(argument);
        foreach (var (key, value) in environment) start.Environment[key] = value;
        foreach (var (key, value) in more ?? new Dictionary<string, string>()) start.Environment[key] = value;
        start.Environment["PROMOTIONS_DATA"] = folder;
        start.Environment["PROMOTIONS_PORT"] = _port.ToString(CultureInfo.InvariantCulture);
        _process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
    }

    /// <exception cref="InvalidOperationException">It ended instead, or takes too long.</exception>
    public async Task ReadyAsync(CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (!IsRunning) throw new InvalidOperationException($"{name} ended while it started; its log is {logFile}.");
            try
            {
                using var answer = await _client.GetAsync(new Uri(Address, "/readyz"), cancellationToken);
                if (answer.IsSuccessStatusCode) return;
            }
            catch (Exception fault) when (fault is HttpRequestException or SocketException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
            {
                // Not listening yet.
            }

            if (Stopwatch.GetElapsedTime(started) > ReadyWithin) throw new InvalidOperationException($"{name} was not ready within {ReadyWithin.TotalSeconds} s; its log is {logFile}.");
            await Task.Delay(100, cancellationToken);
        }
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        if (_process is null) return;
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        Forget();
    }

    /// <summary>SIGTERM: a clean leave.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        if (!IsRunning) return;
        await SignalAsync("TERM", cancellationToken);
        try
        {
            await _process!.WaitForExitAsync(cancellationToken).WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
            Forget();
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException($"{name} has not ended 60 s after SIGTERM; its log is {logFile}.");
        }
    }

    /// <summary>Nothing of it moves until <see cref="ContinueAsync"/>.</summary>
    public Task StopInMidAirAsync(CancellationToken cancellationToken) => SignalAsync("STOP", cancellationToken);

    public Task ContinueAsync(CancellationToken cancellationToken) => SignalAsync("CONT", cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _client.Dispose();
    }

    private void Forget()
    {
        _process!.Dispose();
        _process = null;
    }

    private async Task SignalAsync(string signal, CancellationToken cancellationToken) =>
        await Shell.RunAsync("kill", ["-" + signal, _process!.Id.ToString(CultureInfo.InvariantCulture)], null, cancellationToken);
}
