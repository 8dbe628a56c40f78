using System.Diagnostics;
using Promotions.Server.Tests;

namespace Promotions.Deploy.Tests;

/// <summary>Programs that operators use. One that is missing fails the test that needs it: a chart that nobody rendered is not checked.</summary>
internal static class Tool
{
    /// <summary><c>PROMOTIONS_HELM</c>, or on the path, or in the folder of tools beside the checkout.</summary>
    public static string Helm => Environment.GetEnvironmentVariable("PROMOTIONS_HELM") is { Length: > 0 } named ? named
        : OnPath("helm") ?? Existing(Path.Combine(Repository.Root, "..", "shared", "tools", "helm"))
        ?? throw new InvalidOperationException("helm is missing: put Helm 3 on the path, or point PROMOTIONS_HELM at it.");

    /// <summary>Docker's plugin where it is, else the Debian package of the same program.</summary>
    public static async Task<string[]> ComposeAsync()
    {
        if (OnPath("docker") is { } docker && (await RunAsync([docker, "compose", "version"])).Code == 0) return [docker, "compose"];
        return OnPath("docker-compose") is { } alone ? [alone]
            : throw new InvalidOperationException("Docker Compose is missing. Run: apt-get install docker-compose (no daemon is needed).");
    }

    public static async Task<Ran> RunAsync(IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null, string? folder = null, int secondsMax = 60)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? Repository.Root },
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) process.StartInfo.Environment[name] = value;
        process.Start();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(secondsMax));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return new(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{string.Join(' ', command)} did not end in {secondsMax} s.");
        }
    }

    private static string? OnPath(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static string? Existing(string path) => File.Exists(path) ? path : null;
}

/// <param name="Code">Exit code.</param>
internal sealed record Ran(int Code, string Output, string Errors)
{
    public string Expect(int code)
    {
        Assert.True(Code == code, $"exit {Code}, not {code}: {Errors}{Output}");
        return Output;
    }
}
