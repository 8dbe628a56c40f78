using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Ledger.Booking;

namespace Promotions.Processing;

/// <summary>What a gateway answers from the ledger, whatever driver decides: recorded answers, dry runs, qualifications. Safe from any thread.</summary>
public sealed class LedgerAnswers(ILedger ledger, TimeProvider time)
{
    /// <summary>The first rung of the ladder, asked before the pipeline is: a retry is answered without being observed again.</summary>
    /// <returns>Null where nothing is recorded under the id.</returns>
    public async ValueTask<LedgerOutcome?> RecordedAsync(RedemptionRequest request, CancellationToken cancellationToken)
    {
        if (await ledger.Reader.FindDecisionAsync(request.Id, cancellationToken).ConfigureAwait(false) is not { } decision) return null;
        return decision.Proposal.Request.RequestHash.Span.SequenceEqual(request.RequestHash.Span)
            ? new(decision.Position, LedgerRefusal.None, true, decision, null)
            : new(decision.Position, LedgerRefusal.SameIdDifferentContent, false, null, $"Redemption '{request.Id}' was recorded with other content.");
    }

    /// <summary>What would have happened: limits and balances as they stand, nothing booked.</summary>
    public LedgerOutcome DryRun(DecisionProposal proposal)
    {
        var status = proposal.Proposed;
        var refusal = proposal.Refusal;
        if (status is RedemptionStatus.Approved or RedemptionStatus.Review && LimitRefusal(proposal) is var limit and not RefusalCode.None) (status, refusal) = (RedemptionStatus.Rejected, limit);
        return new(0, LedgerRefusal.None, false, new Decision(0, proposal, status, refusal, HoldState.None, null, EventTime.Now(time)), null);
    }

    /// <summary>What this cart can use. Arms are logged before the answer: the first log entry of an arm wins over a later change of share.</summary>
    public async Task<Qualification> QualifyAsync(RedemptionRequest request, CancellationToken cancellationToken)
    {
        var found = PromotionEngine.Qualify(request.Channel, request.Customer.Id, request.Cart, ledger.Campaigns, request.At, LimitsLeft);
        if (found.Arms.Count > 0)
            await ledger.ExecuteAsync(new LogTrigger("trigger:" + request.Id, new("api_key", request.ApiKeyId), request.At, found.Arms), Lane.Decision, cancellationToken).ConfigureAwait(false);

        return new(
            [.. found.Offers.Select(o => new QualifiedOffer(o.Campaign.Id, o.Coupon?.Code, o.Campaign.Name, o.Discount, o.Total, new(o.Left.CampaignUses, o.Left.BudgetMinorUnits, o.Left.CustomerUses, o.Left.CouponUses)))],
            [
                .. found.Shortfalls.Select(s => new NearMiss(s.Campaign.Id, s.Coupon?.Code, s.Campaign.Name, RefusalCode.SpendBelowMinimum, s.Missing)),
                .. found.Unusable.Select(u => new NearMiss(u.Campaign.Id, u.Coupon.Code, u.Campaign.Name, u.Refusal, 0)),
            ]);
    }

    /// <summary>The decision that a label is about: its entities are the label's.</summary>
    public Decision? FindJudged(LabelRecorded label) => ledger.Reader.FindDecision(label.RedemptionId);

    private RefusalCode LimitRefusal(DecisionProposal proposal)
    {
        var customer = proposal.Request.Customer.Id;
        foreach (var redeemable in proposal.Priced.Redeemables)
        {
            if (redeemable.CampaignId is { } campaign)
            {
                var left = ledger.Reader.RemainingLimits(campaign, redeemable.Coupon?.Code, customer);
                if (left.CouponUses <= 0) return RefusalCode.CouponUsesExhausted;
                if (left.CampaignUses <= 0) return RefusalCode.CampaignUsesExhausted;
                if (left.CustomerUses <= 0) return RefusalCode.CustomerUsesExhausted;
                if (left.BudgetMinorUnits < redeemable.Discount) return RefusalCode.BudgetExhausted;
            }
            else if (redeemable.Tender > AvailableOf(customer, redeemable.Redeemable.Type, proposal.Request.Cart.Currency))
            {
                return RefusalCode.InsufficientBalance;
            }
        }

        return RefusalCode.None;
    }

    private long AvailableOf(string customer, RedeemableType type, string currency) => AccountKey.Paying(type, customer, currency) is { } account
        ? ledger.Reader.BalancesOf(customer).FirstOrDefault(balance => balance.Segment == account.Member && balance.Unit == account.Unit)?.Available ?? 0
        : 0;

    private LimitsLeft LimitsLeft(string campaignId, string? code, string customerId)
    {
        var left = ledger.Reader.RemainingLimits(campaignId, code, customerId);
        return new(left.CampaignUses, left.BudgetMinorUnits, left.CustomerUses, left.CouponUses);
    }
}
