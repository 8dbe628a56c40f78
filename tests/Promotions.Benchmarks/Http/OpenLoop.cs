using System.Diagnostics;
using System.Globalization;

namespace Promotions.Benchmarks.Http;

/// <summary>What an open-loop run saw. Latencies from the intended start of each request, not from its send.</summary>
internal sealed record OpenLoopResult(double P50Ms, double P99Ms, double MaxMs, int AskedRate, double ReachedRate, int Requests, IReadOnlyDictionary<string, int> Statuses)
{
    /// <summary>A reached rate under 99 % of the asked one, or any answer but 200, fails the row: its note says so.</summary>
    public void Row(BenchReport report, string name, double milliseconds, string? more = null)
    {
        var statuses = string.Join(' ', Statuses.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key}×{s.Value}"));
        var failed = ReachedRate < 0.99 * AskedRate || Statuses.Keys.Any(s => s != "200");
        report.Cost(name, milliseconds, "ms", note: string.Create(CultureInfo.InvariantCulture, $"{(failed ? "FAILED: " : "")}reached {ReachedRate:F0}/s, max {MaxMs:F0} ms, {statuses}{more}"));
    }
}

/// <summary>Load at a constant rate by vegeta, a body of its own per request.</summary>
internal static class OpenLoop
{
    public static string? FindVegeta()
    {
        var candidates = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "vegeta"))
            .Append(Path.GetFullPath(Path.Combine("..", "shared", "tools", "vegeta")));
        return candidates.FirstOrDefault(File.Exists);
    }

    /// <param name="targets">Lines of vegeta's JSON target format, one per request.</param>
    public static async Task<OpenLoopResult> RunAsync(string vegeta, int ratePerSecond, TimeSpan duration, IEnumerable<string> targets, string folder, CancellationToken cancellationToken)
    {
        var targetFile = Path.Combine(folder, "targets.json");
        var resultFile = Path.Combine(folder, "results.bin");
        await File.WriteAllLinesAsync(targetFile, targets, cancellationToken);
        var seconds = duration.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        await RunToolAsync(vegeta, ["attack", "-format=json", "-lazy", $"-rate={ratePerSecond}", $"-duration={seconds}s", $"-targets={targetFile}", $"-output={resultFile}", "-workers=64", "-max-workers=1024"], cancellationToken);
        var csv = await RunToolAsync(vegeta, ["encode", "--to", "csv", resultFile], cancellationToken);
        return Read(csv, ratePerSecond);
    }

    /// <summary>vegeta's own latency starts at the send: a client that falls behind would hide the wait, so it is taken from start + sequence/rate.</summary>
    internal static OpenLoopResult Read(string csv, int ratePerSecond)
    {
        var rows = csv.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(',')).Select(f => (
            Sent: long.Parse(f[0], CultureInfo.InvariantCulture), Status: f[1], Took: long.Parse(f[2], CultureInfo.InvariantCulture), Sequence: long.Parse(f[8], CultureInfo.InvariantCulture))).ToList();
        if (rows.Count == 0) throw new InvalidOperationException("The load client recorded no request.");
        var interval = 1e9 / ratePerSecond;
        var start = rows.Min(r => r.Sent - r.Sequence * interval);
        var latencies = rows.Select(r => (r.Sent + r.Took - start - r.Sequence * interval) / 1e6).Order().ToArray();
        var span = (rows.Max(r => r.Sent) - rows.Min(r => r.Sent)) / 1e9;
        return new(At(latencies, 0.50), At(latencies, 0.99), latencies[^1], ratePerSecond, span > 0 ? (rows.Count - 1) / span : 0, rows.Count,
            rows.GroupBy(r => r.Status).ToDictionary(g => g.Key, g => g.Count()));
    }

    private static double At(double[] sorted, double share) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];

    private static async Task<string> RunToolAsync(string tool, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(tool) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{tool} did not start.");
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{tool} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await errors}");
    }
}
