using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Promotions.Kafka.Cluster;
using Promotions.Velocity;

namespace Promotions.Streams.Kafka.Tests;

/// <summary>The velocity topology in a process of its own, which a test can kill.</summary>
internal sealed partial class VelocityProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _said = new();

    private VelocityProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    public bool IsServing => Said.Contains("serving ", StringComparison.Ordinal);

    /// <summary>Of its memory, managed and not, what is in the machine's.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public bool HasExited => _process.HasExited;

    /// <param name="crashAt">A point of the commit at which it kills itself, as <c>name:nth</c>.</param>
    public static VelocityProcess Serve(KafkaCluster kafka, string name, string stateFolder, string member = "one", string? crashAt = null, int partitions = 1, params string[] more)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[typeof(VelocityTopology).Assembly.Location, "serve", "--bootstrap", kafka.Bootstrap, "--in", name + "in", "--out", name + "out", "--group", name + "g",
            "--partitions", $"{partitions}", "--state", stateFolder, "--member", member, "--cache-mb", "4", "--session-ms", "1500", .. more]) start.ArgumentList.Add(argument);
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x8000000";      // as in a small container; and few arenas, whose free room is no leak
        start.Environment["MALLOC_ARENA_MAX"] = "2";
        start.Environment["PROMOTIONS_CRASH_AT"] = crashAt ?? "";
        if (crashAt is null) start.Environment.Remove("PROMOTIONS_CRASH_AT");
        return new(Process.Start(start)!);
    }

    public async Task WaitForExitAsync(TimeSpan within)
    {
        using var late = new CancellationTokenSource(within);
        try
        {
            await _process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"It did not end within {within}: {Said}");
        }
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Pause() => Signal(19);
    public void Continue() => Signal(18);

    /// <summary>SIGTERM: it leaves in good order.</summary>
    public async Task LeaveAsync()
    {
        Signal(15);
        await WaitForExitAsync(TimeSpan.FromSeconds(30));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signal(18);
            await KillAsync();
        }

        _process.Dispose();
    }

    private void Signal(int signal)
    {
        if (!_process.HasExited && Kill(_process.Id, signal) != 0) throw new InvalidOperationException($"Signal {signal} was not sent.");
    }

    private void Hear(string? line)
    {
        if (line is null) return;
        lock (_said) _said.AppendLine(line);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
