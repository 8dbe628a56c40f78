using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;

namespace Promotions.Ledger;

/// <summary>Decisions go first; bulk work runs between them in slices of at most 2 ms.</summary>
public enum Lane : byte { Decision = 0, Bulk = 1 }

/// <summary>A record to append to the embedded log, with the command it stands for.</summary>
/// <param name="Topic"><c>redemption-requests</c>, <c>outcomes</c>, <c>orders</c>, <c>labels</c> ...</param>
/// <param name="Value">The encoded record: replay reads exactly this.</param>
/// <param name="StateHash">Hash of the vector computed for it; 0 for none. Replay compares.</param>
/// <param name="Command">What it does to the ledger; null when the record only feeds features.</param>
public sealed record LogAppend(string Topic, string Key, ReadOnlyMemory<byte> Value, EventTime At, ulong StateHash, LedgerCommand? Command)
{
    /// <summary>The record was folded into state before the commit, so it is in the log even where its command is refused or repeated.
    /// Others are appended only when their command is accepted for the first time.</summary>
    public bool AppendAlways { get; init; }
}

/// <summary>A record of the log, as read back.</summary>
public sealed record LogRecord(long Position, string Topic, string Key, ReadOnlyMemory<byte> Value, EventTime At, ulong StateHash);

/// <param name="LastPosition">Of the batch and its follow-ups.</param>
/// <param name="Outcomes">One per record of the batch, in order; null where the record had no command.</param>
/// <param name="FollowUps">The follow-up records with their positions.</param>
public sealed record CommitReceipt(long LastPosition, IReadOnlyList<LedgerOutcome?> Outcomes, IReadOnlyList<LogRecord> FollowUps);

/// <summary>Double entry, holds, limits, audit tree, outbox and the embedded log behind one writer.</summary>
public interface ILedger : IAsyncDisposable
{
    /// <summary>Append the batch with its effects in one durable transaction. A command with an id recorded before has no effect again.
    /// <paramref name="followUps"/> is called inside the transaction with the outcomes and returns the records that follow the batch in the log. It is pure: a transaction
    /// that has to begin again calls it again. What it throws fails this batch alone, not those that share the transaction.</summary>
    /// <exception cref="LedgerFaultException">Nothing of the batch was committed, or it is unknown whether: look up by id.</exception>
    Task<CommitReceipt> CommitAsync(
        IReadOnlyList<LogAppend> batch, Func<IReadOnlyList<LedgerOutcome?>, IReadOnlyList<LogAppend>> followUps, CancellationToken cancellationToken);

    /// <summary>One command outside the pipeline (admin actions, grants, codes). Durable when it returns.</summary>
    Task<LedgerOutcome> ExecuteAsync(LedgerCommand command, Lane lane, CancellationToken cancellationToken);

    /// <summary>Many commands in the bulk lane; progress counts finished ones. Each is durable by the time it is counted.</summary>
    Task<IReadOnlyList<LedgerOutcome>> ExecuteManyAsync(IReadOnlyList<LedgerCommand> commands, IProgress<int>? progress, CancellationToken cancellationToken);

    /// <summary>Rebuilt after each commit that changes it; reading it never blocks the writer.</summary>
    ICampaignSnapshot Campaigns { get; }

    ILedgerReader Reader { get; }
}

/// <summary>Something broke: a full disk, a busy or damaged database. Never a refusal.</summary>
public sealed class LedgerFaultException : Exception
{
    public LedgerFaultException() { }
    public LedgerFaultException(string message) : base(message) { }
    public LedgerFaultException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>The disk is full: nothing of the group was booked, and the ledger goes on when there is room.</summary>
    public bool OutOfRoom { get; init; }
}

public sealed record Lot(string Id, long Quantity, long Remaining, long Held, EventTime EarnedAt, EventTime? ExpiresAt, string Origin);

/// <param name="Segment"><c>cash</c>, <c>points</c>, <c>refund</c> or <c>gift</c>.</param>
/// <param name="Unit">ISO currency, or <c>points</c>.</param>
public sealed record Balance(string Segment, string Unit, long Available, long Held, IReadOnlyList<Lot> Lots);

public sealed record CustomerCoupon(Coupon Coupon, Campaign Campaign, long Uses, long Held);

public sealed record CampaignUsage(string CampaignId, long UsesHeld, long UsesCaptured, long DiscountHeld, long DiscountCaptured, long CouponsIssued);

