using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Processing.Records;
using Promotions.Streams;
using Promotions.Streams.Embedded;

namespace Promotions.Benchmarks.Pipeline;

/// <summary>A ledger that says yes at once to what was proposed and keeps nothing; outcomes come back as the log's bytes.</summary>
internal sealed class YesLog : IRecordLog
{
    private static readonly object Yes = new();
    private readonly List<LogEntry> _followUps = [];
    private object?[] _answers = [];

    public long LastPosition { get; private set; }
    public IReadOnlyList<LogEntry> Read(long afterPosition, int max) => [];

    public Task<LogReceipt> CommitAsync(ProcessedBatch batch, CancellationToken cancellationToken)
    {
        _followUps.Clear();
        if (_answers.Length != batch.Records.Count)
        {
            _answers = new object?[batch.Records.Count];
            Array.Fill(_answers, Yes);
        }

        LastPosition += batch.Records.Count;
        for (var i = 0; i < batch.Records.Count; i++)
        {
            var proposal = (DecisionProposal)batch.OutputsOf(i)[0].Value!;
            _followUps.Add(new(++LastPosition, Topics.Outcomes, proposal.Request.Id, OutcomeOf(proposal), proposal.Request.At, 0, 0));
        }

        return Task.FromResult(new LogReceipt(LastPosition, _answers, _followUps));
    }

    public static byte[] OutcomeOf(DecisionProposal proposal) => RecordCodec.Encode(new RedemptionOutcome(
        proposal.Request.Id, AttemptKind.Redemption, proposal.Proposed, "", false, proposal.Priced.Discount, proposal.Request.At, proposal.Entities));
}

/// <summary>Adds up what the driver's stages took.</summary>
internal sealed class StageTimes : IDriverObserver
{
    private readonly Dictionary<string, TimeSpan> _totals = [];

    /// <summary>Slowest process + fold of one batch since the last <see cref="Forget"/>.</summary>
    public TimeSpan Worst { get; private set; }
    public Exception? Fault { get; private set; }
    public int Checkpoints { get; private set; }
    private TimeSpan _processed;

    public TimeSpan Total(string stage) => _totals.GetValueOrDefault(stage);

    public void Forget()
    {
        _totals.Clear();
        (Worst, Checkpoints) = (default, 0);
    }

    public void Replayed(long position, long lastPosition) { }

    public void Stage(string stage, TimeSpan took, int records)
    {
        _totals[stage] = Total(stage) + took;
        if (stage == "process") _processed = took;
        if (stage == "fold" && _processed + took > Worst) Worst = _processed + took;
        if (stage == "checkpoint") Checkpoints++;
    }

    public void DeadLettered(DeadLetter letter) => Fault ??= new InvalidDataException(letter.Reason);
    public void Faulted(string what, Exception fault) => Fault ??= fault;
}
