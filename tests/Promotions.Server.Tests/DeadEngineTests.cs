using System.Diagnostics;
using System.Globalization;
using System.Net;
using Promotions.ClickHouse.Tests;

namespace Promotions.Server.Tests;

/// <summary>The analytics engine dies while checkout goes on: decisions are untouched, results say so, and everything is there again afterwards.</summary>
[Trait("kind", "faults")]
public class DeadEngineTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Redemptions_do_not_notice_a_dead_engine_and_results_come_back_complete()
    {
        var (library, reason) = await ChdbLibrary.FindAsync();
        Assert.SkipWhen(library is null, reason ?? "");
        var environment = new Dictionary<string, string> { ["PROMOTIONS_LIBCHDB"] = library! };
        await using var server = await RunningServer.StartAsync(environment: environment, arguments: ["--no-demo"]);
        await TestShop.OpenAsync(server);
        await RedeemAsync(server, 0, 40, "before");
        await UntilAsync(async () => await AttemptedAsync(server) == 40, "the engine holds the first attempts");

        using var stop = new CancellationTokenSource();
        var traffic = TrafficAsync(server, stop.Token);
        Kill(EngineOf(server.ProcessId));
        HttpResponseMessage? refused = null;
        string? code = null;
        await UntilAsync(async () =>
        {
            var (status, body, response) = await server.SendAsync(HttpMethod.Get, "/v1/campaigns/public-ten/results", key: "admin");
            if (status is HttpStatusCode.OK) return false;       // asked before the engine was gone
            (refused, code) = (response, body!["code"]!.GetValue<string>());
            return true;
        }, "results are refused");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "results_unavailable"), (refused!.StatusCode, code));
        Assert.Equal("5", refused.Headers.GetValues("Retry-After").Single());
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync(HttpMethod.Get, "/readyz")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync(HttpMethod.Get, "/v1/campaigns/public-ten", key: "admin")).Status);

        await UntilAsync(async () => await AttemptedAsync(server) is not null, "the engine is back");
        await stop.CancelAsync();
        var redeemed = 40 + await traffic;
        await UntilAsync(async () => await AttemptedAsync(server) == redeemed, $"the engine holds all {redeemed} attempts");
        Assert.Equal(0, await server.StopAsync());
        await TestShop.AssertVerifiedAsync(server.Data);
    }

    /// <returns>How many were redeemed, one after the other, all approved.</returns>
    private async Task<int> TrafficAsync(RunningServer server, CancellationToken stop)
    {
        var took = new List<double>();
        for (; !stop.IsCancellationRequested; await Task.Yield()) took.AddRange(await RedeemAsync(server, took.Count, 1, "during"));
        took.Sort();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{took.Count} redemptions while the engine was away: median {took[took.Count / 2]:0.0} ms, 99 % {took[took.Count * 99 / 100]:0.0} ms, worst {took[^1]:0.0} ms"));
        return took.Count;
    }

    private static async Task<List<double>> RedeemAsync(RunningServer server, int from, int count, string when)
    {
        var took = new List<double>(count);
        for (var i = from; i < from + count; i++)
        {
            var started = Stopwatch.GetTimestamp();
            var (status, body, _) = await server.SendAsync(HttpMethod.Post, "/v1/redemptions", TestShop.Redemption($"{when}-{i}", $"c-{when}-{i}", "public-ten", $"d-{when}-{i}", $"198.{(when == "during" ? 18 : 51)}.{i / 200 % 250}.{i % 200 + 1}"));
            took.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            Assert.True(status is HttpStatusCode.OK && body!["status"]!.GetValue<string>() is "approved" or "review", body?.ToJsonString());
        }

        return took;
    }

    /// <returns>Attempts that the engine knows; null while it does not answer.</returns>
    private static async Task<long?> AttemptedAsync(RunningServer server)
    {
        var (status, body, _) = await server.SendAsync(HttpMethod.Get, "/v1/campaigns/public-ten/results", key: "admin");
        return status is HttpStatusCode.OK ? body!["redemptions"]!["attempted"]!.GetValue<long>() : status is HttpStatusCode.NotFound ? 0 : null;
    }

    /// <summary>The server's only child.</summary>
    private static int EngineOf(int server)
    {
        var children = Directory.EnumerateDirectories($"/proc/{server}/task")
            .SelectMany(task => ChildrenOf(task).Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
        return int.Parse(Assert.Single(children), CultureInfo.InvariantCulture);
    }

    private static string ChildrenOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "children"));
        }
        catch (IOException)
        {
            return "";      // the thread ended since it was listed; its children have become another's
        }
    }

    private static void Kill(int process)
    {
        using var found = Process.GetProcessById(process);
        found.Kill();
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (!await holds())
        {
            Assert.False(limit.IsCancellationRequested, "Never came: " + what);
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
