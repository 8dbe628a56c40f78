using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Promotions.Server.Tests;

/// <summary>A newcomer's first minute: the README's calls as they stand, against the real executable.</summary>
public partial class ReadmeCalls
{
    [Fact]
    public async Task The_calls_of_the_readme_do_what_they_say()
    {
        await using var server = await RunningServer.StartAsync();
        await DoWhatTheySayAsync(server);
    }

    /// <summary>Runs them and looks at the answers.</summary>
    internal static async Task DoWhatTheySayAsync(RunningServer server)
    {
        var answers = await RunAsync(Script(), server);

        Assert.Equal(8, answers.Count);
        Assert.Equal("spring", Text(answers[0], "id"));
        var first = answers[3];
        Assert.Equal("approved", Text(first, "status"));
        Assert.Equal(3_000, Amount(first, "order", "subtotal"));
        Assert.Equal(300, Amount(first, "order", "discount"));
        Assert.Equal(2_700, Amount(first, "order", "total"));
        Assert.Equal(2_400, Amount(first, "order", "due"));
        Assert.Equal("held", Text(first, "hold", "state"));
        Assert.True(JsonNode.DeepEquals(first, answers[4]), "The same id gets the same answer.");
        Assert.Equal("captured", Text(answers[5], "hold", "state"));
        Assert.Contains("SPRING-ANNA", answers[6].ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("200", answers[7].ToJsonString(), StringComparison.Ordinal);      // 5.00 deposited, 3.00 spent once
    }

    private static string Script()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var match = CallsBlock().Match(readme);
        Assert.True(match.Success, "README.md has no block of calls.");
        return match.Groups[1].Value;
    }

    private static async Task<List<JsonNode>> RunAsync(string script, RunningServer server)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-euc");
        start.ArgumentList.Add(script);
        start.Environment["PROMOTIONS_PORT"] = server.Port.ToString(CultureInfo.InvariantCulture);
        start.Environment["PROMOTIONS_DATA"] = server.Data;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors + server.Output);
        return [.. (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    private static string? Text(JsonNode node, params string[] path) => path.Aggregate(node, (n, p) => n[p]!).GetValue<string>();
    private static long Amount(JsonNode node, params string[] path) => path.Aggregate(node, (n, p) => n[p]!)["amount"]!.GetValue<long>();

    [GeneratedRegex("<!-- calls:[^>]*-->\\s*```sh\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CallsBlock();
}
