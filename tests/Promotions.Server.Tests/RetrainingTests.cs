using System.Diagnostics;
using System.Text.Json.Nodes;
using Promotions.Api.Models;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Ledger.Sqlite;
using Promotions.Scoring;

namespace Promotions.Server.Tests;

/// <summary><c>promotions-ml retrain</c> beside a system that runs: a candidate from its log, and nothing else.</summary>
public sealed class RetrainingTests : IAsyncLifetime
{
    private static readonly string[] Period = ["--days", "30", "--label-days", "8", "--labels-min", "50"];
    private static readonly Dictionary<string, string> Shop = new() { ["PROMOTIONS_DEMO_DAYS"] = "36" };
    private RunningServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync(environment: Shop, arguments: ["--no-analytics", "--rate", "0"]);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_candidate_comes_from_the_log_of_a_running_system_and_its_card_makes_it_again_byte_for_byte()
    {
        var (code, report, _) = await RetrainAsync("first.json", Period);
        Assert.Equal(0, code);
        Assert.Equal("candidate", (string?)report!["outcome"]);
        var file = await File.ReadAllBytesAsync(Path.Combine(_server.Data, "first.json"), TestContext.Current.CancellationToken);
        Assert.Equal(ModelFile.HashOf(file), (string?)report["candidate"]);
        var comparison = report["comparison"]!;
        Assert.True((int)comparison["rows"]! > 500 && (int)comparison["abuse"]! >= 5, comparison.ToJsonString());
        Assert.False((bool)comparison["champion_knew_some"]!);
        Assert.InRange((double)comparison["champion"]!["auc"]!, 0.8, 1);
        Assert.InRange((double)comparison["candidate"]!["auc"]!, 0.8, 1);
        var (low, saved, high) = ((double)comparison["saved_low"]!, (double)comparison["saved"]!, (double)comparison["saved_high"]!);
        Assert.True(low <= saved && saved <= high, comparison.ToJsonString());
        Assert.Equal((double)comparison["champion"]!["cost"]! - (double)comparison["candidate"]!["cost"]!, saved, 6);

        // The system goes on, its log grows, and what the card says gives the same file.
        await DecideAsync("after-1");
        var card = TreeScorer.Load(file).Card!;
        Assert.Contains($"--through {(long)report["log_position"]!}", card.Command, StringComparison.Ordinal);
        Assert.Equal(0, (await RetrainAsync("first.json", [.. card.Command.Split(' ')[2..], "--labels-min", "50"])).Code);
        Assert.Equal(file, await File.ReadAllBytesAsync(Path.Combine(_server.Data, "first.json"), TestContext.Current.CancellationToken));

        // Nothing serves by it.
        var (_, models, _) = await _server.SendAsync(HttpMethod.Get, "/v1/models", key: "admin");
        Assert.Empty(models!["models"]!.AsArray());
        Assert.Equal((string?)models["champion"], (string?)report["champion"]);
    }

    [Fact]
    public async Task The_server_learns_a_candidate_when_it_is_asked_and_goes_on_deciding_by_its_champion()
    {
        var (put, set, _) = await _server.SendAsync(HttpMethod.Put, "/v1/policies/retraining", """{"hour": 3, "period_days": 30, "label_days": 8, "labels_min": 50}""", "admin");
        Assert.True((int)put == 200, set?.ToJsonString());
        var champion = (string?)(await _server.SendAsync(HttpMethod.Get, "/v1/models", key: "admin")).Body!["champion"];
        var (begun, now, _) = await _server.SendAsync(HttpMethod.Post, "/v1/models/retraining", key: "admin");
        Assert.True((int)begun == 202, now?.ToJsonString());
        Assert.NotNull(now!["now"]);
        Assert.Equal("retraining_runs", (string?)(await _server.SendAsync(HttpMethod.Post, "/v1/models/retraining", key: "admin")).Body!["code"]);
        JsonNode? run = null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        for (var decided = 0; run is null; decided++)
        {
            Assert.True(await look.WaitForNextTickAsync(limit.Token));
            await DecideAsync($"meanwhile-{decided}");
            run = (await _server.SendAsync(HttpMethod.Get, "/v1/models/retraining", key: "admin")).Body!["runs"]!.AsArray().FirstOrDefault();
        }

        Assert.True((string?)run["outcome"] == "candidate", run.ToJsonString());
        Assert.Equal(champion, (string?)run["champion"]);
        Assert.InRange((double)run["comparison"]!["candidate"]!["auc"]!, 0.8, 1);
        var models = (await _server.SendAsync(HttpMethod.Get, "/v1/models", key: "admin")).Body!;
        var candidate = Assert.Single(models["models"]!.AsArray())!;
        Assert.Equal(((string?)run["candidate"], "candidate", "retrained on request"), ((string?)candidate["hash"], (string?)candidate["state"], (string?)candidate["note"]));
        Assert.Equal(champion, (string?)models["champion"]);
    }

