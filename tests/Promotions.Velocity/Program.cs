using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Promotions.Domain;
using Promotions.Streams.Kafka;
using Promotions.Velocity;

// velocity run|serve --bootstrap B [--in velocity-in] [--out velocity-out] [--threads 2] [--partitions 4] [--group velocity] [--member one] [--state DIR] [--commit-ms 100] [--fetch-wait-ms 3] [--standbys 0] [--session-ms 6000] [--instance NAME] [--cache-mb 48] [--blocks-mb 64] [--writes-mb 32]
// run: until the output topic holds as many records as the input; prints the rate, as the peer does. serve: until SIGTERM; says when it serves.
var options = new Dictionary<string, string>(StringComparer.Ordinal);
for (var i = 1; i + 1 < args.Length; i += 2) options[args[i].TrimStart('-')] = args[i + 1];
string Option(string name, string otherwise) => options.GetValueOrDefault(name, otherwise);
int Number(string name, int otherwise) => int.Parse(Option(name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);

var (input, output) = (Option("in", "velocity-in"), Option("out", "velocity-out"));
var settings = new KafkaDriverOptions
{
    Bootstrap = options["bootstrap"],
    MemberId = Option("member", "one"),
    Group = Option("group", "velocity"),
    StateFolder = options.TryGetValue("state", out var folder) ? folder : Directory.CreateTempSubdirectory("velocity-").FullName,
    LayoutHash = 0x76656c6f63697479,
    Threads = Number("threads", 2),
    Partitions = Number("partitions", 4),
    CommitEvery = TimeSpan.FromMilliseconds(Number("commit-ms", 100)),
    LingerMs = double.Parse(Option("linger-ms", args[0] == "serve" ? "0" : "5"), CultureInfo.InvariantCulture),
    FetchWaitMs = Number("fetch-wait-ms", args[0] == "serve" ? 3 : 0),
    Standbys = Number("standbys", 0),
    SessionTimeout = TimeSpan.FromMilliseconds(Number("session-ms", 6_000)),
    Heartbeat = TimeSpan.FromMilliseconds(Math.Min(500, Number("session-ms", 6_000) / 4)),
    InstanceId = options.GetValueOrDefault("instance"),
    State = new(Number("blocks-mb", 64) * (1L << 20), Number("writes-mb", 32) * (1L << 20), Sync: false),
};
using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = settings.Bootstrap }).Build();
var startup = TimeProvider.System.GetUtcNow() - Process.GetCurrentProcess().StartTime.ToUniversalTime();
var clock = Stopwatch.StartNew();
var observer = new Says();
var driver = await KafkaDriver.StartAsync(VelocityTopology.Build(input, output, Number("cache-mb", 48) * (1L << 20)), settings, observer: observer);
if (args[0] == "serve")
{
    var ended = new TaskCompletionSource();
    using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
    {
        context.Cancel = true;
        ended.TrySetResult();
    });
    while (!driver.IsServing && !driver.Completion.IsCompleted) await Task.Delay(5);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"serving ready_seconds={clock.Elapsed.TotalSeconds + startup.TotalSeconds:F3} restored={observer.RestoredTotal} restore_seconds={observer.RestoreTook.TotalSeconds:F3}"));
    await Task.WhenAny(ended.Task, driver.Completion);
}
else
{
    var total = await EndAsync(input);
    var (first, firstAt) = (0L, TimeSpan.Zero);
    while (true)
    {
        await Task.WhenAny(Task.Delay(100), driver.Completion);
        if (driver.Completion.IsFaulted) break;
        var done = await EndAsync(output);
        if (first == 0 && done > total / 10) (first, firstAt) = (done, clock.Elapsed);
        if (done < total) continue;
        var took = clock.Elapsed;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"promotions events={total} seconds={took.TotalSeconds:F2} events_per_second={total / took.TotalSeconds:F0} after_first_tenth={(done - first) / (took - firstAt).TotalSeconds:F0} cpu={Environment.CpuUsage.TotalTime.TotalSeconds:F2}"));
        break;
    }
}

await driver.DisposeAsync();
return driver.Completion.IsFaulted ? 1 : 0;

async Task<long> EndAsync(string topic)
{
    var partitions = admin.GetMetadata(topic, TimeSpan.FromSeconds(10)).Topics[0].Partitions;
    var ends = await admin.ListOffsetsAsync([.. partitions.Select(p => new TopicPartitionOffsetSpec { TopicPartition = new(topic, p.PartitionId), OffsetSpec = OffsetSpec.Latest() })]);
    return ends.ResultInfos.Sum(e => e.TopicPartitionOffsetError.Offset.Value);
}

/// <summary>To standard error, what went wrong and how long restoring took.</summary>
internal sealed class Says : IKafkaDriverObserver
{
    private long _restored;
    private long _firstAssigned;
    private long _lastRestored;

    public long RestoredTotal => Interlocked.Read(ref _restored);
    public TimeSpan RestoreTook => Stopwatch.GetElapsedTime(_firstAssigned, _lastRestored);

    public void Assigned(IReadOnlyCollection<TaskId> tasks) => Interlocked.CompareExchange(ref _firstAssigned, Stopwatch.GetTimestamp(), 0);

    public void Restored(TaskId task, long records, TimeSpan took)
    {
        Interlocked.Add(ref _restored, records);
        Interlocked.Exchange(ref _lastRestored, Stopwatch.GetTimestamp());
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"task {task} restored from {records} records within {took.TotalSeconds:F3} s"));
    }

    public void Faulted(string what, Exception fault) => Console.Error.WriteLine($"{what} {fault}");
    public void CommitFailed(Exception fault) => Console.Error.WriteLine($"commit: {fault.Message}");
    public void DeadLettered(string topic, string reason) => Console.Error.WriteLine($"dead letter of {topic}: {reason}");
    public void TookBack(TaskId task, string reason) => Console.Error.WriteLine($"{task} took back: {reason}");
    public void ClientSaid(string message) => Console.Error.WriteLine(message);
}
