using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;

namespace Promotions.Simulation;

/// <summary>What one attempt really is. Known to the simulation only: nothing of it is in the request.</summary>
/// <param name="Abuse">Somebody games the shop.</param>
/// <param name="Kind">The scenario's kind for abuse; <see cref="HonestKind"/>'s words otherwise.</param>
public readonly record struct Truth(bool Abuse, string Kind);

/// <summary>Honest attempts, told apart because some look like abuse.</summary>
public static class HonestKind
{
    public const string Plain = "honest";
    /// <summary>A newcomer in the burst behind a public code.</summary>
    public const string Influencer = "honest_influencer";
    /// <summary>A gift code that somebody else bought: used from the receiver's device, address and payment.</summary>
    public const string Gift = "honest_gift";
    /// <summary>A person whose household shares device, address or payment.</summary>
    public const string Household = "honest_household";
    /// <summary>Many colleagues, or a carrier's customers, behind one ip.</summary>
    public const string SharedIp = "honest_shared_ip";
    /// <summary>The till is the device of everyone who pays at it.</summary>
    public const string Till = "honest_till";
    /// <summary>Tries ended and mistyped codes before a good one.</summary>
    public const string BargainHunter = "honest_bargain_hunter";
    /// <summary>A request of a real retailer's record.</summary>
    public const string Recorded = "recorded";
}

/// <summary>One thing that happens in the shop.</summary>
/// <param name="At">Never before the event that was given out before it.</param>
public abstract record SimulatedEvent(EventTime At);

/// <summary>Campaigns begin to exist; they start at their own time.</summary>
public sealed record CampaignsDefined(EventTime At, IReadOnlyList<Campaign> Campaigns) : SimulatedEvent(At);

/// <summary>Codes and assigned coupons begin to exist, always after their campaign.</summary>
public sealed record CouponsAdded(EventTime At, IReadOnlyList<Coupon> Coupons) : SimulatedEvent(At);

/// <summary>An attempt to redeem, or to validate. Its decision is to be told by <see cref="ISimulation.Observe"/>.</summary>
public sealed record RedemptionAttempted(EventTime At, RedemptionRequest Request, Truth Truth) : SimulatedEvent(At);

/// <summary>Checkout ends the hold of an approved attempt: sold.</summary>
public sealed record CaptureIntended(EventTime At, CaptureRequested Capture) : SimulatedEvent(At);

/// <summary>Checkout ends the hold of an approved attempt: not sold.</summary>
public sealed record VoidIntended(EventTime At, VoidRequested Void) : SimulatedEvent(At);

/// <summary>A purchase, with or without redemption.</summary>
public sealed record Ordered(EventTime At, OrderPlaced Order) : SimulatedEvent(At);

public sealed record Returned(EventTime At, OrderReturned Return) : SimulatedEvent(At);

public sealed record Engaged(EventTime At, EngagementRecorded Engagement) : SimulatedEvent(At);

/// <summary>A reviewer, bank or refund desk says what an earlier attempt was. May be wrong, as people are.</summary>
public sealed record Labelled(EventTime At, LabelRecorded Label) : SimulatedEvent(At);

/// <summary>What became of an attempt, told back to the simulation.</summary>
/// <param name="DiscountMinorUnits">Off the order; 0 unless approved or in review.</param>
/// <param name="Arms">The arms that the attempt triggered, by campaign id; empty for none.</param>
public sealed record DecisionFeedback(
    string RedemptionId, RedemptionStatus Status, RefusalCode Refusal, long DiscountMinorUnits, IReadOnlyList<KeyValuePair<string, Arm>> Arms);

public enum Pull : byte
{
    /// <summary>There is a next event.</summary>
    Event = 0,
    /// <summary>What comes next depends on a decision that was not told yet: observe all that was given out, then pull again.</summary>
    AwaitingFeedback = 1,
    End = 2,
}

/// <summary>A shop that reacts: events are pulled in order of time, decisions are told back. The same feedback gives the same stream.</summary>
/// <remarks>Not safe for concurrent use. The reaction to a decision lies at least <see cref="SimulationOptions.SettleAfterMin"/> behind its attempt, so a
/// consumer may decide in batches: pull until <see cref="Pull.AwaitingFeedback"/> (or enough), decide, observe, go on.</remarks>
public interface ISimulation
{
    /// <param name="next">Set when the answer is <see cref="Pull.Event"/>.</param>
    Pull TryNext(out SimulatedEvent? next);

    /// <exception cref="ArgumentException">No attempt of that id awaits its decision.</exception>
    void Observe(DecisionFeedback feedback);

    /// <summary>When the next event happens, without taking it; null at the end.</summary>
    EventTime? PeekTime();
}
