using System.Diagnostics;
using System.Globalization;
using System.Net;
using Promotions.Kafka.Cluster;
using Promotions.Ledger.Postgres;
using Promotions.Ledger.Postgres.Tests;
using Promotions.Ledger.Postgres.Verification;

namespace Promotions.Server.Tests;

/// <summary>The scaled set as its users run it: two pipeline processes and an API over a real Kafka and a real PostgreSQL.</summary>
public sealed class ScaledSetTests
{
    [Fact]
    public async Task The_readmes_calls_work_and_a_killed_pipeline_costs_time_and_nothing_else()
    {
        await using var kafka = await KafkaCluster.StartAsync();
        var database = await PostgresServer.Shared.NewDatabaseAsync();
        await PostgresLedger.MigrateAsync(database, TestContext.Current.CancellationToken);
        await PostgresLedger.GrantAsync(database, TestContext.Current.CancellationToken);
        foreach (var role in (string[])["pipeline", "api"]) await PostgresServer.ExecuteAsync(database, $"CREATE ROLE {role} LOGIN IN ROLE promotions_{role}");
        var environment = new Dictionary<string, string>
        {
            ["PROMOTIONS_KAFKA_BOOTSTRAP"] = kafka.Bootstrap,
            ["PROMOTIONS_KAFKA_PARTITIONS"] = "4",
        };
        await using var killed = await StartAsync(environment, database, "pipeline", "pipeline");
        await using var survivor = await StartAsync(environment, database, "pipeline", "pipeline");
        await using var api = await StartAsync(environment, database, "api", "api,admin");

        await ReadmeCalls.DoWhatTheySayAsync(api);
        const string Campaign = """{"id":"ten","name":"Ten","distribution":"public","currency":"EUR","benefit":{"type":"percent_off","basis_points":1000}}""";
        Assert.InRange((int)(await api.SendAsync(HttpMethod.Post, "/v1/campaigns", Campaign, key: "admin")).Status, 200, 299);

        // Paid before it was asked for: nothing that can be kept is held, and nobody waits for the answer.
        await kafka.ProduceAsync("captures", [new() { Key = "s-20"u8.ToArray(), Value = """{"redemption_id":"s-20"}"""u8.ToArray() }]);
        while ((await kafka.ReadAllAsync("dead-letters")).Count == 0) await Task.Delay(50, TestContext.Current.CancellationToken);

        var before = await RedeemAsync(api, first: 0, count: 10);
        await killed.KillAsync();
        var after = await RedeemAsync(api, first: 10, count: 10);
        Assert.All(before.Concat(after), answer => Assert.Contains("approved", answer, StringComparison.Ordinal));

        const string Captured = "SELECT count(*) FROM hold WHERE state = 2";
        var captured = (long)(await PostgresServer.ExecuteAsync(database, Captured))!;

        // Its cause is gone: sent again, it has its effect.
        await RedeemAsync(api, first: 20, count: 1);
        Assert.Contains("unknown_redemption", await DeadLettersAsync(environment, database), StringComparison.Ordinal);
        Assert.Contains("None was sent", await DeadLettersAsync(environment, database, "--send-again", "--topic", "orders"), StringComparison.Ordinal);
        Assert.Contains("1 sent again", await DeadLettersAsync(environment, database, "--send-again", "--reason", "unknown_redemption"), StringComparison.Ordinal);
        while ((long)(await PostgresServer.ExecuteAsync(database, Captured))! != captured + 1) await Task.Delay(50, TestContext.Current.CancellationToken);

        // A retry finds what was decided, whoever decided it.
        Assert.Equal(before, await RedeemAsync(api, first: 0, count: 10));
        Assert.Equal(0, await api.StopAsync());
        Assert.Equal(0, await survivor.StopAsync());
        Assert.Equal(22L, await PostgresServer.ExecuteAsync(database, "SELECT count(*) FROM decision"));       // the README's one, and these
        var report = await PostgresVerifier.VerifyAsync(database, keyPath: null, TestContext.Current.CancellationToken);
        Assert.Empty(report.Findings);
    }

    /// <summary>One after another, each asked again under its id while the pipeline has no answer: as a checkout does.</summary>
    private static async Task<List<string>> RedeemAsync(RunningServer api, int first, int count)
    {
        var answers = new List<string>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        for (var i = first; i < first + count; i++)
        {
            var body = string.Create(CultureInfo.InvariantCulture,
                $$$"""{"id":"s-{{{i}}}","channel":"web-de","customer":{"id":"c-{{{i}}}"},"order":{"id":"so-{{{i}}}","currency":"EUR","items":[{"line":"1","sku":"mug","category":"kitchen","quantity":1,"unit_price":{"amount":1500,"currency":"EUR"}}]},"redeemables":[{"type":"coupon","code":"ten"}],"context":{"device_id":"sd-{{{i}}}","ip":"203.0.113.{{{i}}}"}}""");
            while (true)
            {
                limit.Token.ThrowIfCancellationRequested();
                var (status, answer, _) = await api.SendAsync(HttpMethod.Post, "/v1/redemptions", body);
                if (status is HttpStatusCode.ServiceUnavailable) continue;
                Assert.True(status is HttpStatusCode.OK, $"{status} {answer}");
                answers.Add(answer!.ToJsonString());
                break;
            }
        }

        return answers;
    }

    /// <summary><c>promotions dead-letters</c> with these arguments, as an operator runs it.</summary>
    private static async Task<string> DeadLettersAsync(Dictionary<string, string> environment, string database, params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("promotions-operator-");
        try
        {
            var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "promotions.dll"), "dead-letters", .. arguments]) { RedirectStandardOutput = true };
            foreach (var (name, value) in environment) start.Environment[name] = value;
            start.Environment["PROMOTIONS_POSTGRES"] = database;
            start.Environment["PROMOTIONS_DATA"] = folder.FullName;
            using var process = Process.Start(start)!;
            var output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return output;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <param name="user">The process's own: not the database's owner.</param>
    private static Task<RunningServer> StartAsync(Dictionary<string, string> environment, string database, string user, string roles) => RunningServer.StartAsync(
        environment: new Dictionary<string, string>(environment) { ["PROMOTIONS_ROLES"] = roles, ["PROMOTIONS_POSTGRES"] = database.Replace("Username=promotions", "Username=" + user, StringComparison.Ordinal) },
        arguments: ["--no-analytics"]);
}
