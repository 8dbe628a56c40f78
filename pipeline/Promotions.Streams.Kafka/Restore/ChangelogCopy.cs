using Confluent.Kafka;
using Promotions.Domain;
using Promotions.Streams.Kafka.Tasks;
using Promotions.Streams.RocksDb;
using Promotions.Streams.State;

namespace Promotions.Streams.Kafka.Restore;

/// <summary>One task's local copy as it follows its changelog: batches of values, each with how far it has read.</summary>
internal sealed class ChangelogCopy : IDisposable
{
    private const int BatchRecords = 8_192;
    private const int BatchBytes = 2 << 20;

    private readonly RocksDbPartition _local;
    private RocksDbPartition.Writing? _writing;
    private Standing? _standing;
    private int _waiting;
    private int _waitingBytes;

    public ChangelogCopy(TaskId task, StreamUnit unit, RocksDbPartition local)
    {
        (Task, Changelog, _local) = (task, new(unit.Changelog, task.Partition), local);
    }

    public TaskId Task { get; }
    public TopicPartition Changelog { get; }

    /// <summary>The changelog's offset that is to be read next.</summary>
    public long Next { get; private set; }

    public long Records { get; private set; }

    public LocalStanding? Standing => _standing is null && Next == 0 ? null : new(Next, default, _standing);

    /// <summary>Begins where the local copy stands, or at the beginning where it is of no use: too old for tombstones to be still there, ahead of the changelog, or not to be understood.</summary>
    /// <param name="end">The changelog's end.</param>
    public void Begin(EventTime now, TimeSpan tombstonesLive, long end)
    {
        var bytes = new byte[IStateBackend.ValueBytesMax * 2];
        var length = _local.ReadStanding(bytes);
        LocalStanding? found = null;
        if (length >= 0)
        {
            found = LocalStanding.FromBytes(bytes.AsSpan(0, length));
            if (found is null || found.ChangelogNext > end || now.UnixMilliseconds - found.At.UnixMilliseconds > tombstonesLive.TotalMilliseconds / 2) found = null;
        }

        if (length >= 0 && found is null) _local.Clear();
        (Next, _standing) = (found?.ChangelogNext ?? 0, found?.Standing);
    }

    public void Apply(Message<byte[], byte[]> message, long offset, EventTime now)
    {
        Next = offset + 1;
        Records++;
        var (key, value) = (message.Key, message.Value);
        if (key is null or { Length: 0 }) return;
        if (key[0] == 0)
        {
            if (value is not null) _standing = Tasks.Standing.FromBytes(value);
        }
        else
        {
            _writing ??= _local.Begin();
            if (value is null) _writing.Delete(key);
            else _writing.Put(key, value);
            _waiting++;
            _waitingBytes += key.Length + (value?.Length ?? 0);
            if (_waiting >= BatchRecords || _waitingBytes >= BatchBytes) Write(now);
        }
    }

    /// <summary>The consumer has seen that nothing is committed before this offset that was not applied.</summary>
    public void Reached(long offset, EventTime now)
    {
        if (offset <= Next && _waiting == 0) return;
        Next = Math.Max(Next, offset);
        Write(now);
    }

    public void Write(EventTime now)
    {
        _writing ??= _local.Begin();
        _writing.Commit(new LocalStanding(Next, now, _standing).ToBytes());
        _writing.Dispose();
        (_writing, _waiting, _waitingBytes) = (null, 0, 0);
    }

    public void Dispose() => _writing?.Dispose();
}
