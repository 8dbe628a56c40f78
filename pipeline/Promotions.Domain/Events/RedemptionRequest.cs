namespace Promotions.Domain.Events;

/// <summary>What the caller wants of an attempt. A validation is observed like a redemption but books nothing.</summary>
public enum AttemptKind : byte { None = 0, Redemption = 1, Validation = 2 }

public enum RedeemableType : byte { None = 0, Coupon = 1, Points = 2, Cash = 3, Gift = 4, Refund = 5 }

/// <summary>One thing to use on the order: a coupon by code, or an amount of a balance.</summary>
/// <param name="Type">Which of the two.</param>
/// <param name="Code">The coupon's code as typed, trimmed, upper case; null for balances.</param>
/// <param name="Amount">Minor units of the order's currency for cash, gift and refund; points for points; 0 for coupons.</param>
public sealed record Redeemable(RedeemableType Type, string? Code, long Amount);

/// <param name="Line">The caller's line id, unique in the cart.</param>
/// <param name="Quantity">1 to 100,000.</param>
/// <param name="UnitPrice">Minor units, 0 to 10^12.</param>
public sealed record CartLine(string Line, string Sku, string? Category, int Quantity, long UnitPrice)
{
    /// <summary>Minor units; overflow throws.</summary>
    public long Subtotal => checked(Quantity * UnitPrice);
}

/// <param name="Shipping">Minor units, at least 0.</param>
public sealed record Cart(string OrderId, string Currency, IReadOnlyList<CartLine> Lines, long Shipping)
{
    /// <summary>Sum of the lines before discounts, without shipping. Minor units; overflow throws.</summary>
    public long Subtotal
    {
        get
        {
            long sum = 0;
            foreach (var line in Lines) sum = checked(sum + line.Subtotal);
            return sum;
        }
    }
}

/// <param name="RegisteredAt">When the account was made, if the caller knows.</param>
public sealed record CustomerRef(string Id, EventTime? RegisteredAt);

/// <summary>Where the attempt came from. Anything may be missing; a missing entity is <em>absent</em>, never zero.</summary>
public sealed record AttemptContext(string? DeviceId, string? Ip, string? UserAgent, string? PaymentToken, string? AddressId, string? Session)
{
    public static readonly AttemptContext None = new(null, null, null, null, null, null);
}

/// <summary>One attempt to use coupons and balances on one order, as accepted by intake.</summary>
/// <param name="At">Event time: the arrival over HTTP, the record's CreateTime from Kafka.</param>
/// <param name="OccurredAt">The caller's own clock: an attribute, never the time of a window.</param>
/// <param name="Deadline">After this, by the ledger's clock, nothing may be booked; null for none.</param>
/// <param name="RequestHash">SHA-256 of the canonical request, 32 bytes: the same id with another hash is refused.</param>
/// <param name="LateByMs">How far behind the partition's stream time it came, judged once at intake; 0 when in order.</param>
/// <param name="Origin">Its countries, and what lists say of its ip, as intake knew them.</param>
public sealed record RedemptionRequest(
    AttemptKind Kind,
    string Id,
    string Channel,
    string ApiKeyId,
    CustomerRef Customer,
    Cart Cart,
    IReadOnlyList<Redeemable> Redeemables,
    AttemptContext Context,
    EventTime At,
    EventTime? OccurredAt,
    EventTime? Deadline,
    ReadOnlyMemory<byte> RequestHash,
    long LateByMs = 0,
    AttemptOrigin Origin = default);
