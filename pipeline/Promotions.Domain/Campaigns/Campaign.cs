namespace Promotions.Domain.Campaigns;

public enum Distribution : byte { None = 0, Public = 1, Private = 2, CodeBased = 3 }

public enum BenefitType : byte { None = 0, PercentOff = 1, AmountOff = 2 }

/// <summary>What a campaign takes off.</summary>
/// <param name="BasisPoints">For percent: 1,000 = 10 %, 1 to 10,000; else 0.</param>
/// <param name="AmountMinorUnits">For amount: at least 1; else 0.</param>
/// <param name="OnMatchingLines">Off the lines that the campaign's conditions match; otherwise off the whole order's lines.</param>
/// <param name="DiscountMax">Minor units; null for no cap.</param>
public sealed record Benefit(BenefitType Type, int BasisPoints, long AmountMinorUnits, bool OnMatchingLines, long? DiscountMax);

/// <summary>When the campaign applies. Lists are empty where the campaign does not care.</summary>
/// <param name="SpendMin">Subtotal of the lines counted, minor units, inclusive; null for none.</param>
/// <param name="SpendMax">Inclusive; null for none.</param>
public sealed record Conditions(
    long? SpendMin,
    long? SpendMax,
    IReadOnlyList<string> IncludedSkus,
    IReadOnlyList<string> ExcludedSkus,
    IReadOnlyList<string> IncludedCategories,
    IReadOnlyList<string> ExcludedCategories)
{
    public static readonly Conditions None = new(null, null, [], [], [], []);
}

/// <summary>How much may be used. Each limit is a balance in the ledger that cannot go negative; null for none.</summary>
/// <param name="BudgetMinorUnits">Discount given by all redemptions together.</param>
public sealed record Limits(long? UsesMax, int? UsesPerCustomerMax, long? BudgetMinorUnits)
{
    public static readonly Limits None = new(null, null, null);
}

/// <summary>One version of a promotion. Versions never change; an edit makes the next one.</summary>
/// <param name="Version">1 for the first. A decision made on a version that is no longer current is priced again.</param>
/// <param name="Currency">ISO 4217 code that amounts are in; a cart in another currency is refused.</param>
/// <param name="StartsAt">Inclusive.</param>
/// <param name="EndsAt">Exclusive; null for open end.</param>
/// <param name="Channels">Empty: all.</param>
/// <param name="ControlShare">Basis points of customers kept out to measure the effect: 0 to 5,000. Must be 0 for codes we did not hand out.</param>
/// <param name="Salt">Keys the arm's hash; made once, kept by later versions.</param>
public sealed record Campaign(
    string Id,
    int Version,
    string Name,
    Distribution Distribution,
    string Currency,
    Benefit Benefit,
    Conditions Conditions,
    Limits Limits,
    EventTime StartsAt,
    EventTime? EndsAt,
    IReadOnlyList<string> Channels,
    int ControlShare,
    string Salt,
    bool Active,
    EventTime CreatedAt);

/// <summary>A coupon that a code names.</summary>
/// <param name="Code">Upper case.</param>
/// <param name="CustomerId">The only customer who may use it; null for anybody.</param>
/// <param name="UsesMax">Uses of this code by all together: 1 for a unique code; null for no limit of its own.</param>
public sealed record Coupon(string Code, string CampaignId, string? CustomerId, long? UsesMax, bool Revoked, EventTime CreatedAt);

/// <summary>The arm of one customer in one campaign. The first assignment in the log wins for ever.</summary>
public enum Arm : byte { None = 0, Treated = 1, Control = 2 }

/// <summary>All that pricing may look at, at one moment: pure data, shared by readers.</summary>
public interface ICampaignSnapshot
{
    /// <summary>Rises with every change of any campaign or coupon.</summary>
    long Revision { get; }
    Campaign? FindCampaign(string campaignId);
    /// <summary>Public campaigns that are active, by id.</summary>
    IReadOnlyList<Campaign> PublicCampaigns { get; }
    /// <summary>The active public campaign that this code names, letter case ignored; of several the first by id. Null when there is none.</summary>
    /// <remarks>As written here it looks at each; a snapshot of many campaigns has an index.</remarks>
    Campaign? FindPublic(string code)
    {
        foreach (var campaign in PublicCampaigns)
            if (campaign.Id.Equals(code, StringComparison.OrdinalIgnoreCase)) return campaign;
        return null;
    }
    Coupon? FindCoupon(string code);
    /// <summary>Coupons assigned to the customer, by code. Empty when none.</summary>
    IReadOnlyList<Coupon> CouponsOf(string customerId);
    /// <summary>The arm recorded first, or None when the customer has not been triggered yet.</summary>
    Arm FindArm(string campaignId, string customerId);
}
