using Promotions.Streams.Embedded;

namespace Promotions.Streams.Tests.Embedded;

/// <summary>A log that outlives drivers, and fails when told. Amounts above 5 give rise to an outcome of 100 at the same key.</summary>
internal sealed class MemoryLog : IRecordLog, IRecordedAnswers
{
    private readonly Lock _gate = new();
    private readonly List<LogEntry> _entries = [];

    public Func<Task>? BeforeAppend { get; set; }
    public Func<Task>? AfterAppend { get; set; }
    public List<int> BatchSizes { get; } = [];
    public IReadOnlyList<SinkOutput> LastOutputs { get; private set; } = [];

    public IReadOnlyList<LogEntry> Entries
    {
        get { lock (_gate) return [.. _entries]; }
    }

    public long LastPosition
    {
        get { lock (_gate) return _entries.Count; }
    }

    public IReadOnlyList<LogEntry> Read(long afterPosition, int max)
    {
        lock (_gate) return [.. _entries.Skip((int)afterPosition).Take(max)];
    }

    public async Task<LogReceipt> CommitAsync(ProcessedBatch batch, CancellationToken cancellationToken)
    {
        if (BeforeAppend is { } before) await before();
        LogReceipt receipt;
        lock (_gate)
        {
            BatchSizes.Add(batch.Records.Count);
            var answers = new List<object?>();
            var followUps = new List<LogEntry>();
            for (var i = 0; i < batch.Records.Count; i++)
            {
                var (input, hash, _, _) = batch.Records[i];
                if (input.IsDeferred && new AdditionCodec().Decode(input.Value.Span).Amount == Addition.Refused)
                {
                    answers.Add(null);
                    continue;
                }

                LastOutputs = [.. batch.OutputsOf(i)];
                var entry = new LogEntry(_entries.Count + 1, input.Topic, input.Id, input.Value, input.At, hash, batch.LayoutHash);
                _entries.Add(entry);
                if (input.IsDeferred) followUps.Add(entry);
                answers.Add((long)_entries.Count);
            }

            foreach (var (input, _, _, _) in batch.Records)
            {
                if (input.Topic != "additions" || input.IsDeferred) continue;
                var addition = new AdditionCodec().Decode(input.Value.Span);
                if (addition.Amount <= 5) continue;
                var entry = new LogEntry(_entries.Count + 1, "outcomes", "o-" + input.Id, (addition with { Amount = 100 }).ToBytes(), input.At, 0, batch.LayoutHash);
                _entries.Add(entry);
                followUps.Add(entry);
            }

            receipt = new(_entries.Count, answers, followUps);
        }

        if (AfterAppend is { } after) await after();
        return receipt;
    }

    public bool TryFind(InputRecord record, out object? answer)
    {
        lock (_gate)
        {
            var found = _entries.Find(e => e.Topic == record.Topic && e.Id == record.Id);
            answer = found?.Position;
            return found is not null;
        }
    }

    /// <summary>Replaces what was recorded: as if the log had been written by code that made other state of it.</summary>
    public void Tamper(int index, Func<LogEntry, LogEntry> change)
    {
        lock (_gate) _entries[index] = change(_entries[index]);
    }

    /// <summary>The naive fold: sums by key.</summary>
    public Dictionary<int, long> Totals()
    {
        var totals = new Dictionary<int, long>();
        foreach (var entry in Entries)
        {
            var addition = new AdditionCodec().Decode(entry.Value.Span);
            totals[addition.Key] = totals.GetValueOrDefault(addition.Key) + addition.Amount;
        }

        return totals;
    }
}

internal sealed class QuietObserver : IDriverObserver
{
    public List<(long Position, long Last)> Replays { get; } = [];
    public List<DeadLetter> DeadLetters { get; } = [];
    public int Checkpoints { get; private set; }
    public void Replayed(long position, long lastPosition) => Replays.Add((position, lastPosition));
    public void Stage(string stage, TimeSpan took, int records) => Checkpoints += stage == "checkpoint" ? 1 : 0;
    public void DeadLettered(DeadLetter letter) => DeadLetters.Add(letter);
    public void Faulted(string what, Exception fault) { }
}
