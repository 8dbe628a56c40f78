using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Processing.Effects;
using Promotions.Processing.Records;
using Promotions.Streams.Embedded;

namespace Promotions.Processing.Embedded;

/// <summary>Checkout's door to the topology under the embedded driver.</summary>
/// <param name="inputs">Whose policy says which entities count for a channel.</param>
public sealed class EmbeddedGateway(EmbeddedDriver driver, ILedger ledger, Func<DecisionInputs> inputs, TimeProvider time) : IRedemptionGateway
{
    private readonly Intake _intake = new();
    private readonly LedgerAnswers _answers = new(ledger, time);

    public async Task<LedgerOutcome> RedeemAsync(RedemptionRequest request, CancellationToken cancellationToken)
    {
        if (request.Kind is AttemptKind.Redemption && await _answers.RecordedAsync(request, cancellationToken).ConfigureAwait(false) is { } recorded) return recorded;
        var entities = ChannelEntities.Of(request, inputs().Policy.For(request.Channel));
        var answer = await SubmitAsync(Topics.Requests, request.Id, ObservedRequest.Encode(_intake.Accept(request), entities), request.At, isDeferred: false, cancellationToken).ConfigureAwait(false);
        return answer is DecisionProposal proposal ? _answers.DryRun(proposal) : (LedgerOutcome)answer!;
    }

    public Task<Qualification> QualifyAsync(RedemptionRequest request, CancellationToken cancellationToken) => _answers.QualifyAsync(request, cancellationToken);

    public Task<LedgerOutcome> CaptureAsync(CaptureRequested request, CancellationToken cancellationToken) =>
        ReportAsync(Topics.Captures, ReportCommands.IdOf(request), RecordCodec.Encode(request), request.At, cancellationToken);

    public Task<LedgerOutcome> VoidAsync(VoidRequested request, CancellationToken cancellationToken) =>
        ReportAsync(Topics.Voids, ReportCommands.IdOf(request), RecordCodec.Encode(request), request.At, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(OrderPlaced order, CancellationToken cancellationToken) => ReportAsync(Topics.Orders, order.Id, RecordCodec.Encode(order), order.At, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(OrderReturned returned, CancellationToken cancellationToken) =>
        ReportAsync(Topics.Returns, returned.Id, RecordCodec.Encode(returned), returned.At, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(EngagementRecorded engagement, CancellationToken cancellationToken) =>
        ReportAsync(Topics.Engagements, engagement.Id, RecordCodec.Encode(engagement), engagement.At, cancellationToken);

    public Task<LedgerOutcome> RecordAsync(LabelRecorded label, CancellationToken cancellationToken)
    {
        var entities = _answers.FindJudged(label)?.Proposal.Entities ?? label.Entities;
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
