using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Processing.Effects;
using Promotions.Processing.Records;
using Promotions.Processing.Topologies;
using Promotions.Streams.Embedded;

namespace Promotions.Processing.Embedded;

/// <summary>The ledger as the embedded driver's log: what the topology proposes and what checkout reports become commands of one durable batch.</summary>
/// <param name="decider">For decisions that have to be made again: not the topology's own.</param>
/// <param name="layoutSince">Log position up to which hashes were made under an earlier layout, and are not compared; 0 when there was none.</param>
public sealed class LedgerLog(
    ILedger ledger, Decider decider, Func<DecisionInputs> inputs, EarningRule earning, IRedemptionObserver observer, TimeProvider time, long layoutSince) : IRecordLog
{
    private readonly Repricer _repricer = new(decider, inputs);
    private readonly List<LogAppend> _appends = [];
    private readonly List<Attempt> _attempts = [];
    private readonly List<DecisionProposal> _proposals = [];        // of the attempts
    private readonly List<LedgerOutcome?> _decided = [];            // of the attempts

    public long LastPosition => ledger.Reader.LastLogPosition;

    public IReadOnlyList<LogEntry> Read(long afterPosition, int max)
    {
        var page = ledger.Reader.ReadLog(afterPosition, max);
        var entries = new LogEntry[page.Count];
        for (var i = 0; i < entries.Length; i++) entries[i] = ToEntry(page[i]);
        return entries;
    }

    public async Task<LogReceipt> CommitAsync(ProcessedBatch batch, CancellationToken cancellationToken)
    {
        _appends.Clear();
        _attempts.Clear();
        _proposals.Clear();
        for (var i = 0; i < batch.Records.Count; i++)
        {
            var (input, hash, _, _) = batch.Records[i];
            LedgerCommand? command;
            if (input.Topic == Topics.Requests)
            {
                var proposal = ProposalOf(batch, i);
                _attempts.Add(new(i, input));
                _proposals.Add(proposal);
                command = Attempts.CommandOf(proposal);
            }
            else command = ReportCommands.Of(input.Topic, input.Value.Span, earning);

            _appends.Add(new(input.Topic, input.Id, input.Value, input.At, hash, command) { AppendAlways = !input.IsDeferred });
        }

        var receipt = await ledger.CommitAsync(_appends, outcomes => OutcomesOf(_attempts.Select((attempt, i) => (_proposals[i], outcomes[attempt.Index]))), cancellationToken).ConfigureAwait(false);
        var answers = new object?[batch.Records.Count];
        var followUps = new List<LogEntry>(receipt.FollowUps.Count);
        for (var i = 0; i < answers.Length; i++)
        {
            answers[i] = receipt.Outcomes[i];
            if (batch.Records[i].Input is { IsDeferred: true } input && receipt.Outcomes[i] is { Accepted: true, Repeated: false } taken)
                followUps.Add(new(taken.Position, input.Topic, input.Id, input.Value, input.At, 0, 0));
        }

        foreach (var outcome in receipt.FollowUps) followUps.Add(ToEntry(outcome));
        _decided.Clear();
        foreach (var attempt in _attempts) _decided.Add(receipt.Outcomes[attempt.Index]);
        var last = receipt.LastPosition;
        await _repricer.RunAsync(_proposals, _decided, async stale =>
        {
            var again = await CommitAgainAsync(stale, cancellationToken).ConfigureAwait(false);
            foreach (var outcome in again.FollowUps) followUps.Add(ToEntry(outcome));
            last = again.LastPosition;
            return again.Outcomes;
        }).ConfigureAwait(false);

        Answer(answers);
        return new(last, answers, followUps);
    }

    /// <summary>The attempts were observed and logged: what is decided again is logged where no replay observes it.</summary>
    private Task<CommitReceipt> CommitAgainAsync(IReadOnlyList<int> stale, CancellationToken cancellationToken)
    {
        var appends = new LogAppend[stale.Count];
        for (var i = 0; i < appends.Length; i++)
        {
            var input = _attempts[stale[i]].Input;
            appends[i] = new(Topics.Repriced, input.Id, input.Value, input.At, 0, Attempts.CommandOf(_proposals[stale[i]])) { AppendAlways = true };
        }

        return ledger.CommitAsync(appends, outcomes => OutcomesOf(stale.Select((index, i) => (_proposals[index], outcomes[i]))), cancellationToken);
    }

    /// <summary>A validation has no decision in the ledger: what was proposed is its answer.</summary>
    private void Answer(object?[] answers)
    {
        for (var i = 0; i < _attempts.Count; i++)
        {
            var (index, input) = _attempts[i];
            answers[index] = _proposals[i].Request.Kind is AttemptKind.Validation ? _proposals[i] : _decided[i];
            if (answers[index] is LedgerOutcome { Decision: { } decision } outcome) observer.Decided(decision, outcome.Repeated, time.GetElapsedTime(input.AcceptedTimestamp));
        }
    }

    private static DecisionProposal ProposalOf(ProcessedBatch batch, int record) =>
        batch.OutputsOf(record) is [{ Value: DecisionProposal proposal }]
            ? proposal
            : throw new InvalidOperationException($"Request '{batch.Records[record].Input.Id}' left the topology without a decision.");

    /// <summary>What the features will count of this batch's attempts: one outcome for each that was decided now.</summary>
    private static List<LogAppend> OutcomesOf(IEnumerable<(DecisionProposal Proposal, LedgerOutcome? Outcome)> decided)
    {
        var appends = new List<LogAppend>();
        foreach (var (proposal, answer) in decided)
            if (Attempts.OutcomeOf(proposal, answer) is { } outcome)
                appends.Add(new(Topics.Outcomes, outcome.RedemptionId, RecordCodec.Encode(outcome), outcome.At, 0, null) { AppendAlways = true });
        return appends;
    }

    private LogEntry ToEntry(LogRecord record) => new(
        record.Position, record.Topic, record.Key, record.Value, record.At, record.StateHash, record.Position > layoutSince ? RedemptionTopology.LayoutHash : 0);

    /// <param name="Index">In the batch.</param>
    private readonly record struct Attempt(int Index, InputRecord Input);
}

/// <summary>Told of what the driver does and of each decision, on the driver's thread, for metrics and the live page. Must not block or throw.</summary>
public interface IRedemptionObserver : IDriverObserver
{
    void Decided(Decision decision, bool repeated, TimeSpan sinceAccepted);
}
