using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;

namespace Promotions.Domain.Decisions;

/// <summary>One reason of a fraud verdict, checkable by a person.</summary>
/// <param name="Feature">The registry's name, or the hard rule's.</param>
/// <param name="Sentence">With its evidence: "9 accounts redeemed from this device in 24 h; 99 % of devices have at most 2".</param>
/// <param name="Value">The feature's value in its unit; NaN when missing.</param>
/// <param name="Contribution">Additive, in log-odds; 0 for a hard rule.</param>
/// <param name="Entity">What it is about, <c>device:abc</c>; of several codes one, <c>coupon:a,b</c>; null for the request itself.</param>
public sealed record RiskReason(string Feature, string Sentence, float Value, double Contribution, string? Entity);

/// <summary>The fraud side of a decision: all that is needed to recompute it.</summary>
/// <param name="Probability">Calibrated, 0 to 1; NaN when the scorer gave none.</param>
/// <param name="RawScore">Log-odds before calibration; NaN when the scorer gave none.</param>
/// <param name="Verdict">What fraud alone says: Approved, Review or Blocked.</param>
/// <param name="Vector">float32, the registry's order; NaN where missing.</param>
/// <param name="LateMask">Bit k: the part of entity kind k came too late for gather.</param>
/// <param name="ScorerFault">Why the model gave no score, and the channel's policy decided; null when it did.</param>
/// <param name="HardRule">The hard rule that blocked, or null.</param>
public sealed record RiskAssessment(
    double Probability, double RawScore, RedemptionStatus Verdict, IReadOnlyList<RiskReason> Reasons, ReadOnlyMemory<float> Vector, uint LateMask,
    string ModelHash, ulong LayoutHash, int PolicyVersion, string? ScorerFault, string? HardRule)
{
    /// <summary>What challengers said of the same vector; they decided nothing. Empty where none was asked.</summary>
    public IReadOnlyList<ShadowScore> Shadow { get; init; } = [];

    /// <summary>Of an attempt that the model alone would have blocked, where the policy lets a share of those through; else null. <see cref="Verdict"/> stays what would have been: blocked.</summary>
    public LetThroughDraw? LetThrough { get; init; }
}

/// <summary>How the draw went for an attempt that the model would have blocked.</summary>
/// <param name="Propensity">The chance that such an attempt had to pass, as long as the day's value had room for it: above 0, at most 1.</param>
/// <param name="Drawn">It was to pass. It did where the decision's status is not blocked; else the day's value had no room left.</param>
/// <param name="Value">What it takes of the day's value: what the shop gives away in this order. Minor units of the cart's currency.</param>
/// <param name="ValuePerDayMax">Minor units, for each currency and UTC day of the attempt's time.</param>
public sealed record LetThroughDraw(double Propensity, bool Drawn, long Value, long ValuePerDayMax);

/// <summary>A challenger's answer to a request that the champion decided.</summary>
/// <param name="Probability">Calibrated, 0 to 1; NaN when it gave none.</param>
/// <param name="RawScore">Log-odds; NaN when it gave none.</param>
/// <param name="Verdict">What fraud alone would have said with this model in the champion's place, under the same policy and hard rules.</param>
/// <param name="Fault">Why it gave no score; null when it did.</param>
public sealed record ShadowScore(string ModelHash, double Probability, double RawScore, RedemptionStatus Verdict, string? Fault);

/// <summary>What a trigger says about one customer and one campaign with a control group.</summary>
/// <param name="GhostOffer">The customer is control and would have been offered, so an offer was logged and withheld.</param>
public sealed record ArmAssignment(string CampaignId, int CampaignVersion, string CustomerId, Arm Arm, bool GhostOffer, EventTime At);

/// <summary>What the pipeline asks the ledger to record: everything but the limits, which the ledger alone decides.</summary>
/// <param name="Proposed">Approved and Review take limits, budget and balances; Blocked and Rejected are recorded only.</param>
/// <param name="HoldFor">How long the takes stay held; at most 7 days.</param>
public sealed record DecisionProposal(
    RedemptionRequest Request, AttemptEntities Entities, PricedCart Priced, RedemptionStatus Proposed, RefusalCode Refusal, RiskAssessment Risk,
    IReadOnlyList<ArmAssignment> Arms, TimeSpan HoldFor);

public enum HoldState : byte { None = 0, Held = 1, Captured = 2, Voided = 3, Expired = 4 }

/// <summary>A recorded decision: the one answer for its id, for ever.</summary>
/// <param name="Position">Of the request in the log.</param>
/// <param name="Status">After limits: an approved proposal may end Rejected.</param>
/// <param name="HoldExpiresAt">Null when nothing is held.</param>
public sealed record Decision(
    long Position, DecisionProposal Proposal, RedemptionStatus Status, RefusalCode Refusal, HoldState Hold, EventTime? HoldExpiresAt, EventTime DecidedAt);
