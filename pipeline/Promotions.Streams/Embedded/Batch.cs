namespace Promotions.Streams.Embedded;

/// <summary>A record in flight and those who wait for its answer.</summary>
internal sealed class InFlight(InputRecord input)
{
    private readonly TaskCompletionSource<object?> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public InputRecord Input { get; } = input;
    public Task<object?> Answer => _answer.Task;

    /// <summary>The same record again in the same batch: it gets this one's answer.</summary>
    public InFlight? Repeat { get; private set; }

    public bool SameAs(InFlight other) => Input.Value.Span.SequenceEqual(other.Input.Value.Span);

    public void AddRepeat(InFlight repeat)
    {
        repeat.Repeat = Repeat;
        Repeat = repeat;
    }

    public void Complete(object? answer)
    {
        for (var item = this; item is not null; item = item.Repeat) item._answer.TrySetResult(answer);
    }

    public void Fail(Exception fault)
    {
        for (var item = this; item is not null; item = item.Repeat) item._answer.TrySetException(fault);
    }
}

/// <summary>Records that are processed and committed together; an id is in it once.</summary>
internal sealed class Batch(int max)
{
    private readonly Dictionary<(string Topic, string Id), InFlight> _byId = [];

    public List<InFlight> Items { get; } = new(max);
    public bool IsFull => Items.Count >= max;

    /// <returns>False: the same id is in the batch with another content; it has to wait for that one's commit.</returns>
    public bool TryAdd(InFlight item)
    {
        if (_byId.TryGetValue((item.Input.Topic, item.Input.Id), out var first))
        {
            if (!first.SameAs(item)) return false;
            first.AddRepeat(item);
            return true;
        }

        _byId.Add((item.Input.Topic, item.Input.Id), item);
        Items.Add(item);
        return true;
    }

    public void Clear()
    {
        Items.Clear();
        _byId.Clear();
    }
}
