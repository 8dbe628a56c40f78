using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Promotions.Benchmarks.Kafka;

/// <summary>A program that works on Kafka in a process of its own: the velocity topology on our driver, or the same on Kafka Streams.</summary>
internal sealed partial class KafkaProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource<string> _serving = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private KafkaProgram(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Heard(line.Data);
        process.ErrorDataReceived += (_, line) => Heard(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Our driver.</summary>
    public static string[] Own => ["dotnet", Path.GetFullPath("tests/Promotions.Velocity/bin/Release/net10.0/velocity.dll")];

    /// <summary>Kafka Streams: PROMOTIONS_KAFKA_PEER names its launcher, else it is looked for beside the checkout.</summary>
    /// <exception cref="InvalidOperationException">It is nowhere.</exception>
    public static string[] Peer =>
        new[] { Environment.GetEnvironmentVariable("PROMOTIONS_KAFKA_PEER"), Path.GetFullPath("../shared/kafka/peer/velocity-peer") }.FirstOrDefault(path => path is not null && File.Exists(path)) is { } found
            ? [found]
            : throw new InvalidOperationException("The velocity topology on Kafka Streams is missing: name its launcher in PROMOTIONS_KAFKA_PEER.");

    public static KafkaProgram Start(string[] program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in program.Skip(1).Concat(arguments)) start.ArgumentList.Add(argument);
        return new(Process.Start(start) ?? throw new InvalidOperationException($"{program[0]} did not start."));
    }

    /// <summary>Runs it to its end.</summary>
    /// <returns>What it printed as <c>name=value</c>.</returns>
    public static async Task<IReadOnlyDictionary<string, double>> RunAsync(string[] program, CancellationToken cancellationToken, params string[] arguments)
    {
        await using var running = Start(program, arguments);
        await running._process.WaitForExitAsync(cancellationToken);
        return running._process.ExitCode == 0 ? running.Numbers() : throw running.Ended();
    }

    /// <summary>Until it says that it serves.</summary>
    public async Task<IReadOnlyDictionary<string, double>> ServingAsync(CancellationToken cancellationToken)
    {
        if (await Task.WhenAny(_serving.Task, _process.WaitForExitAsync(cancellationToken)) != _serving.Task) throw Ended();
        return Numbers();
    }

    /// <summary>As an operator stops it.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using (var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync(cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    private void Heard(string? line)
    {
        if (line is null) return;
        lock (_output) _output.AppendLine(line);
        if (line.StartsWith("serving", StringComparison.Ordinal)) _serving.TrySetResult(line);
    }

    private Dictionary<string, double> Numbers()
    {
        var numbers = new Dictionary<string, double>(StringComparer.Ordinal);
        lock (_output)
            foreach (Match pair in Pairs().Matches(_output.ToString())) numbers[pair.Groups[1].Value] = double.Parse(pair.Groups[2].Value, CultureInfo.InvariantCulture);
        return numbers;
    }

    private InvalidOperationException Ended()
    {
        lock (_output) return new($"It ended with {_process.ExitCode}:\n{_output}");
    }

    [GeneratedRegex(@"([a-z_0-9]+)=([0-9.]+)")]
    private static partial Regex Pairs();
}
