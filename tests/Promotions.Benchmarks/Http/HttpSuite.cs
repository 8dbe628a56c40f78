using System.Globalization;

namespace Promotions.Benchmarks.Http;

/// <summary>Redemptions over HTTP, durable, open loop at 1,000/s, sinks on, the load client on the same cores; then the same during a grant to 100,000 customers.</summary>
internal sealed class HttpSuite : IBenchSuite
{
    private const int RatePerSecond = 1_000;
    public string Name => "http";

    public async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        if (OpenLoop.FindVegeta() is not { } vegeta)
            throw new InvalidOperationException("vegeta is neither on the path nor in ../shared/tools: install it (MIT), then run this suite again.");
        var folder = Directory.CreateTempSubdirectory("promotions-bench-http-").FullName;
        try
        {
            await using var server = await ServerProcess.StartAsync(Path.Combine(folder, "data"), ["--no-demo"], cancellationToken);
            await server.Api.PostAsync("/v1/campaigns", RedemptionTargets.Campaign, cancellationToken);
            await server.Api.PostAsync("/v1/campaigns", """{"id":"granted","name":"Granted","distribution":"private","currency":"EUR","benefit":{"type":"percent_off","basis_points":500}}""", cancellationToken);
            var key = await server.Api.KeyAsync("checkout", cancellationToken);
            report.Progress("warming up");
            await OpenLoop.RunAsync(vegeta, 500, TimeSpan.FromSeconds(8), RedemptionTargets.Make(server.Api.Port, key, "warm", 4_000), folder, cancellationToken);

            report.Progress("1,000/s for 20 s");
            var alone = await OpenLoop.RunAsync(vegeta, RatePerSecond, TimeSpan.FromSeconds(20), RedemptionTargets.Make(server.Api.Port, key, "a", 20 * RatePerSecond), folder, cancellationToken);
            alone.Row(report, "http.p50", alone.P50Ms);
            alone.Row(report, "http.p99", alone.P99Ms);
            await TellStagesAsync(report, server, cancellationToken);

            report.Progress("1,000/s for 20 s during a grant to 100,000 customers");
            var grant = GrantAsync(server, cancellationToken);
            var bulk = await OpenLoop.RunAsync(vegeta, RatePerSecond, TimeSpan.FromSeconds(20), RedemptionTargets.Make(server.Api.Port, key, "b", 20 * RatePerSecond), folder, cancellationToken);
            await grant;
            bulk.Row(report, "http.p99_bulk", bulk.P99Ms);
            await TellStagesAsync(report, server, cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Where a tail comes from: how many of each stage took more than 15, 60 and 250 ms since the start, and what the collector took.</summary>
    private static async Task TellStagesAsync(BenchReport report, ServerProcess server, CancellationToken cancellationToken)
    {
        var lines = (await server.Api.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative), cancellationToken)).Split('\n');
        foreach (var stage in (string[])["process", "commit", "fold", "checkpoint", "accepted_to_answer"])
        {
            var all = UpTo(stage, "+Inf");
            report.Progress(string.Create(CultureInfo.InvariantCulture, $"{stage}: {all} times, over 15 ms {all - UpTo(stage, "0.015")}, over 60 ms {all - UpTo(stage, "0.06")}, over 250 ms {all - UpTo(stage, "0.25")}"));
        }

        foreach (var line in lines)
            if (line.StartsWith("promotions_gc_paused", StringComparison.Ordinal) || line.StartsWith("dotnet_collection_count_total{", StringComparison.Ordinal)) report.Progress(line);

        long UpTo(string stage, string bound) => lines.FirstOrDefault(line => line.StartsWith($"promotions_stage_seconds_bucket{{stage=\"{stage}\",le=\"{bound}\"}}", StringComparison.Ordinal)) is { } line
            ? long.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture)
            : 0;
    }

    private static async Task GrantAsync(ServerProcess server, CancellationToken cancellationToken)
    {
        const int perCall = 5_000;
        for (var from = 0; from < 100_000; from += perCall)
        {
            var customers = string.Join(',', Enumerable.Range(from, perCall).Select(i => $"\"grant-{i}\""));
            await server.Api.PostAsync("/v1/campaigns/granted/grants", $$"""{"id":"grant-{{from}}","customer_ids":[{{customers}}]}""", cancellationToken);
        }
    }
}
