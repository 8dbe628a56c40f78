using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Promotions.Faults.Set;

namespace Promotions.Faults.Scenarios;

/// <summary>Brokers that answer, and say no: too much (a quota), no such topic, too large.</summary>
internal sealed class RefusingBroker : Scenario
{
    private const int BytesPerSecond = 20_000;
    private const string Decisions = "redemption-decisions";
    private const string Requests = "redemption-requests";
    private const string SizeMax = "max.message.bytes";

    public override string Name => "refusing-broker";
    public override string Says => "a quota, a topic that is deleted, and messages that are too large, on the way in and between hops";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        stage.Say($"a quota of {BytesPerSecond:#,0} bytes a second for every client");
        await QuotaAsync(stage, string.Create(CultureInfo.InvariantCulture, $"--add-config=producer_byte_rate={BytesPerSecond},consumer_byte_rate={BytesPerSecond}"), cancellationToken);
        await Task.Delay(stage.Pause, cancellationToken);
        await QuotaAsync(stage, "--delete-config=producer_byte_rate,consumer_byte_rate", cancellationToken);

        stage.Say($"{Decisions} is deleted");
        var admin = stage.Set.Kafka.Admin;
        var partitions = stage.Set.Kafka.PartitionsOf(Decisions).Count;
        await admin.DeleteTopicsAsync([Decisions], new DeleteTopicsOptions { OperationTimeout = TimeSpan.FromSeconds(30) });
        await Task.Delay(stage.Pause, cancellationToken);
        await stage.Set.Kafka.CreateTopicAsync(Decisions, partitions);

        var hop = admin.GetMetadata(TimeSpan.FromSeconds(30)).Topics.Select(t => t.Topic).First(t => t.Contains("redemption-parts", StringComparison.Ordinal) && !t.EndsWith("-changelog", StringComparison.Ordinal));
        foreach (var topic in (string[])[Requests, hop])
        {
            stage.Say($"{topic} takes no message above 200 bytes");
            await SizeAsync(admin, topic, "200");
            await Task.Delay(stage.Pause, cancellationToken);
            await SizeAsync(admin, topic, null);
        }
    }

    private static async Task QuotaAsync(Stage stage, string change, CancellationToken cancellationToken)
    {
        var home = await Shell.RunAsync(Path.Combine(Shell.Root, "deploy", "lib", "kafka"), ["find"], null, cancellationToken);
        await Shell.RunAsync(
            Path.Combine(home, "bin", "kafka-configs.sh"), ["--bootstrap-server", stage.Set.Kafka.Bootstrap, "--alter", .. change.Split('=', 2), "--entity-type", "clients", "--entity-default"], null, cancellationToken);
    }

    private static async Task SizeAsync(IAdminClient admin, string topic, string? bytes) => await admin.IncrementalAlterConfigsAsync(new Dictionary<ConfigResource, List<ConfigEntry>>
    {
        [new() { Type = ResourceType.Topic, Name = topic }] =
            [new() { Name = SizeMax, Value = bytes, IncrementalOperation = bytes is null ? AlterConfigOpType.Delete : AlterConfigOpType.Set }],
    });
}
