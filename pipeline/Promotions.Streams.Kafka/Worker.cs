using Promotions.Streams.Kafka.Tasks;

namespace Promotions.Streams.Kafka;

/// <summary>One thread and the tasks that it works on, those at the end of the topology first: what is under way is finished before more is begun.</summary>
internal sealed class Worker : IDisposable
{
    /// <summary>Timers by the wall clock are looked at so often when nothing comes.</summary>
    private static readonly TimeSpan IdleMax = TimeSpan.FromMilliseconds(5);

    private readonly AutoResetEvent _wake = new(false);
    private readonly Lock _gate = new();
    private readonly Thread _thread;
    private volatile KafkaTask[] _tasks = [];
    private volatile bool _stops;

    public Worker(int number)
    {
        _thread = new(Run) { IsBackground = true, Name = $"kafka-worker-{number}" };
        _thread.Start();
    }

    public int TasksOf(int unit) => _tasks.Count(t => t.Id.SubTopology == unit);
    public int Count => _tasks.Length;

    public void Add(KafkaTask task)
    {
        task.Wake = () => _wake.Set();
        lock (_gate) _tasks = [.. _tasks.Append(task).OrderByDescending(t => t.Id.SubTopology).ThenBy(t => t.Id.Partition)];
        _wake.Set();
    }

    /// <returns>Whether it was here.</returns>
    public bool Remove(KafkaTask task)
    {
        lock (_gate)
        {
            if (!_tasks.Contains(task)) return false;
            _tasks = [.. _tasks.Where(t => t != task)];
            return true;
        }
    }

    public void Dispose()
    {
        _stops = true;
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
    }

    private void Run()
    {
        while (!_stops)
        {
            var worked = false;
            foreach (var task in _tasks) worked |= task.Step();
            if (!worked) _wake.WaitOne(IdleMax);
        }
    }
}
