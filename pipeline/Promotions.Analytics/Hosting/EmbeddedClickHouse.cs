using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Promotions.Analytics.Hosting;

/// <summary>Keeps the embedded ClickHouse engine running in a child process: starts it, waits until it answers, starts it again when it dies, stops it when disposed.</summary>
/// <remarks>Nothing here is ever awaited by a decision. The child ends by itself when this process dies, also by <c>kill -9</c>: its standard input closes.</remarks>
public sealed class EmbeddedClickHouse : IAsyncDisposable
{
    private static int _looked = -1;

    private readonly EmbeddedClickHouseOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;
    private TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile int _processId;
    private string _lastWords = "";

    private EmbeddedClickHouse(EmbeddedClickHouseOptions options, TimeProvider time, ILogger logger)
    {
        (_options, _time, _logger) = (options, time, logger);
        Address = new("127.0.0.1", options.Port == 0 ? FreePort() : options.Port, Password: options.Password ?? "");
        _run = Task.Run(KeepRunningAsync);
    }

    /// <summary>Starts at once and returns without waiting.</summary>
    public static EmbeddedClickHouse Start(EmbeddedClickHouseOptions options, TimeProvider time, ILogger<EmbeddedClickHouse> logger) => new(options, time, logger);

    /// <summary>Where it is, or will be: the same for the life of this object.</summary>
    public AnalyticsAddress Address { get; }

    /// <summary>True while the child answers.</summary>
    public bool Ready => Volatile.Read(ref _ready).Task.IsCompletedSuccessfully;

    /// <summary>Of the child; null while there is none. A child that was killed keeps its id here until its end is noticed.</summary>
    public int? ProcessId => _processId is > 0 and var id ? id : null;

    /// <summary>Why it is not ready, in the child's own words; empty when there is nothing to tell.</summary>
    public string LastWords => Volatile.Read(ref _lastWords);

    /// <summary>Completes when the child answers; while it restarts, waits for the next.</summary>
    public Task WaitReadyAsync(CancellationToken cancellationToken) => Volatile.Read(ref _ready).Task.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (!_stop.IsCancellationRequested) await _stop.CancelAsync();
        await _run;
        _stop.Dispose();
    }

    private async Task KeepRunningAsync()
    {
        var failures = 0;
        while (!_stop.IsCancellationRequested)
        {
            var code = -1;
            try
            {
                using var process = Launch();
                _processId = process.Id;
                if (await RunAsync(process)) failures = 0;
                code = process.ExitCode;
            }
            catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException or InvalidOperationException)
            {
                Volatile.Write(ref _lastWords, e.Message);
            }
            finally
            {
                _processId = 0;
            }

            if (_stop.IsCancellationRequested) return;
            if (Ready) Volatile.Write(ref _ready, new(TaskCreationOptions.RunContinuationsAsynchronously));
            var pause = _options.RestartMax * Math.Min(1.0, Math.Pow(2, failures++) / 32);
            AnalyticsLog.EngineEnded(_logger, code, LastWords, pause.TotalSeconds);
            try
            {
                await Task.Delay(pause, _time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <returns>True when it became ready, however it ended then.</returns>
    private async Task<bool> RunAsync(Process process)
    {
        var words = ReadWordsAsync(process.StandardError);
        var starting = AnnouncedAsync(process);
        var exit = process.WaitForExitAsync(CancellationToken.None);
        try
        {
            await exit.WaitAsync(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            await StopAsync(process, exit);
        }

        Volatile.Write(ref _lastWords, await words);
        return await starting;
    }

    /// <summary>The child says "ready" on its standard output once it listens and the engine has answered.</summary>
    private async Task<bool> AnnouncedAsync(Process process)
    {
        var announced = false;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith("ready ", StringComparison.Ordinal)) continue;
            announced = true;
            AnalyticsMetrics.EngineStarts.Add(1);
            AnalyticsLog.EngineReady(_logger, string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Address.Port}"), process.Id);
            Volatile.Read(ref _ready).TrySetResult();
        }

        return announced;
    }

    private static async Task<string> ReadWordsAsync(StreamReader errors)
    {
        var last = "";
        while (await errors.ReadLineAsync() is { } line)
            if (line.Length > 0) last = line;
        return last;
    }

    private async Task StopAsync(Process process, Task exit)
    {
        process.StandardInput.Close();   // the child leaves at once; what ClickHouse has acknowledged is on disk
        try
        {
            await exit.WaitAsync(_options.StopMax, _time);
        }
        catch (TimeoutException)
        {
            process.Kill();
            await exit;
        }
    }

    private Process Launch()
    {
        if (!File.Exists(_options.LibraryPath))
            throw new FileNotFoundException($"There is no ClickHouse engine at '{_options.LibraryPath}'. Run deploy/lib/fetch-chdb.");
        var start = new ProcessStartInfo { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        var executable = Executable();
        if (executable.EndsWith(".dll", StringComparison.Ordinal))
        {
            start.FileName = "dotnet";
            start.ArgumentList.Add(executable);
        }
        else start.FileName = executable;

        string[] arguments =
        [
            "--library", _options.LibraryPath, "--data", _options.DataFolder, "--port", Address.Port.ToString(CultureInfo.InvariantCulture), "--exit-with-stdin",
            "--memory-bytes-max", _options.MemoryBytesMax.ToString(CultureInfo.InvariantCulture), "--threads-max", _options.ThreadsMax.ToString(CultureInfo.InvariantCulture),
            "--niceness", _options.Niceness.ToString(CultureInfo.InvariantCulture),
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["DOTNET_gcServer"] = "0";
        if (_options.Password is not null) start.Environment["PROMOTIONS_CLICKHOUSE_PASSWORD"] = _options.Password;
        return Process.Start(start) ?? throw new InvalidOperationException($"'{start.FileName}' did not start.");
    }

    private string Executable()
    {
        if (_options.ExecutablePath is not null) return _options.ExecutablePath;
        foreach (var name in new[] { "promotions-clickhouse", "promotions-clickhouse.dll" })
            if (Path.Combine(AppContext.BaseDirectory, name) is var path && File.Exists(path)) return path;
        throw new FileNotFoundException($"There is no promotions-clickhouse in '{AppContext.BaseDirectory}'. Build pipeline/Promotions.ClickHouse, or name the executable.");
    }

    /// <summary>Below the range from which the system takes ports for outgoing connections, so that nobody takes it by chance while the engine restarts.
    /// Each object of this process, and each process, starts looking elsewhere: two may look at the same moment.</summary>
    private static int FreePort()
    {
        for (var port = 18_123 + Environment.ProcessId % 1_000 * 10 + Interlocked.Increment(ref _looked); port < 32_000; port++)
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }

        throw new InvalidOperationException("No free port below 32000 on 127.0.0.1 for the ClickHouse engine.");
    }
}
