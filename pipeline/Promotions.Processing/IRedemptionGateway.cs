using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Ledger;

namespace Promotions.Processing;

/// <summary>The one door to the pipeline for everything that checkout sends; each call returns after its effect is durable.</summary>
/// <remarks>Refusals are in the outcome. <see cref="LedgerFaultException"/> and <see cref="OperationCanceledException"/> say that the effect is unknown:
/// the caller retries with the same id.</remarks>
public interface IRedemptionGateway
{
    /// <summary>Price, score, decide and hold; or, for a validation, say what would happen and book nothing. The outcome's Decision is never null when accepted.</summary>
    Task<LedgerOutcome> RedeemAsync(RedemptionRequest request, CancellationToken cancellationToken);

    /// <summary>What this cart can use, best first, every limit counted; logs arms and ghost offers (a trigger), books nothing.</summary>
    Task<Qualification> QualifyAsync(RedemptionRequest request, CancellationToken cancellationToken);

    Task<LedgerOutcome> CaptureAsync(CaptureRequested request, CancellationToken cancellationToken);
    Task<LedgerOutcome> VoidAsync(VoidRequested request, CancellationToken cancellationToken);
    Task<LedgerOutcome> RecordAsync(OrderPlaced order, CancellationToken cancellationToken);
    Task<LedgerOutcome> RecordAsync(OrderReturned returned, CancellationToken cancellationToken);
    Task<LedgerOutcome> RecordAsync(EngagementRecorded engagement, CancellationToken cancellationToken);
    Task<LedgerOutcome> RecordAsync(LabelRecorded label, CancellationToken cancellationToken);
}

/// <param name="Options">What applies, greatest discount first; ties by campaign id.</param>
/// <param name="NearMisses">What does not, and what is missing. Never for the control arm.</param>
public sealed record Qualification(IReadOnlyList<QualifiedOffer> Options, IReadOnlyList<NearMiss> NearMisses);

/// <param name="Code">The customer's coupon, or null for a public campaign.</param>
public sealed record QualifiedOffer(string CampaignId, string? Code, string Name, long Discount, long Total, RemainingLimits Remaining);

/// <param name="Missing">Minor units still to spend, or 0 when something else is missing.</param>
public sealed record NearMiss(string CampaignId, string? Code, string Name, RefusalCode Refusal, long Missing);
