using Promotions.Domain.Decisions;
using Promotions.Ledger.Booking;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>Every row that a batch's commands may read or change, known before the first of them is evaluated.</summary>
internal sealed class Footprint
{
    /// <summary>Command ids, and ids that commands point to.</summary>
    public HashSet<string> Ids { get; } = new(StringComparer.Ordinal);

    /// <summary>Redemptions whose hold may be resolved: their takes are locked and loaded.</summary>
    public HashSet<string> Redemptions { get; } = new(StringComparer.Ordinal);

    /// <summary>Redemptions that may be repeats: their decision is loaded, not what it took.</summary>
    public HashSet<string> Repeats { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Orders { get; } = new(StringComparer.Ordinal);
    public HashSet<AccountKey> Accounts { get; } = [];

    /// <summary>Accounts known by number alone: those of lots that are due.</summary>
    public HashSet<long> AccountIds { get; } = [];

    public HashSet<string> Coupons { get; } = new(StringComparer.Ordinal);
    public HashSet<string> Campaigns { get; } = new(StringComparer.Ordinal);
    public HashSet<(string Campaign, string Customer)> Arms { get; } = [];

    /// <summary>Accounts that get a row even if nothing is posted: a coupon or campaign is changed under the lock of the account that each of its redemptions takes.</summary>
    public HashSet<AccountKey> Fences { get; } = [];

    /// <summary>Tasks whose owners write.</summary>
    public HashSet<string> Tasks { get; } = new(StringComparer.Ordinal);

    /// <summary>False for records and settings alone, which touch no account.</summary>
    public bool HasCommands => Ids.Count > 0;

    public int ExpireMax { get; private set; }

    /// <param name="currencyOf">A campaign's currency, which never changes; null for one that is not there.</param>
    public void Add(PreparedCommand prepared, Func<string, string?> currencyOf)
    {
        var command = prepared.Command;
        Ids.Add(command.Id);
        switch (command)
        {
            case DecideRedemption c: Add(c.Proposal, currencyOf); break;
            case LogTrigger c:
                foreach (var arm in c.Arms) Arms.Add((arm.CampaignId, arm.CustomerId));
                break;
            case CaptureHold c: Resolve(c.RedemptionId); break;
            case VoidHold c: Resolve(c.RedemptionId); break;
            case RecordLabel c: Resolve(c.Label.RedemptionId); break;
            case ExpireDue c: ExpireMax = Math.Max(ExpireMax, c.Max); break;
            case RecordOrder c: Accounts.Add(AccountKey.Balance(c.Order.Customer.Id, AccountKey.Points, AccountKey.Points)); break;
            case RecordReturn c:
                Ids.Add(c.Return.OrderId);
                Orders.Add(c.Return.OrderId);
                break;
            case DepositCash c: Accounts.Add(AccountKey.Balance(c.CustomerId, "cash", c.Currency)); break;
            case GrantPoints c: Accounts.Add(AccountKey.Balance(c.CustomerId, AccountKey.Points, AccountKey.Points)); break;
            case PutCampaign c:
                Campaigns.Add(c.Campaign.Id);
                Fence(AccountKey.CampaignUses(c.Campaign.Id));
                break;
            case AddCoupons c:
                Campaigns.Add(c.CampaignId);
                foreach (var coupon in c.Coupons) Coupons.Add(coupon.Code);
                break;
            case AssignCoupon c:
                Coupons.Add(c.Code);
                Fence(AccountKey.CouponUses(c.Code));
                break;
            case RevokeCoupon c:
                Coupons.Add(c.Code);
                Fence(AccountKey.CouponUses(c.Code));
                break;
        }
    }

    public void Resolve(string redemptionId)
    {
        Ids.Add(redemptionId);
        Redemptions.Add(redemptionId);
    }

    private void Fence(AccountKey key)
    {
        Accounts.Add(key);
        Fences.Add(key);
    }

    private void Add(DecisionProposal proposal, Func<string, string?> currencyOf)
    {
        var customer = proposal.Request.Customer.Id;
        Repeats.Add(proposal.Request.Id);
        foreach (var arm in proposal.Arms) Arms.Add((arm.CampaignId, arm.CustomerId));
        if (proposal.Risk.LetThrough is { Drawn: true }) Accounts.Add(AccountKey.LetThrough(proposal.Request.At, proposal.Request.Cart.Currency));
        foreach (var priced in proposal.Priced.Redeemables)
        {
            if (priced.Coupon is { } coupon) Coupons.Add(coupon.Code);
            if (priced.CampaignId is { } campaign)
            {
                Campaigns.Add(campaign);
                if (currencyOf(campaign) is not { } currency) continue;   // not there: the decision is stale and takes nothing
                if (priced.Coupon is { } used) Accounts.Add(AccountKey.CouponUses(used.Code));
                Accounts.Add(AccountKey.CampaignUses(campaign));
                Accounts.Add(AccountKey.CustomerUses(campaign, customer));
                Accounts.Add(AccountKey.CampaignBudget(campaign, currency));
            }
            else if (AccountKey.Paying(priced.Redeemable.Type, customer, proposal.Request.Cart.Currency) is { } balance)
            {
                Accounts.Add(balance);
            }
        }
    }
}
