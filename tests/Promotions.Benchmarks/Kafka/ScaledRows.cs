using System.Diagnostics;
using System.Globalization;
using Promotions.Benchmarks.Http;

namespace Promotions.Benchmarks.Kafka;

/// <summary>The whole scaled set from outside: how long a redemption takes, and how long nobody decides when a pipeline dies or leaves.</summary>
internal static class ScaledRows
{
    private const int RatePerSecond = 300;
    /// <summary>Until the runtimes have compiled what is hot: on two cores that they share with all else the brokers take two minutes of it.</summary>
    private const int WarmUpSeconds = 150;
    private const int MeasuredSeconds = 30;
    private const int Customers = 48;
    private static readonly TimeSpan EachCustomer = TimeSpan.FromMilliseconds(400);

    /// <summary>Kafka's own: 45 s and 3 s.</summary>
    private static readonly Dictionary<string, string> KafkasDefaults = new() { ["PROMOTIONS_KAFKA_SESSION_TIMEOUT_MS"] = "45000", ["PROMOTIONS_KAFKA_HEARTBEAT_INTERVAL_MS"] = "3000" };

    public static async Task HttpAsync(BenchReport report, CancellationToken cancellationToken)
    {
        var vegeta = OpenLoop.FindVegeta() ?? throw new InvalidOperationException("vegeta is neither on the path nor in ../shared/tools: install it (MIT), then run this suite again.");
        report.Progress("the whole set: Kafka, PostgreSQL, two pipelines, sinks with the ClickHouse engine, an API");
        await using var set = await ScaledSet.StartAsync(new Dictionary<string, string>(), [], cancellationToken);
        await set.Api.PostAsync("/v1/campaigns", RedemptionTargets.Campaign, cancellationToken);
        var key = await set.Api.KeyAsync("checkout", cancellationToken);
        using var folder = new Folder();
        report.Progress(string.Create(CultureInfo.InvariantCulture, $"{RatePerSecond}/s over HTTP: {WarmUpSeconds} s of warming up, then {MeasuredSeconds} s"));
        await OpenLoop.RunAsync(vegeta, RatePerSecond, TimeSpan.FromSeconds(WarmUpSeconds), RedemptionTargets.Make(set.Api.Port, key, "warm", WarmUpSeconds * RatePerSecond), folder.Path, cancellationToken);
        var result = await OpenLoop.RunAsync(vegeta, RatePerSecond, TimeSpan.FromSeconds(MeasuredSeconds), RedemptionTargets.Make(set.Api.Port, key, "a", MeasuredSeconds * RatePerSecond), folder.Path, cancellationToken);
        result.Row(report, "kafka.http_p99", result.P99Ms, string.Create(CultureInfo.InvariantCulture, $", p50 {result.P50Ms:F1} ms; all processes and the load client on this machine"));
    }

    public static async Task FailoverAsync(BenchReport report, CancellationToken cancellationToken)
    {
        report.Progress("a pipeline of two is killed, and stopped: our settings");
        var shipped = await GapsAsync(new Dictionary<string, string>(), settle: TimeSpan.FromSeconds(20), cancellationToken);
        report.Progress(string.Create(CultureInfo.InvariantCulture, $"usual {shipped.Usual:F2} s, killed {shipped.Kill:F2} s, stopped {shipped.Stop:F2} s"));
        report.Progress("the same with Kafka's default session");
        var defaults = await GapsAsync(KafkasDefaults, settle: TimeSpan.FromSeconds(70), cancellationToken);
        report.Cost("kafka.failover_kill", shipped.Kill, "s", defaults.Kill, string.Create(CultureInfo.InvariantCulture, $"beside Kafka's defaults (session 45 s, heartbeat 3 s); the longest that any of {Customers} customers waited between two decisions; {shipped.Usual:F2} s with nobody gone"));
        report.Cost("kafka.failover_stop", shipped.Stop, "s", defaults.Stop, "beside Kafka's defaults");
    }

    private static async Task<(double Usual, double Kill, double Stop)> GapsAsync(Dictionary<string, string> settings, TimeSpan settle, CancellationToken cancellationToken)
    {
        await using var set = await ScaledSet.StartAsync(settings, ["--no-analytics"], cancellationToken);
        await set.Api.PostAsync("/v1/campaigns", RedemptionTargets.Campaign, cancellationToken);
        var shoppers = new Shoppers(set.Api, await set.Api.KeyAsync("checkout", cancellationToken), Customers, EachCustomer);
        using var closing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var shopping = shoppers.ShopAsync("s", closing.Token);
        await RestAsync(TimeSpan.FromSeconds(20));         // warm, and the copies have caught up
        var usualSince = Stopwatch.GetTimestamp();
        await RestAsync(TimeSpan.FromSeconds(10));
        var usual = shoppers.LongestGap(usualSince);
        var kill = await GapAsync("kill", 1);
        await set.PipelineAsync("add", 1, cancellationToken);
        await RestAsync(settle);                           // it has its tasks and its copies again
        var stop = await GapAsync("stop", 2);
        await closing.CancelAsync();
        await shopping;
        return (usual, kill, stop);

        async Task<double> GapAsync(string verb, int number)
        {
            var since = Stopwatch.GetTimestamp();
            await set.PipelineAsync(verb, number, cancellationToken);
            await RestAsync(settle);
            return shoppers.LongestGap(since);
        }

        async Task RestAsync(TimeSpan time)
        {
            if (await Task.WhenAny(shopping, Task.Delay(time, cancellationToken)) == shopping) await shopping;
        }
    }
}
