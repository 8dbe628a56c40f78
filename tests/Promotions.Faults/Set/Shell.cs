using System.Diagnostics;

namespace Promotions.Faults.Set;

/// <summary>Other programs, run to their end.</summary>
internal static class Shell
{
    /// <summary>The checkout that this was built from.</summary>
    public static readonly string Root = FindRoot();

    /// <returns>Exit code, and what it printed.</returns>
    public static async Task<(int Code, string Output)> TryAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Root };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, process.ExitCode == 0 ? await output : errors + await output);
    }

    /// <exception cref="InvalidOperationException">It did not end well; with what it said.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment, CancellationToken cancellationToken)
    {
        var (code, output) = await TryAsync(program, arguments, environment, cancellationToken);
        return code == 0 ? output.Trim() : throw new InvalidOperationException($"{Path.GetFileName(program)} ended with {code}: {output.Trim()}");
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Promotions.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The checker runs outside of the checkout: there is no Promotions.sln above it.");
        return folder;
    }
}
