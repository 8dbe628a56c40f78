namespace Promotions.Domain.Events;

public enum RedemptionStatus : byte { None = 0, Approved = 1, Review = 2, Blocked = 3, Rejected = 4 }

/// <summary>What became of an attempt. It re-enters the log behind the batch that decided it; its event time is its request's.</summary>
/// <param name="InvalidCode">A code of the request named no coupon: the mark of enumeration.</param>
public sealed record RedemptionOutcome(
    string RedemptionId, AttemptKind Kind, RedemptionStatus Status, string ReasonCode, bool InvalidCode, long DiscountMinorUnits, EventTime At, AttemptEntities Entities);

/// <summary>The names of the entities that an attempt touches, as the caller wrote them; null where absent.</summary>
/// <param name="Network">/24 of an IPv4 or /48 of an IPv6 address, derived from the ip.</param>
/// <param name="Codes">Coupon codes, upper case, in the request's order.</param>
public sealed record AttemptEntities(
    string Customer, string? Device, string? Ip, string? Network, IReadOnlyList<string> Codes, string? PaymentToken, string? Address);

/// <summary>A purchase, with or without a redemption. Amounts in minor units of <paramref name="Cart"/>'s currency.</summary>
/// <param name="Total">What the customer paid after discounts, shipping included.</param>
/// <param name="RedemptionId">The redemption used on it, if any.</param>
public sealed record OrderPlaced(
    string Id, string Channel, string ApiKeyId, CustomerRef Customer, Cart Cart, long Total, string? RedemptionId, EventTime At, EventTime? OccurredAt, ReadOnlyMemory<byte> RequestHash);

/// <summary>A return: the amount comes off the customer's sales, as a negative fact, never as an update.</summary>
public sealed record OrderReturned(string Id, string OrderId, string CustomerId, long Amount, EventTime At, ReadOnlyMemory<byte> RequestHash);

public sealed record EngagementRecorded(string Id, string Channel, string ApiKeyId, string CustomerId, string Type, EventTime At, ReadOnlyMemory<byte> RequestHash);

/// <summary>Confirmed abuse, or its confirmed absence. Counts from its arrival, never from the event that it judges.</summary>
/// <param name="Source"><c>review</c>, <c>chargeback</c>, <c>refund</c> or <c>import</c>.</param>
public sealed record LabelRecorded(
    string Id, string RedemptionId, bool Abuse, string Source, string? Note, string Actor, EventTime At, AttemptEntities Entities);

/// <summary>A hold's end, asked for by checkout.</summary>
public sealed record CaptureRequested(string RedemptionId, string ApiKeyId, EventTime At);
public sealed record VoidRequested(string RedemptionId, string ApiKeyId, string? Reason, EventTime At);
