using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Ledger.Outbox;

namespace Promotions.Ledger.Booking;

public sealed partial class LedgerMachine
{
    private (LedgerRefusal, string?) Deposit(DepositCash command)
    {
        if (command.Amount < 1) return (LedgerRefusal.InvalidCommand, "amount");
        if (!IsCurrency(command.Currency)) return (LedgerRefusal.InvalidCommand, "currency");
        if (!Identifier.IsValid(command.CustomerId)) return (LedgerRefusal.InvalidCommand, "customer_id");
        var account = state.Account(AccountKey.Balance(command.CustomerId, "cash", command.Currency));
        Post(state.Account(AccountKey.Funding(command.Currency)), Side.Free, account, Side.Free, command.Amount);
        TellBalance(account, command.Amount, 0, "deposit", command.Id);
        return default;
    }

    private (LedgerRefusal, string?) Grant(GrantPoints command)
    {
        if (command.Points < 1) return (LedgerRefusal.InvalidCommand, "points");
        if (!Identifier.IsValid(command.CustomerId)) return (LedgerRefusal.InvalidCommand, "customer_id");
        if (command.ExpiresAt <= _now) return (LedgerRefusal.InvalidCommand, "expires_at");
        Earn(command.CustomerId, command.Points, command.At, command.ExpiresAt, command.Id, "grant");
        return default;
    }

    private void Earn(string customerId, long points, EventTime earnedAt, EventTime? expiresAt, string origin, string cause)
    {
        var account = state.Account(AccountKey.Balance(customerId, AccountKey.Points, AccountKey.Points));
        Post(state.Account(AccountKey.Issuance(AccountKey.Points)), Side.Free, account, Side.Free, points);
        Move(state.OpenLot(account, points, earnedAt, expiresAt, origin), LotMoveKind.Earn, points);
        TellBalance(account, points, 0, cause, origin);
    }

    private (LedgerRefusal, string?) Order(RecordOrder command)
    {
        var order = command.Order;
        if (order.Total < 0) return (LedgerRefusal.InvalidCommand, "total");
        if (command.PointsEarned < 0) return (LedgerRefusal.InvalidCommand, "points_earned");
        _entry.Order = new(_entry.Position, order.Id, order.Customer.Id, order.Cart.Currency, order.Total, 0);
        Tell(OutboxTypes.Order, order.Id, OutboxWriter.Order(order, command.PointsEarned, _entry.Position));
        if (command.PointsEarned > 0) Earn(order.Customer.Id, command.PointsEarned, order.At, command.PointsExpireAt, order.Id, "order");
        return default;
    }

    private (LedgerRefusal, string?) Return(RecordReturn command)
    {
        var returned = command.Return;
        if (returned.Amount < 1) return (LedgerRefusal.InvalidCommand, "amount");
        if (state.FindOrder(returned.OrderId) is not { } order) return (LedgerRefusal.InvalidCommand, "order_id: no such order");
        if (order.CustomerId != returned.CustomerId) return (LedgerRefusal.InvalidCommand, "customer_id: not the order's");
        if (returned.Amount > order.Total - order.Returned) return (LedgerRefusal.InvalidCommand, "amount: more than is left of the order");
        order.Returned += returned.Amount;
        _entry.Returned = order;
        Tell(OutboxTypes.Return, returned.OrderId, OutboxWriter.Return(returned, order.Currency, _entry.Position));
        return default;
    }

    private (LedgerRefusal, string?) Engagement(RecordEngagement command)
    {
        Tell(OutboxTypes.Engagement, command.Engagement.CustomerId, OutboxWriter.Engagement(command.Engagement, _entry.Position));
        return default;
    }

