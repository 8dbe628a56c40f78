using System.Diagnostics;

namespace Promotions.ClickHouse.Tests;

/// <summary>The real engine, fetched once as users fetch it. Linked by every test project that needs it.</summary>
internal static class ChdbLibrary
{
    /// <returns>The path, or why there is none.</returns>
    public static async Task<(string? Path, string? Reason)> FindAsync()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Promotions.sln"))) root = root.Parent;
        if (root is null) return (null, "The checkout with deploy/lib/fetch-chdb was not found above the tests.");

        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(root.FullName, "deploy", "lib", "fetch-chdb"));
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var path = (await process.StandardOutput.ReadToEndAsync()).Trim();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? (path, null) : (null, "No ClickHouse engine: " + await errors);
    }
}
