using System.Globalization;
using System.Text;
using System.Text.Json;
using Promotions.Kafka.Cluster;

namespace Promotions.Benchmarks.Kafka;

/// <summary>The velocity topology on our driver beside the same on Kafka Streams, on the same broker, one after the other: acknowledged by all, changelogs, a commit each 100 ms, 4 partitions, 2 threads.</summary>
/// <remarks>Rates are after the first tenth of the answers, by end offsets, on both sides. PROMOTIONS_BENCH_EVENTS sets another number than 300,000.</remarks>
internal sealed class KafkaSuite : IBenchSuite
{
    private const int HotEvents = 100_000;
    private const int EqualEvents = 20_000;
    private const int LatencyRate = 600;
    private const int LatencySeconds = 30;

    /// <summary>Before it is measured, of either side: the broker's and both programs' code is compiled while it runs, and Java takes most of a minute for it.</summary>
    private const int WarmingSeconds = 60;

    /// <summary>Requests whose entities are some 1,000,000 keys of state.</summary>
    private const int RestoreEvents = 700_000;
    private const int RestoreCustomers = 800_000;

    /// <summary>The peer's hot coupon is one record of its changelog.</summary>
    private static readonly string[] LargeRecords = ["message.max.bytes=33554432", "replica.fetch.max.bytes=33554432"];

    public string Name => "kafka";

    public async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        var only = Environment.GetEnvironmentVariable("PROMOTIONS_BENCH_KAFKA")?.Split(',');
        double? velocity = null;
        if (Wanted("equal")) await EqualAsync(report, cancellationToken);
        if (Wanted("velocity")) velocity = await VelocityAsync(report, cancellationToken);
        if (Wanted("hot")) await HotAsync(report, velocity, cancellationToken);
        if (Wanted("p99")) await LatencyAsync(report, cancellationToken);
        if (Wanted("restore")) await RestoreAsync(report, velocity, cancellationToken);
        if (Wanted("http")) await ScaledRows.HttpAsync(report, cancellationToken);
        if (Wanted("failover")) await ScaledRows.FailoverAsync(report, cancellationToken);