    private (LedgerRefusal, string?) Put(PutCampaign command)
    {
        var campaign = command.Campaign;
        if (FaultOf(campaign) is { } fault) return (LedgerRefusal.InvalidCommand, fault);
        var current = state.FindCampaign(campaign.Id);
        if (campaign.Version != (current?.Version ?? 0) + 1) return (LedgerRefusal.StaleCampaignVersion, null);
        if (current is not null)
        {
            if (current.Currency != campaign.Currency) return (LedgerRefusal.InvalidCommand, "currency: a campaign keeps its currency");
            campaign = campaign with { Salt = current.Salt, CreatedAt = current.CreatedAt };
        }

        _entry.Campaign = campaign;
        Tell(OutboxTypes.Campaign, campaign.Id, OutboxWriter.Campaign(campaign, _entry.Position, _now));
        return default;
    }

    private static string? FaultOf(Campaign campaign)
    {
        if (!Identifier.IsValid(campaign.Id)) return "id";
        if (!IsCurrency(campaign.Currency)) return "currency";
        if (campaign.Distribution is Distribution.None) return "distribution";
        if (campaign.ControlShare is < 0 or > 5_000) return "control_share";
        if (campaign.Limits.UsesMax < 0) return "uses_max";
        if (campaign.Limits.UsesPerCustomerMax < 0) return "uses_per_customer_max";
        if (campaign.Limits.BudgetMinorUnits < 0) return "budget";
        return campaign.EndsAt <= campaign.StartsAt ? "ends_at" : null;
    }

    private (LedgerRefusal, string?) Add(AddCoupons command)
    {
        if (state.FindCampaign(command.CampaignId) is null) return (LedgerRefusal.UnknownCampaign, null);
        if (command.Coupons.Count > CouponsPerCommandMax) return (LedgerRefusal.InvalidCommand, "coupons");
        var codes = new HashSet<string>(command.Coupons.Count, StringComparer.Ordinal);
        foreach (var coupon in command.Coupons)
        {
            if (!Identifier.IsValid(coupon.Code) || coupon.Code.Any(char.IsAsciiLetterLower)) return (LedgerRefusal.InvalidCommand, "code: " + coupon.Code);
            if (coupon.CustomerId is { } customer && !Identifier.IsValid(customer)) return (LedgerRefusal.InvalidCommand, "customer_id: " + customer);
            if (coupon.UsesMax < 1) return (LedgerRefusal.InvalidCommand, "uses_max");
            if (!codes.Add(coupon.Code) || state.FindCoupon(coupon.Code) is not null) return (LedgerRefusal.CodeTaken, coupon.Code);
        }

        foreach (var coupon in command.Coupons)
        {
            var issued = new Coupon(coupon.Code, command.CampaignId, coupon.CustomerId, coupon.UsesMax, false, _now);
            _entry.CouponList.Add(issued);
            Tell(OutboxTypes.CouponIssued, issued.Code, OutboxWriter.CouponIssued(issued, false, _entry.Position, _now));
        }

        return default;
    }

    private (LedgerRefusal, string?) Assign(AssignCoupon command)
    {
        if (!Identifier.IsValid(command.CustomerId)) return (LedgerRefusal.InvalidCommand, "customer_id");
        if (state.FindCoupon(command.Code) is not { } coupon) return (LedgerRefusal.UnknownCoupon, null);
        if (coupon.Revoked) return (LedgerRefusal.UnknownCoupon, "revoked");
        if (coupon.CustomerId == command.CustomerId) return default;
        if (coupon.CustomerId is not null) return (LedgerRefusal.CouponAssigned, null);
        var assigned = coupon with { CustomerId = command.CustomerId };
        _entry.CouponList.Add(assigned);
        Tell(OutboxTypes.CouponIssued, assigned.Code, OutboxWriter.CouponIssued(assigned, true, _entry.Position, _now));
        return default;
    }

    private (LedgerRefusal, string?) Revoke(RevokeCoupon command)
    {
        if (state.FindCoupon(command.Code) is not { } coupon) return (LedgerRefusal.UnknownCoupon, null);
        if (coupon.Revoked) return default;
        var revoked = coupon with { Revoked = true };
        _entry.CouponList.Add(revoked);
        Tell(OutboxTypes.CouponRevoked, revoked.Code, OutboxWriter.CouponRevoked(revoked, _entry.Position, _now));
        return default;
    }
}
