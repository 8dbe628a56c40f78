using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Booking;

/// <summary>What an account is for. Stored numbers stay. Below <see cref="CustomerBalance"/> are the system's own, which alone may go negative.</summary>
public enum AccountKind : byte
{
    None = 0,
    Funding = 1,            // money that came from outside: negative as deposits grow
    Issuance = 2,           // points and the capacity of limits come from here
    Merchant = 3,           // what captured redemptions paid
    Breakage = 4,           // what expired unspent
    CustomerBalance = 10,   // owner: customer, member: segment
    CampaignUses = 20,      // owner: campaign
    CampaignBudget = 21,    // owner: campaign
    CustomerUses = 22,      // owner: campaign, member: customer
    CouponUses = 23,        // owner: code
    LetThrough = 24,        // owner: UTC day
}

/// <summary>Which part of an account: free to take, held by open holds, or used for good.</summary>
public enum Side : byte { Free = 0, Held = 1, Used = 2 }

/// <summary>Names one account. Values of different units never meet: a posting moves within one unit.</summary>
/// <param name="Unit">ISO currency for money, <c>points</c>, <c>use</c> for counted limits, <c>discount:EUR</c> for budgets, <c>let_through:EUR</c> for what would-be blocks took.</param>
public readonly record struct AccountKey(AccountKind Kind, string Owner, string Member, string Unit)
{
    public const string Points = "points";
    public const string Use = "use";

    public static AccountKey Funding(string unit) => new(AccountKind.Funding, "", "", unit);
    public static AccountKey Issuance(string unit) => new(AccountKind.Issuance, "", "", unit);
    public static AccountKey Merchant(string unit) => new(AccountKind.Merchant, "", "", unit);
    public static AccountKey Breakage(string unit) => new(AccountKind.Breakage, "", "", unit);
    public static AccountKey Balance(string customerId, string segment, string unit) => new(AccountKind.CustomerBalance, customerId, segment, unit);
    public static AccountKey CampaignUses(string campaignId) => new(AccountKind.CampaignUses, campaignId, "", Use);
    public static AccountKey CampaignBudget(string campaignId, string currency) => new(AccountKind.CampaignBudget, campaignId, "", "discount:" + currency);
    public static AccountKey CustomerUses(string campaignId, string customerId) => new(AccountKind.CustomerUses, campaignId, customerId, Use);
    public static AccountKey CouponUses(string code) => new(AccountKind.CouponUses, code, "", Use);

    /// <summary>What would-be blocks may take on a day.</summary>
    /// <param name="at">The attempt's time.</param>
    public static AccountKey LetThrough(EventTime at, string currency) =>
        new(AccountKind.LetThrough, at.ToDateTimeOffset().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), "", "let_through:" + currency);

    /// <summary>The balance that a redeemable of this type pays from; null for one that is no means of payment.</summary>
    /// <param name="currency">ISO code of the cart.</param>
    public static AccountKey? Paying(RedeemableType type, string customerId, string currency) => type switch
    {
        RedeemableType.Points => Balance(customerId, Points, Points),
        RedeemableType.Cash => Balance(customerId, "cash", currency),
        RedeemableType.Gift => Balance(customerId, "gift", currency),
        RedeemableType.Refund => Balance(customerId, "refund", currency),
        _ => null,
    };

    public bool IsSystem => Kind < AccountKind.CustomerBalance;
}

/// <summary>One account with the sums of its postings. Every side of an account that is not the system's own is at least 0.</summary>
public sealed class Account(AccountKey key, long id, long free, long held, long used)
{
    public AccountKey Key { get; } = key;

    /// <summary>Given at opening; a slot is id · 4 + side.</summary>
    public long Id { get; } = id;

    public long Free { get; private set; } = free;
    public long Held { get; private set; } = held;
    public long Used { get; private set; } = used;

    /// <summary>All that was ever put in and not taken out of the account.</summary>
    public long Capacity => Free + Held + Used;

    public long this[Side side] => side switch { Side.Free => Free, Side.Held => Held, _ => Used };

    public long Slot(Side side) => checked((Id * 4) + (byte)side);

    /// <exception cref="OverflowException">The sum leaves Int64.</exception>
    /// <exception cref="InvalidOperationException">A side that is not the system's would go negative: a broken invariant, never a refusal.</exception>
    internal void Add(Side side, long amount)
    {
        var after = checked(this[side] + amount);
        if (after < 0 && (!Key.IsSystem || side is not Side.Free)) throw new InvalidOperationException($"{Key} {side} would be {after}.");
        switch (side)
        {
            case Side.Free: Free = after; break;
            case Side.Held: Held = after; break;
            default: Used = after; break;
        }
    }
}

/// <summary>One double-entry line: a positive amount moves from the debited to the credited slot, both of one unit.</summary>
public readonly record struct Posting(Account Debit, Side DebitSide, Account Credit, Side CreditSide, long Amount);

/// <summary>What a hold has taken from one account, and where it goes back when voided.</summary>
public readonly record struct Take(Account Account, Account Source, Side SourceSide, long Amount);
