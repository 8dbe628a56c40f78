using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger;

/// <summary>Who asks: an API key, an admin signed in, or the system itself.</summary>
public sealed record Actor(string Kind, string Id)
{
    public static readonly Actor System = new("system", "system");
}

/// <summary>A change of the ledger. <see cref="Id"/> is the caller's and unique per installation: the same id and content again changes nothing
/// and answers as before; other content is refused.</summary>
public abstract record LedgerCommand(string Id, Actor Actor, EventTime At);

/// <summary>Record a decision and take what it needs in one atomic step, or turn it into a refusal. Id = redemption id.</summary>
public sealed record DecideRedemption(Actor Actor, EventTime At, DecisionProposal Proposal) : LedgerCommand(Proposal.Request.Id, Actor, At);

/// <summary>Log arms and ghost offers of a trigger that is no redemption (a qualification or validation).</summary>
public sealed record LogTrigger(string Id, Actor Actor, EventTime At, IReadOnlyList<ArmAssignment> Arms) : LedgerCommand(Id, Actor, At);

public sealed record CaptureHold(string Id, Actor Actor, EventTime At, string RedemptionId) : LedgerCommand(Id, Actor, At);

/// <summary>Release a hold. An id not known yet is remembered, and the late request is then refused.</summary>
public sealed record VoidHold(string Id, Actor Actor, EventTime At, string RedemptionId, string? Reason) : LedgerCommand(Id, Actor, At);

/// <summary>Release holds whose time is over and move expired lots to breakage, up to <paramref name="Max"/> of them: bulk lane.</summary>
public sealed record ExpireDue(string Id, Actor Actor, EventTime At, int Max) : LedgerCommand(Id, Actor, At);

public sealed record RecordOrder(Actor Actor, OrderPlaced Order, long PointsEarned, EventTime? PointsExpireAt) : LedgerCommand(Order.Id, Actor, Order.At);
public sealed record RecordReturn(Actor Actor, OrderReturned Return) : LedgerCommand(Return.Id, Actor, Return.At);
public sealed record RecordEngagement(Actor Actor, EngagementRecorded Engagement) : LedgerCommand(Engagement.Id, Actor, Engagement.At);

/// <summary>A label; "abuse" voids a hold that is not captured yet.</summary>
public sealed record RecordLabel(Actor Actor, LabelRecorded Label) : LedgerCommand(Label.Id, Actor, Label.At);

/// <summary>Cash put into a customer's balance by an admin or a payment provider. Minor units, at least 1.</summary>
public sealed record DepositCash(string Id, Actor Actor, EventTime At, string CustomerId, string Currency, long Amount, string? Reason) : LedgerCommand(Id, Actor, At);

/// <summary>Points granted as one lot. <paramref name="ExpiresAt"/> exclusive; null never.</summary>
public sealed record GrantPoints(string Id, Actor Actor, EventTime At, string CustomerId, long Points, EventTime? ExpiresAt, string? Reason) : LedgerCommand(Id, Actor, At);

/// <summary>A new campaign, or the next version of one (Version = current + 1; anything else is refused as stale).</summary>
public sealed record PutCampaign(string Id, Actor Actor, EventTime At, Campaign Campaign) : LedgerCommand(Id, Actor, At);

/// <summary>Codes made by the caller's generator, unassigned or each for its customer.</summary>
public sealed record AddCoupons(string Id, Actor Actor, EventTime At, string CampaignId, IReadOnlyList<NewCoupon> Coupons) : LedgerCommand(Id, Actor, At);
public sealed record NewCoupon(string Code, string? CustomerId, long? UsesMax);

/// <summary>Hand an unassigned coupon to a customer.</summary>
public sealed record AssignCoupon(string Id, Actor Actor, EventTime At, string Code, string CustomerId) : LedgerCommand(Id, Actor, At);
public sealed record RevokeCoupon(string Id, Actor Actor, EventTime At, string Code) : LedgerCommand(Id, Actor, At);

/// <summary>Why the ledger said no, one member each. Zero: it did not say no.</summary>
public enum LedgerRefusal : short
{
    None = 0,
    SameIdDifferentContent = 1,
    UnknownRedemption = 2,
    HoldExpired = 3,
    HoldVoided = 4,
    HoldCaptured = 5,
    NothingHeld = 6,          // a blocked or rejected redemption cannot be captured
    ReviewPending = 7,
    VoidedBefore = 8,
    UnknownCampaign = 10,
    StaleCampaignVersion = 11,
    CodeTaken = 12,
    UnknownCoupon = 13,
    CouponAssigned = 14,      // to another customer
    DeadlinePassed = 15,      // nothing booked, no decision recorded
    StaleCampaign = 16,       // a decision priced on an old version: price again; nothing recorded
    InvalidCommand = 17,      // a value out of range; Detail says which
}

/// <summary>What became of a command.</summary>
/// <param name="Position">Of its audit leaf and log entry; that of the first time when repeated.</param>
/// <param name="Repeated">True: recorded before with the same content, nothing changed now.</param>
/// <param name="Decision">For DecideRedemption, CaptureHold, VoidHold: the decision as it stands.</param>
public sealed record LedgerOutcome(long Position, LedgerRefusal Refusal, bool Repeated, Decision? Decision, string? Detail)
{
    public bool Accepted => Refusal is LedgerRefusal.None;
}
