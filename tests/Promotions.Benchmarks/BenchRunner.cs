using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Promotions.Benchmarks;

/// <summary>A group of rows measured together, each beside the alternative that a user would pick.</summary>
internal interface IBenchSuite
{
    string Name { get; }
    Task RunAsync(BenchReport report, CancellationToken cancellationToken);
}

/// <param name="Beside">The alternative's value, same unit, same run; null where there is none.</param>
/// <param name="Ratio">How many times better than beside: rates ours/beside, times beside/ours.</param>
/// <param name="Note">What the row needs to be read rightly.</param>
internal sealed record BenchRow(string Name, double Value, string Unit, double? Beside, double? Ratio, string? Note);

internal sealed class BenchReport
{
    private readonly List<BenchRow> _rows = [];
    public IReadOnlyList<BenchRow> Rows => _rows;

    /// <summary>A row where more is better.</summary>
    public void Rate(string name, double value, string unit, double? beside = null, string? note = null) =>
        Add(new(name, value, unit, beside, beside is > 0 ? value / beside : null, note));

    /// <summary>A row where less is better.</summary>
    public void Cost(string name, double value, string unit, double? beside = null, string? note = null) =>
        Add(new(name, value, unit, beside, beside is not null && value > 0 ? beside / value : null, note));

    public void Progress(string text) => Console.Error.WriteLine("  … " + text);

    private void Add(BenchRow row)
    {
        _rows.Add(row);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{row.Name,-24} {row.Value,14:G6} {row.Unit,-12} beside {row.Beside?.ToString("G6", CultureInfo.InvariantCulture) ?? "-",-10} ratio {row.Ratio?.ToString("G3", CultureInfo.InvariantCulture) ?? "-",-6} {row.Note}"));
    }
}

internal static class BenchRunner
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static async Task<int> RunAsync(string[] args, IReadOnlyList<IBenchSuite> suites, CancellationToken cancellationToken)
    {
        var wanted = args.Length == 0 ? suites : [.. suites.Where(s => s.Name == args[0])];
        if (wanted.Count == 0)
        {
            Console.Error.WriteLine($"No suite '{args[0]}'. There are: {string.Join(", ", suites.Select(s => s.Name))}.");
            return 2;
        }

        var report = new BenchReport();
        foreach (var suite in wanted)
        {
            Console.WriteLine($"== {suite.Name}");
            await suite.RunAsync(report, cancellationToken);
        }

        var folder = Directory.CreateDirectory(Path.Combine("artifacts", "bench"));
        var path = Path.Combine(folder.FullName, (args.Length == 0 ? "all" : args[0]) + ".json");
        var document = new
        {
            Commit = Git("rev-parse HEAD"),
            Machine = $"{Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GiB, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}",
            report.Rows,
        };
        await File.WriteAllTextAsync(path, JsonSerializer.Serialize(document, Json) + "\n", cancellationToken);
        Console.WriteLine($"written: {path}");
        return 0;
    }

    private static string Git(string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true, RedirectStandardError = true });
        var text = process!.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 ? text : "unknown";
    }
}
