using System.Buffers;
using Confluent.Kafka;
using Promotions.Domain;

namespace Promotions.Streams.Kafka.Transport;

/// <summary>How one task's records leave for repartition topics: collected in frames, one a target partition, sent at the end of a poll batch.</summary>
internal sealed class HopTransport(TaskId task, TopicNames names, IReadOnlyDictionary<string, int> partitionsOf, int frameBytes) : IHopTransport
{
    /// <summary>What one source record may make for one partition: brokers refuse records of more than 1 MiB by default.</summary>
    private const int RecordBytesMax = 900 << 10;

    private readonly List<Outlet> _outlets = [];
    private readonly List<Target> _touched = [];
    private readonly List<Target> _open = [];
    private long _record;

    /// <summary>Of the source record at hand.</summary>
    public long Position { get; set; }

    public IHopOutlet Open(string topic)
    {
        var name = names.Repartition(topic);
        var outlet = new Outlet(this, [.. Enumerable.Range(0, partitionsOf[name]).Select(p => new Target(new(name, p), new(task)))]);
        _outlets.Add(outlet);
        return outlet;
    }

    /// <summary>The source record is through: what it made stays.</summary>
    public void Keep()
    {
        _record++;
        _touched.Clear();
    }

    /// <summary>The source record failed, or has been sent before: what it made is taken back.</summary>
    public void TakeBack()
    {
        foreach (var target in _touched) target.Frame.TruncateTo(target.Frame.TouchedAt);
        Keep();
    }

    /// <summary>Frames to send; all, or only those that are large enough. Not within a source record: all that it makes for one partition is in one frame.</summary>
    public void Flush(bool all, Action<TopicPartition, byte[]> send)
    {
        var kept = 0;
        for (var i = 0; i < _open.Count; i++)
        {
            var target = _open[i];
            if (target.Frame.IsEmpty) target.IsOpen = false;
            else if (!all && target.Frame.Length < frameBytes) _open[kept++] = target;
            else
            {
                send(target.To, target.Frame.Take());
                target.IsOpen = false;
            }
        }

        _open.RemoveRange(kept, _open.Count - kept);
    }

    private void Touch(Target target)
    {
        if (!target.IsOpen)
        {
            target.IsOpen = true;
            _open.Add(target);
        }

        var frame = target.Frame;
        if (frame.TouchedBy == _record) return;
        (frame.TouchedBy, frame.TouchedAt) = (_record, frame.Length);
        _touched.Add(target);
    }

    private sealed class Target(TopicPartition to, FrameWriter frame)
    {
        public TopicPartition To { get; } = to;
        public FrameWriter Frame { get; } = frame;
        public bool IsOpen { get; set; }
    }

    private sealed class Outlet(HopTransport transport, Target[] targets) : IHopOutlet
    {
        private readonly ArrayBufferWriter<byte> _key = new(64);
        private Target _target = targets[0];

        public IBufferWriter<byte> BeginKey()
        {
            _key.ResetWrittenCount();
            return _key;
        }

        public IBufferWriter<byte> BeginValue(EventTime at)
        {
            _target = targets[Murmur2.PartitionOf(_key.WrittenSpan, targets.Length)];
            transport.Touch(_target);
            _target.Frame.Begin(transport.Position, at, _key.WrittenSpan);
            return _target.Frame;
        }

        public void End()
        {
            _target.Frame.End();
            if (_target.Frame.Length - _target.Frame.TouchedAt > RecordBytesMax)
                throw new InvalidDataException($"What the record makes for {_target.To} is larger than {RecordBytesMax} bytes.");
        }
    }
}

/// <summary>The hash by which Kafka's own clients choose partitions, so that whoever writes or reads from outside agrees with us.</summary>
internal static class Murmur2
{
    public static int PartitionOf(ReadOnlySpan<byte> key, int partitions) => (int)((Hash(key) & 0x7fffffff) % (uint)partitions);

    public static uint Hash(ReadOnlySpan<byte> data)
    {
        const uint m = 0x5bd1e995;
        unchecked
        {
            var h = 0x9747b28cu ^ (uint)data.Length;
            while (data.Length >= 4)
            {
                var k = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(data) * m;
                k = (k ^ (k >> 24)) * m;
                h = (h * m) ^ k;
                data = data[4..];
            }

            if (data.Length >= 3) h ^= (uint)data[2] << 16;
            if (data.Length >= 2) h ^= (uint)data[1] << 8;
            if (data.Length >= 1) h = (h ^ data[0]) * m;
            h = (h ^ (h >> 13)) * m;
            return h ^ (h >> 15);
        }
    }
}