/// <summary>A flagged decision for the review queue.</summary>
/// <param name="Answer">Null until a reviewer answered: true is abuse.</param>
public sealed record Flag(Decision Decision, bool? Answer, string? AnsweredBy, EventTime? AnsweredAt);

/// <param name="Position">Of its entry: later than that of the decision which it judges.</param>
/// <param name="Source"><c>review</c>, <c>chargeback</c>, <c>refund</c> or <c>import</c>.</param>
public sealed record RecordedLabel(long Position, string RedemptionId, bool Abuse, string Source, EventTime At);

/// <summary>A committed fact for followers, dense by position.</summary>
/// <param name="Type">See <see cref="OutboxTypes"/>.</param>
/// <param name="Payload">JSON, snake_case; its schema is in Promotions.Ledger/Outbox.</param>
public sealed record OutboxEvent(long Position, EventTime At, string Type, string Key, ReadOnlyMemory<byte> Payload);

public static class OutboxTypes
{
    public const string Decision = "decision";
    public const string HoldCaptured = "hold_captured";
    public const string HoldVoided = "hold_voided";
    public const string HoldExpired = "hold_expired";
    public const string Order = "order";
    public const string Return = "return";
    public const string Label = "label";
    public const string Engagement = "engagement";
    public const string Arm = "arm";
    public const string CouponIssued = "coupon_issued";
    public const string CouponRevoked = "coupon_revoked";
    public const string Campaign = "campaign";
    public const string BalanceChanged = "balance_changed";
}

/// <summary>Bounded reads of committed state. Safe from any thread.</summary>
public interface ILedgerReader : IReviewReader
{
    Decision? FindDecision(string redemptionId);

    /// <summary>The same without holding the caller's thread where the ledger is a server: for what every request asks.</summary>
    ValueTask<Decision?> FindDecisionAsync(string redemptionId, CancellationToken cancellationToken) => new(FindDecision(redemptionId));
    IReadOnlyList<Decision> LatestDecisions(int max, long beforePosition = long.MaxValue);
    IReadOnlyList<Decision> LatestDecisionsOf(string customerId, int max);
    IReadOnlyList<Flag> Flags(bool openOnly, int max, long beforePosition = long.MaxValue);
    Flag? FindFlag(string redemptionId);
    /// <summary>Labels in the order in which they were recorded, however old the decisions are that they judge.</summary>
    IReadOnlyList<RecordedLabel> Labels(long afterPosition, int max);
    IReadOnlyList<Balance> BalancesOf(string customerId);
    IReadOnlyList<CustomerCoupon> CouponsOf(string customerId);
    IReadOnlyList<Campaign> Campaigns();
    /// <summary>That version as it was written; null when there was none.</summary>
    Campaign? FindCampaign(string campaignId, int version);
    CampaignUsage UsageOf(string campaignId);
    IReadOnlyList<Coupon> CouponsOfCampaign(string campaignId, int max, string? afterCode);
    /// <summary>How much of each limit is left for this customer: uses of the campaign, its budget, the customer's own uses, the coupon's uses. Null: no limit.</summary>
    RemainingLimits RemainingLimits(string campaignId, string? code, string customerId);
    long LastLogPosition { get; }
    IReadOnlyList<LogRecord> ReadLog(long afterPosition, int max);
    long LastOutboxPosition { get; }
    IReadOnlyList<OutboxEvent> ReadOutbox(long afterPosition, int max);
}

/// <summary>What a return is judged by.</summary>
/// <param name="Total">Paid, minor units.</param>
/// <param name="Returned">Given back so far, minor units.</param>
public sealed record RecordedOrder(string Id, string CustomerId, string Currency, long Total, long Returned);

/// <summary>Looks up purchases. Bounded, of committed state, safe from any thread.</summary>
public interface IOrderReader
{
    RecordedOrder? FindOrder(string orderId);
}

public sealed record RemainingLimits(long? CampaignUses, long? BudgetMinorUnits, long? CustomerUses, long? CouponUses);

/// <summary>Small settings and cursors kept beside the ledger: API keys, policies, followers' positions. Values are JSON or text.</summary>
public interface ISettingsStore
{
    string? Find(string scope, string name);
    IReadOnlyList<KeyValuePair<string, string>> List(string scope);
    Task PutAsync(string scope, string name, string? value, Actor actor, CancellationToken cancellationToken);
}
