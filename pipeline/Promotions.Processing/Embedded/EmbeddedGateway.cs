using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Processing.Records;

namespace Promotions.Processing.Embedded;

/// <summary>Checkout's door to the embedded pipeline.</summary>
/// <param name="earning">Points for an order, or none; settings of the shop.</param>
public sealed class EmbeddedGateway(EmbeddedPipeline pipeline, ILedger ledger, EarningRule earning, TimeProvider time) : IRedemptionGateway
{
    public async Task<LedgerOutcome> RedeemAsync(RedemptionRequest request, CancellationToken cancellationToken)
    {
        if (request.Kind is AttemptKind.Redemption && RecordedAnswer(request) is { } recorded) return recorded;
        var item = new AttemptItem(request, time.GetTimestamp());
        var outcome = await pipeline.SubmitAsync(item, cancellationToken).ConfigureAwait(false);
        return request.Kind is AttemptKind.Validation ? DryRun(item) : outcome;
    }

    public async Task<Qualification> QualifyAsync(RedemptionRequest request, CancellationToken cancellationToken)
    {
        var found = PromotionEngine.Qualify(request.Channel, request.Customer.Id, request.Cart, ledger.Campaigns, request.At, LimitsLeft);
        if (found.Arms.Count > 0)
        {
            // Logged before the answer: the first log entry of an arm wins over a later change of share.
            await ledger.ExecuteAsync(new LogTrigger("trigger:" + request.Id, ActorOf(request.ApiKeyId), request.At, found.Arms), Lane.Decision, cancellationToken).ConfigureAwait(false);
        }

        return new(
            [.. found.Offers.Select(o => new QualifiedOffer(o.Campaign.Id, o.Coupon?.Code, o.Campaign.Name, o.Discount, o.Total, new(o.Left.CampaignUses, o.Left.BudgetMinorUnits, o.Left.CustomerUses, o.Left.CouponUses)))],
            [
                .. found.Shortfalls.Select(s => new NearMiss(s.Campaign.Id, s.Coupon?.Code, s.Campaign.Name, RefusalCode.SpendBelowMinimum, s.Missing)),
                .. found.Unusable.Select(u => new NearMiss(u.Campaign.Id, u.Coupon.Code, u.Campaign.Name, u.Refusal, 0)),
            ]);
    }

    public Task<LedgerOutcome> CaptureAsync(CaptureRequested request, CancellationToken cancellationToken) => SubmitAsync(
        Topics.Captures, new CaptureHold("capture:" + request.RedemptionId, ActorOf(request.ApiKeyId), request.At, request.RedemptionId), RecordCodec.Encode(request), request, cancellationToken);

    public Task<LedgerOutcome> VoidAsync(VoidRequested request, CancellationToken cancellationToken) => SubmitAsync(
        Topics.Voids, new VoidHold("void:" + request.RedemptionId, ActorOf(request.ApiKeyId), request.At, request.RedemptionId, request.Reason), RecordCodec.Encode(request), request, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(OrderPlaced order, CancellationToken cancellationToken) => SubmitAsync(
        Topics.Orders, new RecordOrder(ActorOf(order.ApiKeyId), order, earning.PointsFor(order), earning.ExpiryFor(order)), RecordCodec.Encode(order), order, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(OrderReturned returned, CancellationToken cancellationToken) => SubmitAsync(
        Topics.Returns, new RecordReturn(Actor.System, returned), RecordCodec.Encode(returned), returned, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(EngagementRecorded engagement, CancellationToken cancellationToken) => SubmitAsync(
        Topics.Engagements, new RecordEngagement(ActorOf(engagement.ApiKeyId), engagement), RecordCodec.Encode(engagement), engagement, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(LabelRecorded label, CancellationToken cancellationToken)
    {
        var entities = ledger.Reader.FindDecision(label.RedemptionId)?.Proposal.Entities ?? label.Entities;      // a label is about the entities of the attempt that it judges
        var full = label with { Entities = entities };
        return SubmitAsync(Topics.Labels, new RecordLabel(new Actor("person", label.Actor), full), RecordCodec.Encode(full), full, cancellationToken);
    }

    private Task<LedgerOutcome> SubmitAsync(string topic, LedgerCommand command, byte[] value, object record, CancellationToken cancellationToken) =>
        pipeline.SubmitAsync(new FeedbackItem(topic, command, value, record, time.GetTimestamp()), cancellationToken);

    /// <summary>The first rung of the ladder, asked on the caller's thread: a retry is answered without being observed again.</summary>
    private LedgerOutcome? RecordedAnswer(RedemptionRequest request)
    {
        if (ledger.Reader.FindDecision(request.Id) is not { } decision) return null;
        return decision.Proposal.Request.RequestHash.Span.SequenceEqual(request.RequestHash.Span)
            ? new(decision.Position, LedgerRefusal.None, true, decision, null)
            : new(decision.Position, LedgerRefusal.SameIdDifferentContent, false, null, $"Redemption '{request.Id}' was recorded with other content.");
    }

    /// <summary>What would have happened: limits and balances as they stand, nothing booked.</summary>
    private LedgerOutcome DryRun(AttemptItem item)
    {
        var proposal = item.Proposal!;
        var status = proposal.Proposed;
        var refusal = proposal.Refusal;
        if (status is RedemptionStatus.Approved or RedemptionStatus.Review && LimitRefusal(proposal) is var limit and not RefusalCode.None) (status, refusal) = (RedemptionStatus.Rejected, limit);
        return new(0, LedgerRefusal.None, false, new Decision(0, proposal, status, refusal, HoldState.None, null, EventTime.Now(time)), null);
    }

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

    private long AvailableOf(string customer, RedeemableType type, string currency)
    {
        var segment = type switch { RedeemableType.Points => "points", RedeemableType.Cash => "cash", RedeemableType.Gift => "gift", _ => "refund" };
        var unit = type is RedeemableType.Points ? "points" : currency;
        return ledger.Reader.BalancesOf(customer).FirstOrDefault(b => b.Segment == segment && b.Unit == unit)?.Available ?? 0;
    }

    private LimitsLeft LimitsLeft(string campaignId, string? code, string customerId)
    {
        var left = ledger.Reader.RemainingLimits(campaignId, code, customerId);
        return new(left.CampaignUses, left.BudgetMinorUnits, left.CustomerUses, left.CouponUses);
    }

    private static Actor ActorOf(string apiKeyId) => new("api_key", apiKeyId);
}

/// <summary>Points earned by an order: one lot per order.</summary>
/// <param name="MinorUnitsPerPoint">Paid minor units for one point; 0 earns nothing. Default 100: one point per euro.</param>
/// <param name="Lifetime">Default 365 days; null never expires.</param>
public sealed record EarningRule(long MinorUnitsPerPoint, TimeSpan? Lifetime)
{
    public static readonly EarningRule Default = new(100, TimeSpan.FromDays(365));
    public long PointsFor(OrderPlaced order) => MinorUnitsPerPoint > 0 ? order.Total / MinorUnitsPerPoint : 0;
    public EventTime? ExpiryFor(OrderPlaced order) => Lifetime is { } lifetime ? order.At.Plus(lifetime) : null;
}
