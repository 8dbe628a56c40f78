using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Outbox;

/// <summary>Writes the payloads that README.md describes. Pure; each call returns fresh bytes.</summary>
public static class OutboxWriter
{
    /// <summary>A decision in one call, for those who have both halves: the ledger itself makes them on two threads (<see cref="DecisionPayload"/>).</summary>
    public static byte[] Decision(Decision decision) => DecisionPayload.Of(decision.Proposal)
        .Finish(decision.Position, decision.Status, decision.Refusal, decision.DecidedAt, decision.HoldExpiresAt).ToArray();

    public static byte[] Hold(Decision decision, long position, EventTime at, string? reason) => PayloadJson.Write(json =>
    {
        var request = decision.Proposal.Request;
        json.WriteString("redemption_id"u8, request.Id);
        json.WriteString("customer"u8, request.Customer.Id);
        json.WriteString("channel"u8, request.Channel);
        json.WriteString("currency"u8, request.Cart.Currency);
        json.WriteStartArray("campaigns"u8);
        foreach (var redeemable in decision.Proposal.Priced.Redeemables)
        {
            if (redeemable.CampaignId is null) continue;
            json.WriteStartObject();
            json.WriteString("campaign_id"u8, redeemable.CampaignId);
            PayloadJson.Text(json, "code"u8, redeemable.Coupon?.Code);
            json.WriteNumber("discount"u8, redeemable.Discount);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("position"u8, position);
        PayloadJson.Time(json, "at"u8, at);
        PayloadJson.Text(json, "reason"u8, reason);
    });

    public static byte[] Order(OrderPlaced order, long pointsEarned, long position) => PayloadJson.Write(json =>
    {
        json.WriteString("id"u8, order.Id);
        json.WriteString("customer"u8, order.Customer.Id);
        json.WriteString("channel"u8, order.Channel);
        json.WriteString("currency"u8, order.Cart.Currency);
        json.WriteNumber("total"u8, order.Total);
        json.WriteNumber("subtotal"u8, order.Cart.Subtotal);
        PayloadJson.Text(json, "redemption_id"u8, order.RedemptionId);
        json.WriteNumber("points_earned"u8, pointsEarned);
        json.WriteNumber("position"u8, position);
        PayloadJson.Time(json, "at"u8, order.At);
    });

    public static byte[] Return(OrderReturned returned, string currency, long position) => PayloadJson.Write(json =>
    {
        json.WriteString("id"u8, returned.Id);
        json.WriteString("order_id"u8, returned.OrderId);
        json.WriteString("customer"u8, returned.CustomerId);
        json.WriteString("currency"u8, currency);
        json.WriteNumber("amount"u8, returned.Amount);
        json.WriteNumber("position"u8, position);
        PayloadJson.Time(json, "at"u8, returned.At);
    });

    public static byte[] Label(LabelRecorded label, long position) => PayloadJson.Write(json =>
    {
        json.WriteString("id"u8, label.Id);
        json.WriteString("redemption_id"u8, label.RedemptionId);
        json.WriteBoolean("abuse"u8, label.Abuse);
        json.WriteString("source"u8, label.Source);
        PayloadJson.Text(json, "note"u8, label.Note);
        json.WriteString("actor"u8, label.Actor);
        json.WriteNumber("position"u8, position);
        PayloadJson.Time(json, "at"u8, label.At);
    });

    public static byte[] Engagement(EngagementRecorded engagement, long position) => PayloadJson.Write(json =>
    {
        json.WriteString("id"u8, engagement.Id);
        json.WriteString("customer"u8, engagement.CustomerId);
        json.WriteString("channel"u8, engagement.Channel);
        json.WriteString("engagement_type"u8, engagement.Type);
        json.WriteNumber("position"u8, position);
        PayloadJson.Time(json, "at"u8, engagement.At);
    });

    public static byte[] Arm(ArmAssignment arm, bool first, long position) => PayloadJson.Write(json =>
    {
        json.WriteString("campaign_id"u8, arm.CampaignId);
        json.WriteNumber("version"u8, arm.CampaignVersion);
        json.WriteString("customer"u8, arm.CustomerId);
        json.WriteString("arm"u8, WireName.Of(arm.Arm));
        json.WriteBoolean("ghost_offer"u8, arm.GhostOffer);
        json.WriteBoolean("first"u8, first);
        json.WriteNumber("position"u8, position);
        PayloadJson.Time(json, "at"u8, arm.At);
    });

    public static byte[] CouponIssued(Coupon coupon, bool assigned, long position, EventTime at) => PayloadJson.Write(json =>
    {
        json.WriteString("campaign_id"u8, coupon.CampaignId);
        json.WriteString("code"u8, coupon.Code);
        PayloadJson.Text(json, "customer"u8, coupon.CustomerId);
        PayloadJson.Number(json, "uses_max"u8, coupon.UsesMax);
        json.WriteBoolean("assigned"u8, assigned);
        json.WriteNumber("position"u8, position);
        PayloadJson.Time(json, "at"u8, at);
    });

    public static byte[] CouponRevoked(Coupon coupon, long position, EventTime at) => PayloadJson.Write(json =>
    {
        json.WriteString("campaign_id"u8, coupon.CampaignId);
        json.WriteString("code"u8, coupon.Code);
        PayloadJson.Text(json, "customer"u8, coupon.CustomerId);
        json.WriteNumber("position"u8, position);
        PayloadJson.Time(json, "at"u8, at);
    });

    public static byte[] Campaign(Campaign campaign, long position, EventTime at) => PayloadJson.Write(json =>
    {
        json.WriteString("id"u8, campaign.Id);
        json.WriteNumber("version"u8, campaign.Version);
        json.WriteString("name"u8, campaign.Name);
        json.WriteString("distribution"u8, WireName.Of(campaign.Distribution));
        json.WriteString("currency"u8, campaign.Currency);
        json.WriteString("benefit_type"u8, WireName.Of(campaign.Benefit.Type));
        json.WriteNumber("basis_points"u8, campaign.Benefit.BasisPoints);
        json.WriteNumber("amount"u8, campaign.Benefit.AmountMinorUnits);
        json.WriteNumber("control_share"u8, campaign.ControlShare);
        PayloadJson.Number(json, "budget"u8, campaign.Limits.BudgetMinorUnits);
        PayloadJson.Number(json, "uses_max"u8, campaign.Limits.UsesMax);
        PayloadJson.Number(json, "uses_per_customer_max"u8, campaign.Limits.UsesPerCustomerMax);
        json.WriteBoolean("active"u8, campaign.Active);
        PayloadJson.Time(json, "starts_at"u8, campaign.StartsAt);
        PayloadJson.OptionalTime(json, "ends_at"u8, campaign.EndsAt);
        json.WriteNumber("position"u8, position);
        PayloadJson.Time(json, "at"u8, at);
    });

    /// <param name="available">Change of what can be spent; <paramref name="held"/>: change of what is reserved.</param>
    public static byte[] BalanceChanged(
        string customer, string segment, string unit, long available, long held, string cause, string reference, long position, EventTime at) => PayloadJson.Write(json =>
    {
        json.WriteString("customer"u8, customer);
        json.WriteString("segment"u8, segment);
        json.WriteString("unit"u8, unit);
        json.WriteNumber("available"u8, available);
        json.WriteNumber("held"u8, held);
        json.WriteString("cause"u8, cause);
        json.WriteString("ref"u8, reference);
        json.WriteNumber("position"u8, position);
        PayloadJson.Time(json, "at"u8, at);
    });
}
