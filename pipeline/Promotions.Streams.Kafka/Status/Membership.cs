using System.Diagnostics;
using System.IO.Hashing;
using System.Text;
using Confluent.Kafka;
using Promotions.Streams.Kafka.Restore;
using Promotions.Streams.Kafka.Transport;

namespace Promotions.Streams.Kafka.Status;

/// <summary>Says once a second what this process is doing, hears what others do, and follows the changelogs that fall to it.</summary>
/// <remarks>Which of the living members keep copies of a task is rendezvous hashing over those that do not run it: everyone works it out alone, and a member that comes or goes moves few copies.</remarks>
internal sealed class Membership : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(5);

    private readonly KafkaDriver _driver;
    private readonly Clients _clients;
    private readonly Publisher _publisher;
    private readonly Restorer _restorer;
    private readonly IReadOnlyList<(TaskId Id, StreamUnit Unit)> _all;
    private readonly Dictionary<string, (MemberStatus Said, long Heard)> _others = new(StringComparer.Ordinal);
    private readonly ManualResetEvent _stop = new(false);
    private readonly Thread _thread;
    private readonly Action<Exception> _fault;

    public Membership(KafkaDriver driver, Clients clients, Publisher publisher, Restorer restorer, IReadOnlyList<(TaskId Id, StreamUnit Unit)> all, Action<Exception> fault)
    {
        (_driver, _clients, _publisher, _restorer, _all, _fault) = (driver, clients, publisher, restorer, all, fault);
        _thread = new(Run) { IsBackground = true, Name = "kafka-members" };
    }

    public void Start() => _thread.Start();

    /// <summary>Says that this process is gone, unless it stopped by itself: then its last word stays.</summary>
    public void Dispose()
    {
        _stop.Set();
        if (_thread.IsAlive) _thread.Join();
        Say(_driver.Completion.IsFaulted ? _driver.Status().ToJson() : null);
        _stop.Dispose();
    }

    /// <summary>Who keeps copies of the task.</summary>
    /// <param name="members">Living ones, the task's owner left out.</param>
    public static IEnumerable<string> StandbysOf(TaskId task, IEnumerable<string> members, int copies) =>
        members.OrderByDescending(member => XxHash64.HashToUInt64(Encoding.UTF8.GetBytes($"{task}/{member}"))).ThenBy(member => member, StringComparer.Ordinal).Take(copies);

    private void Run()
    {
        try
        {
            using var consumer = _clients.Options.Standbys > 0 ? _clients.ChangelogConsumer(IsolationLevel.ReadUncommitted) : null;
            consumer?.Assign(new TopicPartitionOffset(_clients.Names.Members, 0, Offset.Beginning));
            do
            {
                Say(_driver.Status().ToJson());
                _driver.TellProcessed();
                if (consumer is null) continue;
                Hear(consumer);
                Follow();
            }
            while (!_stop.WaitOne(Every));
            consumer?.Close();
        }
        catch (Exception fault)
        {
            _fault(fault);
        }
    }

    private void Say(byte[]? status) => _publisher.Say(_clients.Names.Members, Encoding.UTF8.GetBytes(_clients.Options.MemberId), status);

    private void Hear(IConsumer<byte[], byte[]> consumer)
    {
        while (Next(consumer) is { } heard)
        {
            if (heard.IsPartitionEOF) continue;
            var id = Encoding.UTF8.GetString(heard.Message.Key);
            if (heard.Message.Value is { } value && MemberStatus.FromJson(value) is { } said) _others[id] = (said, Stopwatch.GetTimestamp());
            else _others.Remove(id);
        }
    }

    private ConsumeResult<byte[], byte[]>? Next(IConsumer<byte[], byte[]> consumer)
    {
        try
        {
            return consumer.Consume(TimeSpan.FromMilliseconds(20));
        }
        catch (ConsumeException fault) when (!fault.Error.IsFatal)
        {
            _driver.ClientSaid(fault.Message);
            return null;
        }
    }

    private void Follow()
    {
        var own = _clients.Options.MemberId;
        var living = _others.Where(o => o.Key != own && Stopwatch.GetElapsedTime(o.Value.Heard) < SilentAfter).ToDictionary(o => o.Key, o => o.Value.Said, StringComparer.Ordinal);
        var owners = new Dictionary<TaskId, string>();
        foreach (var (member, said) in living)
            foreach (var task in said.Tasks.Where(t => t.Role == "active")) owners[new(task.SubTopology, task.Partition)] = member;
        var everyone = living.Keys.Append(own).ToList();
        _restorer.Follow([.. _all.Where(t => !_driver.Runs(t.Id)
            && StandbysOf(t.Id, everyone.Where(m => m != owners.GetValueOrDefault(t.Id)), _clients.Options.Standbys).Contains(own))], _driver.Runs);
    }
}
