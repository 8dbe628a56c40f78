using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Confluent.Kafka;
using Promotions.Kafka.Cluster;

namespace Promotions.Streams.Kafka.Tests;

/// <summary>A driver in this process: from one topic straight to effects, which a test can make fail, refuse or answer.</summary>
internal sealed class Rig(KafkaCluster kafka, string name, int partitions)
{
    public string Name => name;
    public string Changelog => $"{name}g-in-changelog";
    public FakeEffects Effects { get; } = new();
    public Watch Watch { get; } = new();
    public FakeIntake Intake { get; } = new();

    public KafkaDriverOptions Options { get; } = new()
    {
        Bootstrap = kafka.Bootstrap, MemberId = "one", Prefix = name, Group = "g", StateFolder = Directory.CreateTempSubdirectory(name).FullName, LayoutHash = 1, Threads = 1, Partitions = partitions,
        SessionTimeout = TimeSpan.FromSeconds(2), Heartbeat = TimeSpan.FromMilliseconds(400),
    };

    public static async Task<Rig> NewAsync(KafkaCluster kafka, string what, bool createInput = true, int partitions = 1)
    {
        var rig = new Rig(kafka, KafkaServer.NewName(what), partitions);
        if (createInput) await kafka.CreateTopicAsync(rig.Name + "in", partitions);
        return rig;
    }

    /// <param name="options">Null: <see cref="Options"/>.</param>
    /// <param name="watch">Null: <see cref="Watch"/>.</param>
    public Task<KafkaDriver> StartAsync(KafkaDriverOptions? options = null, Watch? watch = null) => KafkaDriver.StartAsync(Topology(), options ?? Options, Effects, Intake, watch ?? Watch);

    public Task SendAsync(int from, int count, Func<int, string>? key = null) => kafka.ProduceAsync(
        name + "in", Enumerable.Range(from, count).Select(i => new Message<byte[], byte[]> { Key = Encoding.UTF8.GetBytes(key?.Invoke(i) ?? "k"), Value = Encoding.UTF8.GetBytes($"v{i}") }));

    public static Topology Topology()
    {
        var builder = new TopologyBuilder();
        var source = builder.Source("in", "in", new Text(), static value => value);
        return builder.Sink("effects", "effects", new Text(), source).Build();
    }

    private sealed class Text : ICodec<string>
    {
        public void Encode(in string value, IBufferWriter<byte> output) => Encoding.UTF8.GetBytes(value, output);
        public string Decode(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
    }
}

/// <summary>A ledger that keeps what it was given, in order.</summary>
internal sealed class FakeEffects : IEffects
{
    private readonly ConcurrentDictionary<TaskId, int> _inside = new();
    private long _epoch;

    public IReadOnlyCollection<string> Topics => ["effects"];
    public ConcurrentQueue<string> Applied { get; } = new();
    public int FailsLeft { get; set; }

    /// <summary>An owner is refused from so many on.</summary>
    public int PassedFrom { get; set; } = int.MaxValue;

    /// <summary>Later owners are not refused.</summary>
    public long PassedUntilEpoch { get; set; } = long.MaxValue;

    public long Epoch => Interlocked.Read(ref _epoch);
    public int Calls { get; private set; }
    public int InOneTaskMax { get; private set; }
    public Func<string, OutgoingRecord>? Answer { get; set; }

    public Task<long> AcquireAsync(TaskId task, CancellationToken cancellationToken) => Task.FromResult(Interlocked.Increment(ref _epoch));

    public async Task<IReadOnlyList<OutgoingRecord>> ApplyAsync(TaskId task, long epoch, IReadOnlyList<SinkOutput> outputs, CancellationToken cancellationToken)
    {
        InOneTaskMax = Math.Max(InOneTaskMax, _inside.AddOrUpdate(task, 1, (_, n) => n + 1));
        try
        {
            Calls++;
            await Task.Delay(2, cancellationToken);
            if (FailsLeft > 0)
            {
                FailsLeft--;
                throw new IOException("The ledger is away.");
            }

            if (Applied.Count + outputs.Count > PassedFrom && epoch < PassedUntilEpoch) throw new EpochPassedException("Another process owns it.");
            foreach (var output in outputs) Applied.Enqueue((string)output.Value!);
            return Answer is null ? [] : [.. outputs.Select(o => Answer((string)o.Value!))];
        }
        finally
        {
            _inside.AddOrUpdate(task, 0, (_, n) => n - 1);
        }
    }
}

internal sealed class FakeIntake : IIntake
{
    public IReadOnlyCollection<string> Topics => ["in"];
    public bool Refuses { get; set; }
    public string? LastKey { get; private set; }

    public void Accept(in IncomingRecord record, IBufferWriter<byte> source)
    {
        if (Refuses) throw new InvalidDataException("Refused for a test.");
        LastKey = Encoding.UTF8.GetString(record.Key.Span);
        source.Write(record.Value.Span);
    }
}

/// <summary>What the driver told.</summary>
internal sealed class Watch : IKafkaDriverObserver
{
    private int _commits;
    private int _fenced;
    public int Commits => Volatile.Read(ref _commits);
    public int FencedTasks => Volatile.Read(ref _fenced);
    public ConcurrentQueue<(TaskId Task, long Records, TimeSpan Took)> Restores { get; } = new();
    public ConcurrentQueue<TaskId> Came { get; } = new();
    public ConcurrentQueue<TaskId> Gone { get; } = new();
    public ConcurrentQueue<string> Said { get; } = new();
    public ConcurrentQueue<string> Faults { get; } = new();
    public ConcurrentQueue<string> Letters { get; } = new();

    public void Assigned(IReadOnlyCollection<TaskId> tasks) => tasks.ToList().ForEach(Came.Enqueue);
    public void Revoked(IReadOnlyCollection<TaskId> tasks) => tasks.ToList().ForEach(Gone.Enqueue);
    public void Restored(TaskId task, long records, TimeSpan took) => Restores.Enqueue((task, records, took));
    public void ClientSaid(string message) => Said.Enqueue(message);
    public void Faulted(string what, Exception fault) => Faults.Enqueue($"{what} {fault}");
    public void Committed(TimeSpan took, int tasks) => Interlocked.Increment(ref _commits);
    public void Fenced(TaskId task) => Interlocked.Increment(ref _fenced);
    public void DeadLettered(string topic, string reason) => Letters.Enqueue(reason);
}
