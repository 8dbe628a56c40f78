using Confluent.Kafka;
using Promotions.Streams.Kafka.Tasks;
using Promotions.Streams.Kafka.Transport;

namespace Promotions.Streams.Kafka.Restore;

/// <summary>A process that dies within a transaction leaves it open until the brokers give it up, which takes them tens of seconds. Whoever restores behind it ends it: by taking over its transactional id.</summary>
/// <remarks>The id is in the standing that the open transaction has written, or in the one before. Its process is silent for longer than the session's time-out, or its task would not be here: should it live after all,
/// its next transaction is refused, and it begins again under a new epoch.</remarks>
internal sealed class OpenTransactions(Clients clients)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ReadWithin = TimeSpan.FromSeconds(2);

    public void End(TopicPartition changelog, long from, long end)
    {
        var own = clients.Names.TransactionalId(clients.Options.MemberId);
        foreach (var writer in Writers(changelog, from, end).Where(w => w != own))
        {
            var start = clients.Names.TransactionalId("");
            if (!writer.StartsWith(start, StringComparison.Ordinal)) continue;
            using var producer = clients.TransactionalProducer(writer[start.Length..]);
            try
            {
                producer.InitTransactions(Within);
            }
            catch (KafkaException)
            {
                // Another restorer does the same, or brokers are away: the restore comes here again.
            }
        }
    }

    /// <summary>Who wrote standings in the part of the log that is not committed.</summary>
    private HashSet<string> Writers(TopicPartition changelog, long from, long end)
    {
        var writers = new HashSet<string>(StringComparer.Ordinal);
        using var consumer = clients.ChangelogConsumer(IsolationLevel.ReadUncommitted);
        consumer.Assign(new TopicPartitionOffset(changelog, from));
        while (consumer.Consume(ReadWithin) is { } result)
        {
            if (result.IsPartitionEOF) break;
            if (result.Message.Key is [0] && result.Message.Value is { } standing) writers.Add(Standing.FromBytes(standing).Writer);
            if (result.Offset.Value >= end) break;
        }

        consumer.Unassign();
        return writers;
    }
}
