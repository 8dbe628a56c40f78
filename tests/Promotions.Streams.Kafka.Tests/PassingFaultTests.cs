using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Confluent.Kafka;
using Promotions.Domain;
using Promotions.Kafka.Cluster;

namespace Promotions.Streams.Kafka.Tests;

/// <summary>A processor asks something outside that is away for a while: no record is given up for it, and the process goes on.</summary>
public sealed class PassingFaultTests(KafkaServer server)
{
    [Theory]
    [InlineData(false)]     // while a record is processed
    [InlineData(true)]      // in a punctuation
    public async Task What_was_away_is_asked_again_and_no_record_is_given_up(bool inTick)
    {
        var name = KafkaServer.NewName("passing");
        await server.Cluster.CreateTopicAsync(name + "in", 1);
        await server.Cluster.CreateTopicAsync(name + "out", 1);
        var (outside, watch) = (new Outside(inTick), new Watch());
        var options = new KafkaDriverOptions
        {
            Bootstrap = server.Cluster.Bootstrap, MemberId = "one", Prefix = name, Group = "g", StateFolder = Directory.CreateTempSubdirectory(name).FullName, LayoutHash = 1, Threads = 1, Partitions = 1,
            IsPassing = static fault => fault is TimeoutException,
        };
        await using var driver = await KafkaDriver.StartAsync(TopologyOf(outside), options, observer: watch);
        await SendAsync(0, 50);
        await SeenAsync(50);

        outside.IsAway = true;
        await SendAsync(50, 100);
        await Eventually.HoldsAsync(() => Task.FromResult(watch.Retries >= 3), () => $"{watch.Retries} tries.");
        Assert.False(driver.Completion.IsCompleted);
        outside.IsAway = false;
        await SendAsync(100, 150);
        await SeenAsync(150);
        await driver.DisposeAsync();

        // Once each and in their order: what had left before the fault did not leave again.
        Assert.Equal(Enumerable.Range(0, 150).Select(i => $"v{i}"), (await server.Cluster.ReadAllAsync(name + "out")).Select(record => Encoding.UTF8.GetString(record.Message.Value)));
        Assert.Empty(watch.Letters);

        Task SendAsync(int from, int to) =>
            server.Cluster.ProduceAsync(name + "in", Enumerable.Range(from, to - from).Select(i => new Message<byte[], byte[]> { Key = "k"u8.ToArray(), Value = Encoding.UTF8.GetBytes($"v{i}") }));

        Task SeenAsync(int count) => Eventually.HoldsAsync(async () => (await server.Cluster.EndOffsetsAsync(name + "out")).Values.Sum() >= count, () => $"{count} were to be seen. {string.Join(' ', watch.Letters)}");
    }

    private static Topology TopologyOf(Outside outside)
    {
        var builder = new TopologyBuilder();
        var source = builder.Source("in", "in", new Text(), static value => value);
        var asked = builder.Processor("ask", () => new Asks(outside), source);
        return builder.Sink("out", "out", new Text(), asked).Build();
    }

    private sealed class Outside(bool inTick)
    {
        public volatile bool IsAway;

        public void Ask(bool ticks)
        {
            if (IsAway && ticks == inTick) throw new TimeoutException("Away.");
        }
    }

    private sealed class Asks(Outside outside) : IProcessor<string, string, string, string>
    {
        private IProcessorContext<string, string> _context = null!;

        public void Init(IProcessorContext<string, string> context)
        {
            _context = context;
            context.ScheduleWallClock(5, _ => outside.Ask(ticks: true));
        }

        public void Process(in Record<string, string> record)
        {
            outside.Ask(ticks: false);
            _context.Forward(record);
        }
    }

    private sealed class Watch : IKafkaDriverObserver
    {
        private int _retries;
        public int Retries => Volatile.Read(ref _retries);
        public ConcurrentQueue<string> Letters { get; } = new();
        public void Retrying(TaskId task, Exception fault) => Interlocked.Increment(ref _retries);
        public void DeadLettered(string topic, string reason) => Letters.Enqueue(reason);
    }

    private sealed class Text : ICodec<string>
    {
        public void Encode(in string value, IBufferWriter<byte> output) => Encoding.UTF8.GetBytes(value, output);
        public string Decode(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
    }
}
