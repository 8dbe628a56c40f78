using System.Runtime.InteropServices;
using Promotions.Domain;

namespace Promotions.Streams.Embedded;

/// <summary>A record as it comes in.</summary>
/// <param name="Id">The caller's, kept across retries: the same topic and id is the same record.</param>
public sealed record InputRecord(string Topic, string Id, ReadOnlyMemory<byte> Value, EventTime At)
{
    /// <summary>It counts only once the log has taken it: committed with the batch, then folded as a follow-up. For feedback, which the ledger may refuse.</summary>
    public bool IsDeferred { get; init; }

    /// <summary>When intake took it, by the <see cref="TimeProvider"/>'s timestamp: for latencies told to observers.</summary>
    public long AcceptedTimestamp { get; init; }
}

/// <summary>A record that waits for its commit.</summary>
/// <param name="StateHash">What it made of state; 0 for nothing to compare.</param>
/// <param name="FirstOutput">Of the batch's outputs: what left through sinks for this record, the effects to make durable with it.</param>
public readonly record struct ProcessedRecord(InputRecord Input, ulong StateHash, int FirstOutput, int OutputCount);

/// <summary>Records that are committed together: first those that went through the topology, then the deferred ones, each in order of arrival.</summary>
/// <param name="layoutHash">The layout that the records' hashes belong to.</param>
public sealed class ProcessedBatch(ulong layoutHash)
{
    private readonly List<ProcessedRecord> _records = [];
    private readonly List<SinkOutput> _outputs = [];

    public ulong LayoutHash => layoutHash;

    public IReadOnlyList<ProcessedRecord> Records => _records;

    /// <summary>Good until the commit ends.</summary>
    public ReadOnlySpan<SinkOutput> OutputsOf(int record) =>
        CollectionsMarshal.AsSpan(_outputs).Slice(_records[record].FirstOutput, _records[record].OutputCount);

    internal List<SinkOutput> Outputs => _outputs;
    internal void Add(InputRecord input, ulong stateHash, int firstOutput) => _records.Add(new(input, stateHash, firstOutput, _outputs.Count - firstOutput));

    internal void Clear()
    {
        _records.Clear();
        _outputs.Clear();
    }
}

/// <summary>A record of the log.</summary>
/// <param name="LayoutHash">0 where the log does not know it: the hash is then not compared.</param>
public sealed record LogEntry(long Position, string Topic, string Id, ReadOnlyMemory<byte> Value, EventTime At, ulong StateHash, ulong LayoutHash);

/// <param name="LastPosition">Of the batch and its follow-ups.</param>
/// <param name="Answers">One per record of the batch, in order.</param>
/// <param name="FollowUps">What is to be folded now, in the order of the log: deferred records that the log took, and records that the commit itself gave rise to (outcomes).</param>
public sealed record LogReceipt(long LastPosition, IReadOnlyList<object?> Answers, IReadOnlyList<LogEntry> FollowUps);

/// <summary>The total order of accepted records, durable with their effects. The ledger is one.</summary>
public interface IRecordLog
{
    /// <summary>0 for an empty log.</summary>
    long LastPosition { get; }

    /// <summary>Records behind <paramref name="afterPosition"/> in order; empty at the end.</summary>
    IReadOnlyList<LogEntry> Read(long afterPosition, int max);

    /// <summary>Appends the records of the batch in order. Durable when it returns.</summary>
    /// <remarks>What is not deferred is appended whatever its answer: state has seen it. A deferred record is appended, and among the follow-ups, only where it is accepted
    /// for the first time. A refusal is an answer. Where effects must be worked out again (a campaign changed since it was priced), this is done inside this call, from the
    /// record's outputs: the records were observed once, and are appended once.</remarks>
    /// <exception cref="Exception">Nothing was committed, or it is unknown whether: the driver rolls back to the log.</exception>
    Task<LogReceipt> CommitAsync(ProcessedBatch batch, CancellationToken cancellationToken);
}

/// <summary>Asked before a record is processed, so that a repeated one changes no state and no log. Not needed where intake asks by itself.</summary>
public interface IRecordedAnswers
{
    bool TryFind(InputRecord record, out object? answer);
}

/// <summary>Told what the driver does, on its thread. Must not block or throw.</summary>
public interface IDriverObserver
{
    void Replayed(long position, long lastPosition);

    /// <param name="stage"><c>process</c>, <c>commit</c>, <c>fold</c> or <c>checkpoint</c>; once per batch.</param>
    void Stage(string stage, TimeSpan took, int records);

    void DeadLettered(DeadLetter letter);
    void Faulted(string what, Exception fault);
}

/// <summary>Bounds of the embedded driver.</summary>
/// <param name="QueueMax">Records that may wait; beyond it callers wait. Unit: records. Range: 1 to 1,000,000. Default 4,096.</param>
/// <param name="BatchMax">Records committed together. Unit: records. Range: 1 to 65,536. Default 256. A batch is what waits at that moment: nothing lingers to fill it.</param>
/// <param name="CheckpointEvery">Time between checkpoints: what a restart replays. Range: 10 ms to 1 h. Default 5 s.</param>
/// <param name="LayoutHash">Of everything that gives stored state its meaning; not 0. Another one rebuilds state from the log.</param>
public sealed record EmbeddedDriverOptions(ulong LayoutHash, int QueueMax = 4_096, int BatchMax = 256, TimeSpan? CheckpointEvery = null)
{
    public TimeSpan CheckpointInterval => CheckpointEvery ?? TimeSpan.FromSeconds(5);

    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public EmbeddedDriverOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfZero(LayoutHash);
        Within(QueueMax, 1, 1_000_000, nameof(QueueMax));
        Within(BatchMax, 1, 65_536, nameof(BatchMax));
        Within(CheckpointInterval.TotalMilliseconds, 10, 3_600_000, nameof(CheckpointEvery));
        return this;
    }

    private static void Within(double value, double min, double max, string name)
    {
        if (!(value >= min && value <= max)) throw new ArgumentOutOfRangeException(name, value, $"Must be from {min} to {max}.");
    }
}

/// <summary>The record was given up; nothing of it is in state or log.</summary>
public sealed class DeadLetterException : Exception
{
    public DeadLetterException() { }
    public DeadLetterException(string message) : base(message) { }
    public DeadLetterException(string message, Exception innerException) : base(message, innerException) { }
    public DeadLetterException(DeadLetter letter) : base($"Dead letter: {letter.Reason}") => Letter = letter;
    public DeadLetter? Letter { get; }
}

/// <summary>The driver takes nothing more, or the effect of the record is unknown: retry with the same id.</summary>
public sealed class DriverFaultException : Exception
{
    public DriverFaultException() { }
    public DriverFaultException(string message) : base(message) { }
    public DriverFaultException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>State and log disagree: deciding on this state would be deciding on something else than was recorded.</summary>
public sealed class ReplayMismatchException : Exception
{
    public ReplayMismatchException() { }
    public ReplayMismatchException(string message) : base(message) { }
    public ReplayMismatchException(string message, Exception innerException) : base(message, innerException) { }
}
