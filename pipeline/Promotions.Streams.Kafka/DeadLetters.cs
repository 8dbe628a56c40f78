using Confluent.Kafka;
using Promotions.Domain;
using Promotions.Streams.Kafka.Transport;

namespace Promotions.Streams.Kafka;

/// <summary>A record in the dead letters.</summary>
/// <param name="At">Where it lies there.</param>
/// <param name="Topic">Where it came from, or was to go, by its name in the cluster.</param>
/// <param name="Offset">Of the record in that topic; −1 for one that was to leave.</param>
/// <param name="Time">The record's own.</param>
/// <param name="Reason">A code: <c>malformed_json</c>, <c>unknown_redemption</c> ...; <c>failed</c> where processing threw.</param>
/// <param name="Detail">A sentence.</param>
/// <param name="IsCut">It was too large to be kept whole: it cannot be sent again from here.</param>
public sealed record DeadLetterEntry(TopicPartitionOffset At, string Topic, int Partition, long Offset, EventTime Time, string Reason, string Detail, bool IsCut);

/// <summary>Reads the dead letters and sends them again: after whatever made them fail was mended.</summary>
/// <remarks>They stay where they are. A record sent again is a new record at the end of its topic; whoever counts by its id counts it once.</remarks>
public static class DeadLetters
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    /// <summary>All that is there now, oldest first within each partition.</summary>
    /// <exception cref="KafkaException">The brokers cannot be reached, or refuse.</exception>
    /// <exception cref="InvalidDataException">Something else lies among them.</exception>
    public static Task<IReadOnlyList<DeadLetterEntry>> ReadAsync(KafkaDriverOptions options) =>
        Task.Run<IReadOnlyList<DeadLetterEntry>>(() => [.. Read(options).Select(Entry)]);

    /// <summary>Sends to where they came from those that <paramref name="wanted"/> names.</summary>
    /// <returns>How many were sent; acknowledged when it returns.</returns>
    /// <exception cref="InvalidDataException">One of them is not all there: none was sent.</exception>
    public static Task<int> SendAgainAsync(KafkaDriverOptions options, Func<DeadLetterEntry, bool> wanted) => Task.Run(async () =>
    {
        var letters = Read(options).Where(l => wanted(Entry(l))).ToList();
        if (letters.Find(l => l.Letter.IsCut) is { Letter: not null } cut)
            throw new InvalidDataException($"The dead letter at {cut.At.Partition.Value}:{cut.At.Offset.Value} was too large to be kept whole: have whoever made it send it again. None was sent.");
        var names = new TopicNames(options);
        var clients = new Clients(options, names, static _ => { });
        using var producer = clients.OutputProducer();
        foreach (var (_, letter) in letters)
        {
            var isFrame = letter.Topic.EndsWith("-repartition", StringComparison.Ordinal);
            var message = new Message<byte[], byte[]> { Key = isFrame ? null! : letter.Key!, Value = isFrame ? FrameOf(letter) : letter.Value! };
            if (!isFrame && letter.At.UnixMilliseconds > 0) message.Timestamp = new(letter.At.UnixMilliseconds, TimestampType.CreateTime);
            if (letter.Headers.Count > 0)
            {
                message.Headers = [];
                foreach (var (name, value) in letter.Headers) message.Headers.Add(name, value);
            }

            await producer.ProduceAsync(new TopicPartition(letter.Topic, letter.Partition < 0 ? Partition.Any : letter.Partition), message).ConfigureAwait(false);
        }

        return letters.Count;
    });

    private static DeadLetterEntry Entry((TopicPartitionOffset At, KafkaLetter Letter) one) =>
        new(one.At, one.Letter.Topic, one.Letter.Partition, one.Letter.Offset, one.Letter.At, one.Letter.Code, one.Letter.Detail, one.Letter.IsCut);

    /// <summary>A record between two sub-topologies goes back alone, and without a position: it is no repeat of itself.</summary>
    private static byte[] FrameOf(KafkaLetter letter)
    {
        var frame = new FrameWriter(new(ushort.MaxValue, 0));
        frame.Begin(SourcePosition.None, letter.At, letter.Key);
        var value = letter.Value ?? [];
        value.CopyTo(frame.GetSpan(value.Length));
        frame.Advance(value.Length);
        frame.End();
        return frame.Take();
    }

    private static List<(TopicPartitionOffset At, KafkaLetter Letter)> Read(KafkaDriverOptions options)
    {
        var names = new TopicNames(options.Checked());
        var clients = new Clients(options, names, static _ => { });
        using var consumer = clients.LetterConsumer();
        List<TopicPartition> partitions;
        using (var admin = clients.Admin()) partitions = [.. admin.GetMetadata(names.DeadLetters, Within).Topics.Single().Partitions.Select(p => new TopicPartition(names.DeadLetters, p.PartitionId))];
        consumer.Assign(partitions.Select(p => new TopicPartitionOffset(p, Offset.Beginning)));
        var letters = new List<(TopicPartitionOffset, KafkaLetter)>();
        for (var open = partitions.Count; open > 0;)
        {
            var result = consumer.Consume(Within) ?? throw new KafkaException(new Error(ErrorCode.Local_TimedOut, $"The dead letters were not read within {Within}."));
            if (result.IsPartitionEOF) open--;
            else letters.Add((result.TopicPartitionOffset, KafkaLetter.FromMessage(result.Message)));
        }

        return letters;
    }
}
