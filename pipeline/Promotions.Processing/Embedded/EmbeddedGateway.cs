using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;
using Promotions.Streams.Embedded;

namespace Promotions.Processing.Embedded;

/// <summary>Checkout's door to the topology under the embedded driver.</summary>
/// <param name="inputs">Whose policy says which entities count for a channel.</param>
public sealed class EmbeddedGateway(EmbeddedDriver driver, ILedger ledger, Func<DecisionInputs> inputs, TimeProvider time) : IRedemptionGateway
{
    private readonly Intake _intake = new();

    public async Task<LedgerOutcome> RedeemAsync(RedemptionRequest request, CancellationToken cancellationToken)
    {
        if (request.Kind is AttemptKind.Redemption && RecordedAnswer(request) is { } recorded) return recorded;
        var entities = ChannelEntities.Of(request, inputs().Policy.For(request.Channel));
        var answer = await SubmitAsync(Topics.Requests, request.Id, ObservedRequest.Encode(_intake.Accept(request), entities), request.At, isDeferred: false, cancellationToken).ConfigureAwait(false);
        return answer is DecisionProposal proposal ? DryRun(proposal) : (LedgerOutcome)answer!;
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

    public Task<LedgerOutcome> CaptureAsync(CaptureRequested request, CancellationToken cancellationToken) =>
        ReportAsync(Topics.Captures, FeedbackCommands.IdOf(request), RecordCodec.Encode(request), request.At, cancellationToken);

    public Task<LedgerOutcome> VoidAsync(VoidRequested request, CancellationToken cancellationToken) =>
        ReportAsync(Topics.Voids, FeedbackCommands.IdOf(request), RecordCodec.Encode(request), request.At, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(OrderPlaced order, CancellationToken cancellationToken) => ReportAsync(Topics.Orders, order.Id, RecordCodec.Encode(order), order.At, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(OrderReturned returned, CancellationToken cancellationToken) =>
        ReportAsync(Topics.Returns, returned.Id, RecordCodec.Encode(returned), returned.At, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(EngagementRecorded engagement, CancellationToken cancellationToken) =>
        ReportAsync(Topics.Engagements, engagement.Id, RecordCodec.Encode(engagement), engagement.At, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(LabelRecorded label, CancellationToken cancellationToken)
    {
        var entities = ledger.Reader.FindDecision(label.RedemptionId)?.Proposal.Entities ?? label.Entities;      // a label is about the entities of the attempt that it judges
        return ReportAsync(Topics.Labels, label.Id, RecordCodec.Encode(label with { Entities = entities }), label.At, cancellationToken);
    }

    private async Task<LedgerOutcome> ReportAsync(string topic, string id, byte[] value, EventTime at, CancellationToken cancellationToken) =>
        (LedgerOutcome)(await SubmitAsync(topic, id, value, at, isDeferred: true, cancellationToken).ConfigureAwait(false))!;

    private async Task<object?> SubmitAsync(string topic, string id, byte[] value, EventTime at, bool isDeferred, CancellationToken cancellationToken)
    {
        try
        {
            return await driver.SubmitAsync(new(topic, id, value, at) { IsDeferred = isDeferred, AcceptedTimestamp = time.GetTimestamp() }, cancellationToken).ConfigureAwait(false);
        }
        catch (DeadLetterException given)
        {
            return new LedgerOutcome(0, LedgerRefusal.InvalidCommand, false, null, "The record was given up: " + given.Letter!.Reason);
        }
        catch (DriverFaultException fault)
        {
            throw fault.InnerException as LedgerFaultException ?? new LedgerFaultException(fault.Message, fault);
        }
    }

    /// <summary>The first rung of the ladder, asked on the caller's thread: a retry is answered without being observed again.</summary>
    private LedgerOutcome? RecordedAnswer(RedemptionRequest request)
    {
        if (ledger.Reader.FindDecision(request.Id) is not { } decision) return null;
        return decision.Proposal.Request.RequestHash.Span.SequenceEqual(request.RequestHash.Span)
            ? new(decision.Position, LedgerRefusal.None, true, decision, null)
            : new(decision.Position, LedgerRefusal.SameIdDifferentContent, false, null, $"Redemption '{request.Id}' was recorded with other content.");
    }

    /// <summary>What would have happened: limits and balances as they stand, nothing booked.</summary>
    private LedgerOutcome DryRun(DecisionProposal proposal)
    {
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
