using Confluent.Kafka;

namespace Promotions.Faults.Scenarios;

/// <summary>What the topics hold is sent into them once more, in another order: requests and reports as a producer's retry would, and the frames between hops as an owner of before would.</summary>
internal sealed class Redelivery : Scenario
{
    /// <summary>Of each partition, its last ones.</summary>
    private const int RecordsMax = 150;
    private static readonly string[] s_inputs = ["redemption-requests", "captures", "voids", "orders", "returns", "outcomes"];

    /// <summary>The group's own topics that are no hops: changelogs have one writer, members and replies are about processes.</summary>
    private static readonly string[] s_notHops = ["-changelog", "-members", "-replies"];

    public override string Name => "redelivery";
    public override string Says => "recorded records sent into the topics again, and in another order";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        var random = new Random(stage.Seed + round);
        var kafka = stage.Set.Kafka;
        var topics = kafka.Admin.GetMetadata(TimeSpan.FromSeconds(30)).Topics.Select(topic => topic.Topic)
            .Where(topic => s_inputs.Contains(topic) || (topic.StartsWith("promotions-", StringComparison.Ordinal) && !s_notHops.Any(end => topic.EndsWith(end, StringComparison.Ordinal)))).Order(StringComparer.Ordinal).ToList();
        stage.Say("sending again: " + string.Join(", ", topics));
        var sent = 0;
        foreach (var topic in topics)
        {
            var records = await kafka.ReadAllAsync(topic);
            foreach (var partition in records.GroupBy(record => record.Partition.Value))
            {
                var again = partition.TakeLast(RecordsMax).Select(record => record.Message).ToArray();
                random.Shuffle(again);
                // With their own timestamps: a copy is as old as what it copies.
                await kafka.ProduceAsync(topic, again.Select(m => new Message<byte[], byte[]> { Key = m.Key, Value = m.Value, Headers = m.Headers, Timestamp = m.Timestamp }), partition.Key);
                sent += again.Length;
            }
        }

        stage.Note($"{sent} records of {topics.Count} topics sent again, shuffled");
    }
}
