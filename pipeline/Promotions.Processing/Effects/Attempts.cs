using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;

namespace Promotions.Processing.Effects;

/// <summary>What becomes of a proposal: the command that books it, and the outcome that features count.</summary>
public static class Attempts
{
    /// <returns>Null where there is nothing to record: a validation books nothing, it is observed, and its arms are logged.</returns>
    public static LedgerCommand? CommandOf(DecisionProposal proposal)
    {
        var request = proposal.Request;
        var actor = new Actor("api_key", request.ApiKeyId);
        return request.Kind is AttemptKind.Redemption ? new DecideRedemption(actor, request.At, proposal)
            : proposal.Arms.Count > 0 ? new LogTrigger("trigger:" + request.Id, actor, request.At, proposal.Arms)
            : null;
    }

    /// <summary>Of an attempt that was decided now.</summary>
    /// <returns>Null where the ledger decided nothing, or had decided it before.</returns>
    public static RedemptionOutcome? OutcomeOf(DecisionProposal proposal, LedgerOutcome? outcome) =>
        outcome is { Repeated: true } && proposal.Request.Kind is AttemptKind.Redemption ? null : RecordedOutcomeOf(proposal, outcome);

    /// <summary>Of an attempt that was decided now or before; the same whenever it is asked for, since the recorded decision speaks where there is one.</summary>
    /// <returns>Null where the ledger decided nothing.</returns>
    public static RedemptionOutcome? RecordedOutcomeOf(DecisionProposal proposal, LedgerOutcome? outcome)
    {
        if (proposal.Request.Kind is AttemptKind.Validation) return Outcome(proposal, proposal.Proposed, proposal.Refusal);
        return outcome is { Accepted: true, Decision: { } decision } ? Outcome(decision.Proposal, decision.Status, decision.Refusal) : null;
    }

    private static RedemptionOutcome Outcome(DecisionProposal proposal, RedemptionStatus status, Domain.Campaigns.RefusalCode refusal)
    {
        var request = proposal.Request;
        var invalidCode = false;
        foreach (var redeemable in proposal.Priced.Redeemables) invalidCode |= redeemable.UnknownCode;
        return new(request.Id, request.Kind, status, refusal.ToString(), invalidCode, proposal.Priced.Discount, request.At, proposal.Entities);
    }
}
