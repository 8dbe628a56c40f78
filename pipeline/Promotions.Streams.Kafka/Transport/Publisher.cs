using System.Globalization;
using Confluent.Kafka;
using Promotions.Domain;

namespace Promotions.Streams.Kafka.Transport;

/// <summary>What leaves this process before its commit: frames, sinks' records, answers, dead letters. Thread-safe.</summary>
internal sealed class Publisher : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(5);

    private readonly IProducer<byte[], byte[]> _hops;
    private readonly IProducer<byte[], byte[]> _outputs;
    private readonly TopicNames _names;
    private readonly Action<Exception> _fault;
    private readonly TimeProvider _time;
    private readonly Action<string, string> _deadLettered;
    private readonly ManualResetEvent _closed = new(false);

    /// <param name="fault">What must never be lost cannot be sent: the driver stops.</param>
    /// <param name="deadLettered">Topic and reason.</param>
    public Publisher(Clients clients, TimeProvider time, Action<Exception> fault, Action<string, string> deadLettered)
    {
        (_hops, _outputs, _names) = (clients.HopProducer(), clients.OutputProducer(), clients.Names);
        (_time, _fault, _deadLettered) = (time, fault, deadLettered);
    }

    public void SendFrame(TopicPartition to, byte[] frame, AckInterval interval)
    {
        interval.Add();
        Send(_hops, to, new() { Value = frame }, interval);
    }

    public void Send(in SinkOutput output, AckInterval interval)
    {
        var key = output.EncodeKey();
        interval.Add();
        Send(_outputs, new(_names.Outside(output.Topic), Partition.Any), new() { Key = key!, Value = output.Encode(), Timestamp = TimeOf(output.At) }, interval);
    }

    /// <param name="record">Its topic is named as the cluster knows it.</param>
    public void Send(OutgoingRecord record, AckInterval interval)
    {
        interval.Add();
        var message = new Message<byte[], byte[]> { Key = record.Key!, Value = record.Value, Timestamp = TimeOf(record.At) };
        if (record.Headers is { Count: > 0 } headers)
        {
            message.Headers = [];
            foreach (var (name, value) in headers) message.Headers.Add(name, value);
        }

        Send(_outputs, new(record.Topic, record.Partition ?? Partition.Any), message, interval);
    }

    /// <summary>Gives a record up. Its interval waits for the letter: no position is committed beyond a record that is nowhere.</summary>
    public void SendLetter(KafkaLetter letter, AckInterval interval)
    {
        interval.Add();
        Send(_outputs, new(_names.DeadLetters, Partition.Any), letter.ToMessage(EventTime.Now(_time)), interval);
        _deadLettered(letter.Topic, letter.Reason);
    }

    /// <summary>What may get lost.</summary>
    /// <param name="value">Null: a tombstone.</param>
    public void Say(string topic, byte[] key, byte[]? value)
    {
        try
        {
            _outputs.Produce(new TopicPartition(topic, 0), new() { Key = key, Value = value! });
        }
        catch (KafkaException)
        {
            // It is said again in a second.
        }
    }

    /// <summary>Waits until everything has arrived, or for as long as it is told to.</summary>
    public bool Flush(TimeSpan within) => _hops.Flush(within / 2) + _outputs.Flush(within / 2) == 0;

    public void Dispose()
    {
        _closed.Set();
        _hops.Dispose();
        _outputs.Dispose();
        _closed.Dispose();
    }

    private static Timestamp TimeOf(EventTime at) => at.UnixMilliseconds > 0 ? new(at.UnixMilliseconds, TimestampType.CreateTime) : Timestamp.Default;

    private void Send(IProducer<byte[], byte[]> producer, TopicPartition to, Message<byte[], byte[]> message, AckInterval interval)
    {
        while (true)
        {
            try
            {
                producer.Produce(to, message, interval.Delivered);
                return;
            }
            catch (ProduceException<byte[], byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
            {
                if (_closed.WaitOne(RetryAfter)) throw new OperationCanceledException("The driver is closing.");
            }
            catch (ProduceException<byte[], byte[]> refused)
            {
                GiveUp(producer, to.Topic, to.Partition, message, refused.Error, interval);
                return;
            }
        }
    }

    /// <summary>For intervals: the producer gave a record up.</summary>
    public void OnLost(AckInterval interval, DeliveryReport<byte[], byte[]> report)
    {
        if (_closed.WaitOne(0)) return;
        GiveUp(report.Topic.EndsWith("-repartition", StringComparison.Ordinal) ? _hops : _outputs, report.Topic, report.Partition, report.Message, report.Error, interval);
    }

    /// <summary>A frame or a letter must arrive. Another record that the brokers refuse (unknown topic, too large, not allowed) becomes a letter itself.</summary>
    private void GiveUp(IProducer<byte[], byte[]> producer, string topic, Partition partition, Message<byte[], byte[]> message, Error error, AckInterval interval)
    {
        if (producer == _hops || topic == _names.DeadLetters || error.IsFatal || error.Code is ErrorCode.Local_Fatal or ErrorCode.Local_PurgeQueue or ErrorCode.Local_PurgeInflight)
        {
            _fault(new KafkaException(error.Code is ErrorCode.NoError ? new Error(ErrorCode.Local_Fail, error.Reason) : new Error(error.Code, $"A record for '{topic}' could not be sent: {error.Reason}")));
            return;
        }

        var reason = string.Create(CultureInfo.InvariantCulture, $"not_published: {error.Reason} ({error.Code})");
        SendLetter(new(topic, partition.Value, -1, message.Key, message.Value, new(message.Timestamp.UnixTimestampMs), reason, KafkaLetter.Copy(message.Headers)), interval);
        interval.Done();
    }
}
