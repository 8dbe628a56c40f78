namespace Promotions.Streams.Embedded;

/// <summary>A record in flight, and the answer that its callers wait for.</summary>
internal sealed class InFlight(InputRecord input) : TaskCompletionSource<object?>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public InputRecord Input { get; } = input;

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
        for (var item = this; item is not null; item = item.Repeat) item.TrySetResult(answer);
    }

    public void Fail(Exception fault)
    {
        for (var item = this; item is not null; item = item.Repeat) item.TrySetException(fault);
    }
}

/// <summary>Records that are processed and committed together; an id is in it once.</summary>
internal sealed class Batch(int max)
{
    private readonly Dictionary<(string Topic, string Id), InFlight> _byId = [];

    /// <summary>Those that go through the topology before their commit.</summary>
    public List<InFlight> Items { get; } = new(max);

    /// <summary>Those that count once the log has taken them.</summary>
    public List<InFlight> Deferred { get; } = [];

    /// <summary>Those that were given up: their letters are committed with the batch before their callers hear of it.</summary>
    public List<(InFlight Item, DeadLetter Letter)> GivenUp { get; } = [];

    public int Count => Items.Count + Deferred.Count;
    public bool IsFull => Count >= max;

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
        (item.Input.IsDeferred ? Deferred : Items).Add(item);
        return true;
    }

    /// <summary>Answers those that were recorded before, and takes them out.</summary>
    public void AnswerRecorded(IRecordedAnswers recorded)
    {
        Items.RemoveAll(IsRecorded);
        Deferred.RemoveAll(IsRecorded);

        bool IsRecorded(InFlight item)
        {
            if (!recorded.TryFind(item.Input, out var answer)) return false;
            item.Complete(answer);
            return true;
        }
    }

    public void GiveUp(int index, DeadLetter letter)
    {
        GivenUp.Add((Items[index], letter));
        Items.RemoveAt(index);
    }

    /// <param name="answers">Of <see cref="Items"/>, then of <see cref="Deferred"/>.</param>
    public void Complete(IReadOnlyList<object?> answers)
    {
        for (var i = 0; i < Items.Count; i++) Items[i].Complete(answers[i]);
        for (var i = 0; i < Deferred.Count; i++) Deferred[i].Complete(answers[Items.Count + i]);
        foreach (var (item, letter) in GivenUp) item.Fail(new DeadLetterException(letter));
    }

    public void Fail(Exception fault)
    {
        foreach (var item in Items) item.Fail(fault);
        foreach (var item in Deferred) item.Fail(fault);
        foreach (var (item, _) in GivenUp) item.Fail(fault);
    }

    public void Clear()
    {
        Items.Clear();
        Deferred.Clear();
        GivenUp.Clear();
        _byId.Clear();
    }
}
