using Promotions.Contracts;

namespace Promotions.Admin.Shared;

/// <summary>The lag of each task over the last readings of one open page.</summary>
internal sealed class LagHistory
{
    /// <summary>Readings kept: two minutes at one a second.</summary>
    public const int Kept = 120;

    private readonly Dictionary<(int SubTopology, string Name, int Partition), List<long>> _tasks = [];
    private readonly List<int> _total = [];

    /// <summary>Sum over all tasks, oldest first.</summary>
    public IReadOnlyList<int> Total => _total;

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<long> Of(TaskAnswer task) => _tasks.TryGetValue((task.SubTopology, task.Name, task.Partition), out var lags) ? lags : [];

    public void Add(IEnumerable<TaskAnswer> active)
    {
        long sum = 0;
        foreach (var task in active)
        {
            var key = (task.SubTopology, task.Name, task.Partition);
            if (!_tasks.TryGetValue(key, out var lags)) _tasks.Add(key, lags = []);
            Append(lags, task.Lag);
            sum += task.Lag;
        }
        Append(_total, (int)Math.Min(int.MaxValue, sum));
    }

    private static void Append<T>(List<T> values, T value)
    {
        if (values.Count == Kept) values.RemoveAt(0);
        values.Add(value);
    }
}