        bool Wanted(string part) => only is null || only.Contains(part);
    }

    /// <summary>Whether both programs do the same work: on one partition, where the order that both see is one, every answer is compared.</summary>
    /// <exception cref="InvalidOperationException">An answer differs: then no other number means anything.</exception>
    private static async Task EqualAsync(BenchReport report, CancellationToken cancellationToken)
    {
        using var state = new Folder();
        await using var cluster = await KafkaCluster.StartAsync(1, LargeRecords);
        await KafkaProgram.RunAsync(
            KafkaProgram.Peer, cancellationToken, "generate", "--bootstrap", cluster.Bootstrap, "--count", Text(EqualEvents), "--customers", Text(EqualEvents / 40), "--hot", "0.05", "--partitions", "1");
        report.Progress($"{EqualEvents} events on one partition: our driver, then Kafka Streams, answer by answer");
        await KafkaProgram.RunAsync(KafkaProgram.Own, cancellationToken, "run", "--bootstrap", cluster.Bootstrap, "--out", "velocity-own", "--state", state.Path, "--partitions", "1");
        await KafkaProgram.RunAsync(KafkaProgram.Peer, cancellationToken, "run", "--bootstrap", cluster.Bootstrap, "--out", "velocity-peer", "--partitions", "1");
        var (own, peer) = (await AnswersAsync(cluster, "velocity-own"), await AnswersAsync(cluster, "velocity-peer"));
        var other = peer.Where(answer => own.GetValueOrDefault(answer.Key) != answer.Value).Select(answer => $"\n{answer.Value} beside {own.GetValueOrDefault(answer.Key)}").ToList();
        if (own.Count != EqualEvents || peer.Count != EqualEvents || other.Count > 0)
            throw new InvalidOperationException($"{other.Count} of {peer.Count} answers of Kafka Streams differ from our {own.Count}:{string.Concat(other.Take(5))}");
        report.Rate("kafka.velocity_equal", own.Count, "answers", peer.Count, "byte-equal to those of Kafka Streams on one partition");
    }

    /// <summary>By id. Neither side promises that an answer comes once.</summary>
    private static async Task<Dictionary<string, string>> AnswersAsync(KafkaCluster cluster, string topic)
    {
        var answers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var record in await cluster.ReadAllAsync(topic))
        {
            var answer = Encoding.UTF8.GetString(record.Message.Value);
            using var json = JsonDocument.Parse(answer);
            var id = json.RootElement.GetProperty("id").GetString()!;
            if (!answers.TryAdd(id, answer) && answers[id] != answer) throw new InvalidOperationException($"'{topic}' answers {id} twice and not the same: {answers[id]} and {answer}");
        }

        return answers;
    }

    private static async Task<double> VelocityAsync(BenchReport report, CancellationToken cancellationToken)
    {
        var events = int.Parse(Environment.GetEnvironmentVariable("PROMOTIONS_BENCH_EVENTS") ?? "300000", CultureInfo.InvariantCulture);
        var (own, peer) = await RatesAsync(report, events, hot: "0", cancellationToken);
        report.Rate("kafka.velocity", own, "events/s", peer, $"beside Kafka Streams; {events} events, 4 partitions, 2 threads, everything on this machine");
        return own;
    }

    private static async Task HotAsync(BenchReport report, double? velocity, CancellationToken cancellationToken)
    {
        var (own, peer) = await RatesAsync(report, HotEvents, hot: "0.2", cancellationToken);
        report.Rate("kafka.velocity_hot", own, "events/s", peer, $"beside Kafka Streams; {HotEvents} events, a fifth of them on one coupon");
        if (velocity is { } plain) report.Rate("kafka.velocity_hot_own", own, "events/s", plain, "beside kafka.velocity");
    }

    /// <summary>Ours first and the peer's then, on the same input.</summary>
    private static async Task<(double Own, double Peer)> RatesAsync(BenchReport report, int events, string hot, CancellationToken cancellationToken)
    {
        using var state = new Folder();
        await using var cluster = await KafkaCluster.StartAsync(1, LargeRecords);
        await GenerateAsync(cluster, events, hot, customers: 50_000, cancellationToken);
        report.Progress($"{events} events with hot {hot}: our driver");
        var own = await KafkaProgram.RunAsync(KafkaProgram.Own, cancellationToken, "run", "--bootstrap", cluster.Bootstrap, "--out", "velocity-own", "--state", state.Path);
        report.Progress($"ours: {own["after_first_tenth"]:0}/s; Kafka Streams");
        var peer = await KafkaProgram.RunAsync(KafkaProgram.Peer, cancellationToken, "run", "--bootstrap", cluster.Bootstrap, "--out", "velocity-peer");
        return (own["after_first_tenth"], peer["after_first_tenth"]);
    }

    private static async Task LatencyAsync(BenchReport report, CancellationToken cancellationToken)
    {
        await using var cluster = await KafkaCluster.StartAsync(1, LargeRecords);
        await GenerateAsync(cluster, 10_000, "0", customers: 50_000, cancellationToken);
        using var state = new Folder();
        report.Progress($"{LatencyRate}/s for {LatencySeconds} s, after {WarmingSeconds} s of warming up: our driver");
        var own = await PercentilesAsync(cluster, KafkaProgram.Own, "velocity-own", ["--state", state.Path], cancellationToken);
        report.Progress("Kafka Streams");
        var peer = await PercentilesAsync(cluster, KafkaProgram.Peer, "velocity-peer", [], cancellationToken);
        report.Cost("kafka.velocity_p99", own["p99"], "ms", peer["p99"], string.Create(CultureInfo.InvariantCulture, $"at {LatencyRate}/s by the peer's client, from the intended time; p50 {own["p50"]} ms beside {peer["p50"]}"));
    }

    private static async Task<IReadOnlyDictionary<string, double>> PercentilesAsync(KafkaCluster cluster, string[] program, string output, string[] more, CancellationToken cancellationToken)
    {
        await using var serving = KafkaProgram.Start(program, ["serve", "--bootstrap", cluster.Bootstrap, "--out", output, .. more]);
        await serving.ServingAsync(cancellationToken);
        await LoadAsync(WarmingSeconds);
        var measured = await LoadAsync(LatencySeconds);
        await serving.StopAsync(cancellationToken);
        return measured;

        Task<IReadOnlyDictionary<string, double>> LoadAsync(int seconds) => KafkaProgram.RunAsync(
            KafkaProgram.Peer, cancellationToken, "latency", "--bootstrap", cluster.Bootstrap, "--out", output, "--rate", Text(LatencyRate), "--seconds", Text(seconds));
    }

    private static async Task RestoreAsync(BenchReport report, double? velocity, CancellationToken cancellationToken)
    {
        using var state = new Folder();
        await using var cluster = await KafkaCluster.StartAsync(1, LargeRecords);
        await GenerateAsync(cluster, RestoreEvents, "0", RestoreCustomers, cancellationToken);
        report.Progress($"{RestoreEvents} events make the state");
        string[] arguments = ["--bootstrap", cluster.Bootstrap, "--out", "velocity-own", "--state", state.Path];
        await KafkaProgram.RunAsync(KafkaProgram.Own, cancellationToken, ["run", .. arguments]);

        report.Progress("a mere restart");
        await using (var again = KafkaProgram.Start(KafkaProgram.Own, ["serve", .. arguments]))
        {
            var ready = await again.ServingAsync(cancellationToken);
            report.Cost("kafka.restart", ready["ready_seconds"], "s", null, string.Create(CultureInfo.InvariantCulture, $"{ready["restored"]} records of changelogs read"));
            await again.StopAsync(cancellationToken);
        }

        report.Progress("the disk is lost");
        Directory.Delete(state.Path, recursive: true);
        await using var restored = KafkaProgram.Start(KafkaProgram.Own, ["serve", .. arguments]);
        var told = await restored.ServingAsync(cancellationToken);
        report.Rate("kafka.restore", told["restored"] / told["restore_seconds"], "records/s", velocity, string.Create(CultureInfo.InvariantCulture, $"beside kafka.velocity; {told["restored"]} records in {told["restore_seconds"]} s"));
        await restored.StopAsync(cancellationToken);
    }

    private static Task<IReadOnlyDictionary<string, double>> GenerateAsync(KafkaCluster cluster, int events, string hot, int customers, CancellationToken cancellationToken) =>
        KafkaProgram.RunAsync(KafkaProgram.Peer, cancellationToken, "generate", "--bootstrap", cluster.Bootstrap, "--count", Text(events), "--customers", Text(customers), "--hot", hot);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
