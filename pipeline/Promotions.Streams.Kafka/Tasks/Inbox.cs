using Confluent.Kafka;

namespace Promotions.Streams.Kafka.Tasks;

/// <summary>Records that were read and not yet processed: between the polling thread and a worker.</summary>
internal sealed class Inbox(int recordsMax, long bytesMax)
{
    private readonly Lock _gate = new();
    private readonly Queue<ConsumeResult<byte[], byte[]>> _records = new();
    private long _bytes;

    public int Count
    {
        get
        {
            lock (_gate) return _records.Count;
        }
    }

    /// <summary>Its partition should not be read on.</summary>
    public bool IsFull
    {
        get
        {
            lock (_gate) return _records.Count >= recordsMax || _bytes >= bytesMax;
        }
    }

    /// <summary>Half of it is free again.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_gate) return _records.Count <= recordsMax / 2 && _bytes <= bytesMax / 2;
        }
    }

    /// <returns>Whether it was empty: its worker may be asleep.</returns>
    public bool Add(ConsumeResult<byte[], byte[]> record)
    {
        lock (_gate)
        {
            _records.Enqueue(record);
            _bytes += SizeOf(record);
            return _records.Count == 1;
        }
    }

    public bool TryTake(List<ConsumeResult<byte[], byte[]>> destination, int max)
    {
        lock (_gate)
        {
            while (destination.Count < max && _records.TryDequeue(out var record))
            {
                _bytes -= SizeOf(record);
                destination.Add(record);
            }

            return destination.Count > 0;
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _records.Clear();
            _bytes = 0;
        }
    }

    private static long SizeOf(ConsumeResult<byte[], byte[]> record) => 200 + (record.Message.Key?.Length ?? 0) + (record.Message.Value?.Length ?? 0);
}