    [Fact]
    public async Task Too_few_labels_are_said_and_not_learned_from_and_a_folder_without_a_ledger_is_refused()
    {
        var (code, report, _) = await RetrainAsync("few.json", ["--days", "30", "--label-days", "8", "--labels-min", "5000"]);
        Assert.Equal(3, code);
        Assert.Equal("too_few_labels", (string?)report!["outcome"]);
        Assert.Contains("5,000 are needed", (string?)report["message"], StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_server.Data, "few.json")));

        var (refused, _, errors) = await MlCommand.RunAsync(["retrain", "--data", Path.Combine(_server.Data, "nowhere"), "--out", Path.Combine(_server.Data, "none.json")]);
        Assert.Equal(1, refused);
        Assert.Contains("A set over Kafka and PostgreSQL has no such log", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_registrys_champion_is_the_one_compared_with_and_lends_its_settings()
    {
        var (_, first, _) = await RetrainAsync("small.json", [.. Period, "--trees", "12", "--leaves", "5"]);
        await _server.StopAsync();
        await using (var ledger = SqliteLedger.Open(new() { Path = Path.Combine(_server.Data, "ledger", "ledger.db") }, TimeProvider.System))
        {
            using var registry = new ModelRegistry(ledger, FeatureRegistry.LayoutHash, [.. FeatureRegistry.Features.Select(feature => feature.Name)], TimeProvider.System);
            var (file, hash) = (await File.ReadAllBytesAsync(Path.Combine(_server.Data, "small.json"), TestContext.Current.CancellationToken), (string)first!["candidate"]!);
            await registry.RegisterAsync(file, "small", new Actor("api_key", "anna"), TestContext.Current.CancellationToken);
            await registry.ShadowAsync(hash, new Actor("api_key", "anna"), TestContext.Current.CancellationToken);
            await registry.PromoteAsync(hash, new Actor("api_key", "anna"), "anna", TestContext.Current.CancellationToken);
            await registry.PromoteAsync(hash, new Actor("api_key", "bert"), "bert", TestContext.Current.CancellationToken);
            Assert.Equal(hash, registry.Current.Champion?.Hash);
        }

        var (code, second, _) = await RetrainAsync("again.json", [.. Period, "--seed", "7"]);
        Assert.Equal(0, code);
        Assert.Equal((string?)first["candidate"], (string?)second!["champion"]);
        Assert.Contains("with the champion's settings", (string?)second["message"], StringComparison.Ordinal);
        var again = TreeScorer.Load(await File.ReadAllBytesAsync(Path.Combine(_server.Data, "again.json"), TestContext.Current.CancellationToken));
        Assert.Contains("--trees 12 --leaves 5 --learning-rate 0.05 --seed 7", again.Card!.Command, StringComparison.Ordinal);
        Assert.Equal(12, again.Model.Trees.Length);
    }

    private async Task DecideAsync(string id)
    {
        var (status, body, _) = await _server.SendAsync(HttpMethod.Post, "/v1/redemptions", TestShop.Redemption(id, "anna", "NO-SUCH-CODE"));
        Assert.True((int)status is >= 200 and < 300, body?.ToJsonString());
    }

    private async Task<(int Code, JsonNode? Report, string Errors)> RetrainAsync(string name, string[] arguments)
    {
        var output = Path.Combine(_server.Data, name);
        string[] all = ["retrain", "--data", _server.Data, .. arguments.Contains("--out") ? Moved(arguments, output) : [.. arguments, "--out", output]];
        var (code, said, errors) = await MlCommand.RunAsync(all);
        return (code, said.Length > 0 ? JsonNode.Parse(said) : null, errors);
    }

    private static string[] Moved(string[] arguments, string output)
    {
        var moved = arguments.ToArray();
        moved[Array.IndexOf(moved, "--out") + 1] = output;
        return moved;
    }
}

/// <summary>The real <c>promotions-ml</c>, beside the server's executable.</summary>
internal static class MlCommand
{
    public static async Task<(int Code, string Output, string Errors)> RunAsync(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "promotions-ml.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, errors);
    }
}
