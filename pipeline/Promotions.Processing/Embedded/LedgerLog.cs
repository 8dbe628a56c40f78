using System.Runtime.InteropServices;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
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
    private const int RepricedMax = 100;
    private readonly List<LogAppend> _appends = [];
    private readonly List<Attempt> _attempts = [];

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
        for (var i = 0; i < batch.Records.Count; i++)
        {
            var (input, hash, _, _) = batch.Records[i];
            if (input.Topic == Topics.Requests) _attempts.Add(new(i, input, ProposalOf(batch, i)));
            _appends.Add(new(input.Topic, input.Id, input.Value, input.At, hash, CommandOf(batch, i)) { AppendAlways = !input.IsDeferred });
        }

        var receipt = await ledger.CommitAsync(_appends, outcomes => OutcomesOf(_attempts, outcomes), cancellationToken).ConfigureAwait(false);
        var answers = new object?[batch.Records.Count];
        var followUps = new List<LogEntry>(receipt.FollowUps.Count);
        for (var i = 0; i < answers.Length; i++)
        {
            answers[i] = receipt.Outcomes[i];
            if (batch.Records[i].Input is { IsDeferred: true } input && receipt.Outcomes[i] is { Accepted: true, Repeated: false } taken)
                followUps.Add(new(taken.Position, input.Topic, input.Id, input.Value, input.At, 0, 0));
        }

        foreach (var outcome in receipt.FollowUps) followUps.Add(ToEntry(outcome));
        var last = receipt.LastPosition;
        for (var round = 0; Stale(answers) is { Count: > 0 } stale; round++)
        {
            if (round == RepricedMax) throw new LedgerFaultException($"A campaign changed {RepricedMax} times while one batch was priced.");
            last = await RepriceAsync(stale, answers, followUps, cancellationToken).ConfigureAwait(false);
        }

        Tell(answers);
        return new(last, answers, followUps);
    }

    /// <summary>A campaign changed between price and commit. The attempt was observed and logged; only its decision is made again, on the campaign as it is now.</summary>
    private async Task<long> RepriceAsync(List<Attempt> stale, object?[] answers, List<LogEntry> followUps, CancellationToken cancellationToken)
    {
        var again = stale.ConvertAll(one => one with
        {
            Proposal = Decide.Propose(decider, one.Proposal.Request, one.Proposal.Entities, VectorOf(one.Proposal), one.Proposal.Risk.LateMask, inputs()),
        });
        var appends = again.ConvertAll(one => new LogAppend(Topics.Repriced, one.Input.Id, one.Input.Value, one.Input.At, 0, CommandOf(one.Proposal)) { AppendAlways = true });
        var receipt = await ledger.CommitAsync(appends, outcomes => OutcomesOf(again, outcomes, positions: false), cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < again.Count; i++)
        {
            answers[again[i].Index] = receipt.Outcomes[i];
            _attempts[_attempts.FindIndex(attempt => attempt.Index == again[i].Index)] = again[i];
        }

        foreach (var outcome in receipt.FollowUps) followUps.Add(ToEntry(outcome));
        return receipt.LastPosition;
    }

    private List<Attempt> Stale(object?[] answers) => _attempts.FindAll(attempt => answers[attempt.Index] is LedgerOutcome { Refusal: LedgerRefusal.StaleCampaign });

    /// <summary>A validation has no decision in the ledger: what was proposed is its answer.</summary>
    private void Tell(object?[] answers)
    {
        foreach (var attempt in _attempts)
        {
            if (attempt.Proposal.Request.Kind is AttemptKind.Validation) answers[attempt.Index] = attempt.Proposal;
            else if (answers[attempt.Index] is LedgerOutcome { Decision: { } decision } outcome)
                observer.Decided(decision, outcome.Repeated, time.GetElapsedTime(attempt.Input.AcceptedTimestamp));
        }
    }

    private LedgerCommand? CommandOf(ProcessedBatch batch, int record)
    {
        var input = batch.Records[record].Input;
        return input.Topic == Topics.Requests ? CommandOf(ProposalOf(batch, record)) : FeedbackCommands.Of(input, earning);
    }

    /// <summary>A validation books nothing: it is observed, and its arms are logged.</summary>
    private static LedgerCommand? CommandOf(DecisionProposal proposal)
    {
        var request = proposal.Request;
        var actor = new Actor("api_key", request.ApiKeyId);
        return request.Kind is AttemptKind.Redemption ? new DecideRedemption(actor, request.At, proposal)
            : proposal.Arms.Count > 0 ? new LogTrigger("trigger:" + request.Id, actor, request.At, proposal.Arms)
            : null;
    }

    private static DecisionProposal ProposalOf(ProcessedBatch batch, int record) =>
        batch.OutputsOf(record) is [{ Value: DecisionProposal proposal }]
            ? proposal
            : throw new InvalidOperationException($"Request '{batch.Records[record].Input.Id}' left the topology without a decision.");

    private static float[] VectorOf(DecisionProposal proposal) =>
        MemoryMarshal.TryGetArray(proposal.Risk.Vector, out var vector) && vector is { Offset: 0 } && vector.Array!.Length == vector.Count ? vector.Array : proposal.Risk.Vector.ToArray();

    /// <summary>What the features will count of this batch's attempts: one outcome for each that was decided now.</summary>
    private static List<LogAppend> OutcomesOf(List<Attempt> attempts, IReadOnlyList<LedgerOutcome?> outcomes, bool positions = true)
    {
        var appends = new List<LogAppend>(attempts.Count);
        for (var i = 0; i < attempts.Count; i++)
        {
            if (OutcomeOf(attempts[i].Proposal, outcomes[positions ? attempts[i].Index : i]) is not { } outcome) continue;
            appends.Add(new(Topics.Outcomes, outcome.RedemptionId, RecordCodec.Encode(outcome), outcome.At, 0, null) { AppendAlways = true });
        }

        return appends;
    }

    private static RedemptionOutcome? OutcomeOf(DecisionProposal proposal, LedgerOutcome? outcome)
    {
        var request = proposal.Request;
        var invalidCode = false;
        foreach (var redeemable in proposal.Priced.Redeemables) invalidCode |= redeemable.UnknownCode;
        if (request.Kind is AttemptKind.Validation)
            return new(request.Id, request.Kind, proposal.Proposed, proposal.Refusal.ToString(), invalidCode, proposal.Priced.Discount, request.At, proposal.Entities);
        return outcome is { Accepted: true, Repeated: false, Decision: { } decision }
            ? new(request.Id, request.Kind, decision.Status, decision.Refusal.ToString(), invalidCode, proposal.Priced.Discount, request.At, proposal.Entities)
            : null;
    }

    private LogEntry ToEntry(LogRecord record) => new(
        record.Position, record.Topic, record.Key, record.Value, record.At, record.StateHash, record.Position > layoutSince ? RedemptionTopology.LayoutHash : 0);

    /// <param name="Index">In the batch.</param>
    private readonly record struct Attempt(int Index, InputRecord Input, DecisionProposal Proposal);
}

/// <summary>Told of what the driver does and of each decision, on the driver's thread, for metrics and the live page. Must not block or throw.</summary>
public interface IRedemptionObserver : IDriverObserver
{
    void Decided(Decision decision, bool repeated, TimeSpan sinceAccepted);
}
