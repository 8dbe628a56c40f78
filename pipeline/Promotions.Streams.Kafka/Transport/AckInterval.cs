using Confluent.Kafka;

namespace Promotions.Streams.Kafka.Transport;

/// <summary>Everything that a task sent between two checkpoints: whether all of it has arrived.</summary>
internal sealed class AckInterval
{
    private readonly Action<AckInterval, DeliveryReport<byte[], byte[]>> _lost;
    private int _open = 1;      // the interval itself, until it is closed

    /// <param name="lost">A record was given up by the producer. Whoever is told says when it is <see cref="Done"/>, if ever.</param>
    public AckInterval(Action<AckInterval, DeliveryReport<byte[], byte[]>> lost)
    {
        _lost = lost;
        Delivered = OnDelivered;
    }

    /// <summary>For the producer: one delegate for all records of the interval.</summary>
    public Action<DeliveryReport<byte[], byte[]>> Delivered { get; }

    public bool IsSettled => Volatile.Read(ref _open) == 0;

    public void Add(int count = 1) => Interlocked.Add(ref _open, count);

    public void Done(int count = 1) => Interlocked.Add(ref _open, -count);

    /// <summary>Nothing new belongs to it any more.</summary>
    public void Close() => Done();

    private void OnDelivered(DeliveryReport<byte[], byte[]> report)
    {
        if (report.Error.IsError) _lost(this, report);
        else Done();
    }
}
