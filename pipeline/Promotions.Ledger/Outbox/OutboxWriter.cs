using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Outbox;

/// <summary>Writes the payloads that README.md describes. Pure; each call returns fresh bytes.</summary>
public static class OutboxWriter
{
    private static readonly JsonWriterOptions Raw = new() { SkipValidation = true };

    /// <summary>All of a decision that is known before the ledger decided, without the closing brace: made off the writer's thread.</summary>
    public static byte[] DecisionHead(DecisionProposal proposal)
    {
        var bytes = Write(json =>
        {
            var request = proposal.Request;
            var priced = proposal.Priced;
            json.WriteString("id", request.Id);
            json.WriteString("kind", WireName.Of(request.Kind));
            Time(json, "at", request.At);
            json.WriteString("customer", request.Customer.Id);
            json.WriteString("channel", request.Channel);
            json.WriteString("order_id", request.Cart.OrderId);
            json.WriteString("currency", request.Cart.Currency);
            json.WriteNumber("order_subtotal", priced.Subtotal);
            json.WriteNumber("order_total", priced.Total);
            json.WriteNumber("discount", priced.Discount);
            json.WriteStartArray("redeemables");
            foreach (var redeemable in priced.Redeemables) WriteRedeemable(json, redeemable);
            json.WriteEndArray();
            WriteRisk(json, proposal.Risk);
            WriteEntities(json, proposal.Entities);
        });
        return bytes[..^1];
    }

    /// <summary>The rest of a decision, closing brace included.</summary>
    public static byte[] Decision(ReadOnlySpan<byte> head, Decision decision)
    {
        var tail = Write(json =>
        {
            json.WriteString("status", WireName.Of(decision.Status));
            Code(json, "refusal", decision.Refusal);
            json.WriteNumber("position", decision.Position);
            Time(json, "decided_at", decision.DecidedAt);
            OptionalTime(json, "hold_expires_at", decision.HoldExpiresAt);
        });
        var whole = new byte[head.Length + tail.Length];
        head.CopyTo(whole);
        tail.CopyTo(whole.AsSpan(head.Length));
        whole[head.Length] = (byte)',';
        return whole;
    }

    public static byte[] Hold(Decision decision, long position, EventTime at, string? reason) => Write(json =>
    {
        var request = decision.Proposal.Request;
        json.WriteString("redemption_id", request.Id);
        json.WriteString("customer", request.Customer.Id);
        json.WriteString("channel", request.Channel);
        json.WriteString("currency", request.Cart.Currency);
        json.WriteStartArray("campaigns");
        foreach (var redeemable in decision.Proposal.Priced.Redeemables)
        {
            if (redeemable.CampaignId is null) continue;
            json.WriteStartObject();
            json.WriteString("campaign_id", redeemable.CampaignId);
            Text(json, "code", redeemable.Coupon?.Code);
            json.WriteNumber("discount", redeemable.Discount);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("position", position);
        Time(json, "at", at);
        Text(json, "reason", reason);
    });

    public static byte[] Order(OrderPlaced order, long pointsEarned, long position) => Write(json =>
    {
        json.WriteString("id", order.Id);
        json.WriteString("customer", order.Customer.Id);
        json.WriteString("channel", order.Channel);
        json.WriteString("currency", order.Cart.Currency);
        json.WriteNumber("total", order.Total);
        json.WriteNumber("subtotal", order.Cart.Subtotal);
        Text(json, "redemption_id", order.RedemptionId);
        json.WriteNumber("points_earned", pointsEarned);
        json.WriteNumber("position", position);
        Time(json, "at", order.At);
    });

    public static byte[] Return(OrderReturned returned, string currency, long position) => Write(json =>
    {
        json.WriteString("id", returned.Id);
        json.WriteString("order_id", returned.OrderId);
        json.WriteString("customer", returned.CustomerId);
        json.WriteString("currency", currency);
        json.WriteNumber("amount", returned.Amount);
        json.WriteNumber("position", position);
        Time(json, "at", returned.At);
    });

    public static byte[] Label(LabelRecorded label, long position) => Write(json =>
    {
        json.WriteString("id", label.Id);
        json.WriteString("redemption_id", label.RedemptionId);
        json.WriteBoolean("abuse", label.Abuse);
        json.WriteString("source", label.Source);
        Text(json, "note", label.Note);
        json.WriteString("actor", label.Actor);
        json.WriteNumber("position", position);
        Time(json, "at", label.At);
    });

    public static byte[] Engagement(EngagementRecorded engagement, long position) => Write(json =>
    {
        json.WriteString("id", engagement.Id);
        json.WriteString("customer", engagement.CustomerId);
        json.WriteString("channel", engagement.Channel);
        json.WriteString("engagement_type", engagement.Type);
        json.WriteNumber("position", position);
        Time(json, "at", engagement.At);
    });

    public static byte[] Arm(ArmAssignment arm, bool first, long position) => Write(json =>
    {
        json.WriteString("campaign_id", arm.CampaignId);
        json.WriteNumber("version", arm.CampaignVersion);
        json.WriteString("customer", arm.CustomerId);
        json.WriteString("arm", WireName.Of(arm.Arm));
        json.WriteBoolean("ghost_offer", arm.GhostOffer);
        json.WriteBoolean("first", first);
        json.WriteNumber("position", position);
        Time(json, "at", arm.At);
    });

    public static byte[] CouponIssued(Coupon coupon, bool assigned, long position, EventTime at) => Write(json =>
    {
        json.WriteString("campaign_id", coupon.CampaignId);
        json.WriteString("code", coupon.Code);
        Text(json, "customer", coupon.CustomerId);
        Number(json, "uses_max", coupon.UsesMax);
        json.WriteBoolean("assigned", assigned);
        json.WriteNumber("position", position);
        Time(json, "at", at);
    });

    public static byte[] CouponRevoked(Coupon coupon, long position, EventTime at) => Write(json =>
    {
        json.WriteString("campaign_id", coupon.CampaignId);
        json.WriteString("code", coupon.Code);
        Text(json, "customer", coupon.CustomerId);
        json.WriteNumber("position", position);
        Time(json, "at", at);
    });

    public static byte[] Campaign(Campaign campaign, long position, EventTime at) => Write(json =>
    {
        json.WriteString("id", campaign.Id);
        json.WriteNumber("version", campaign.Version);
        json.WriteString("name", campaign.Name);
        json.WriteString("distribution", WireName.Of(campaign.Distribution));
        json.WriteString("currency", campaign.Currency);
        json.WriteString("benefit_type", WireName.Of(campaign.Benefit.Type));
        json.WriteNumber("basis_points", campaign.Benefit.BasisPoints);
        json.WriteNumber("amount", campaign.Benefit.AmountMinorUnits);
        json.WriteNumber("control_share", campaign.ControlShare);
        Number(json, "budget", campaign.Limits.BudgetMinorUnits);
        Number(json, "uses_max", campaign.Limits.UsesMax);
        Number(json, "uses_per_customer_max", campaign.Limits.UsesPerCustomerMax);
        json.WriteBoolean("active", campaign.Active);
        Time(json, "starts_at", campaign.StartsAt);
        OptionalTime(json, "ends_at", campaign.EndsAt);
        json.WriteNumber("position", position);
        Time(json, "at", at);
    });

    /// <param name="available">Change of what can be spent; <paramref name="held"/>: change of what is reserved.</param>
    public static byte[] BalanceChanged(
        string customer, string segment, string unit, long available, long held, string cause, string reference, long position, EventTime at) => Write(json =>
    {
        json.WriteString("customer", customer);
        json.WriteString("segment", segment);
        json.WriteString("unit", unit);
        json.WriteNumber("available", available);
        json.WriteNumber("held", held);
        json.WriteString("cause", cause);
        json.WriteString("ref", reference);
        json.WriteNumber("position", position);
        Time(json, "at", at);
    });

    private static void WriteRedeemable(Utf8JsonWriter json, PricedRedeemable redeemable)
    {
        json.WriteStartObject();
        json.WriteString("type", WireName.Of(redeemable.Redeemable.Type));
        Text(json, "campaign_id", redeemable.CampaignId);
        json.WriteNumber("campaign_version", redeemable.CampaignVersion);
        Text(json, "code", redeemable.Redeemable.Code);
        json.WriteNumber("discount", redeemable.Discount);
        json.WriteNumber("tender", redeemable.Tender);
        json.WriteString("arm", WireName.Of(redeemable.Arm));
        json.WriteBoolean("withheld", redeemable.WithheldForControl);
        Code(json, "refusal", redeemable.Refusal);
        json.WriteEndObject();
    }

    private static void WriteRisk(Utf8JsonWriter json, RiskAssessment risk)
    {
        json.WriteStartObject("risk");
        Real(json, "probability", risk.Probability);
        Real(json, "raw_score", risk.RawScore);
        json.WriteString("verdict", WireName.Of(risk.Verdict));
        json.WriteString("model_hash", risk.ModelHash);
        json.WriteString("layout_hash", risk.LayoutHash.ToString("x16", CultureInfo.InvariantCulture));
        json.WriteNumber("policy_version", risk.PolicyVersion);
        json.WriteNumber("late_mask", risk.LateMask);
        Text(json, "hard_rule", risk.HardRule);
        Text(json, "scorer_fault", risk.ScorerFault);
        json.WriteStartArray("reasons");
        foreach (var reason in risk.Reasons)
        {
            json.WriteStartObject();
            json.WriteString("feature", reason.Feature);
            json.WriteString("sentence", reason.Sentence);
            Real(json, "value", reason.Value);
            Real(json, "contribution", reason.Contribution);
            Text(json, "entity", reason.Entity);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteEntities(Utf8JsonWriter json, AttemptEntities entities)
    {
        json.WriteStartObject("entities");
        Text(json, "device", entities.Device);
        Text(json, "ip", entities.Ip);
        Text(json, "network", entities.Network);
        Text(json, "payment_token", entities.PaymentToken);
        Text(json, "address", entities.Address);
        json.WriteStartArray("codes");
        foreach (var code in entities.Codes) json.WriteStringValue(code);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static byte[] Write(Action<Utf8JsonWriter> fields)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Raw))
        {
            json.WriteStartObject();
            fields(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Time(Utf8JsonWriter json, string name, EventTime at)
    {
        Span<char> text = stackalloc char[32];
        at.ToDateTimeOffset().TryFormat(text, out var length, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        json.WriteString(name, text[..length]);
    }

    private static void OptionalTime(Utf8JsonWriter json, string name, EventTime? at)
    {
        if (at is { } time) Time(json, name, time);
        else json.WriteNull(name);
    }

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is null) json.WriteNull(name);
        else json.WriteString(name, value);
    }

    private static void Number(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number) json.WriteNumber(name, number);
        else json.WriteNull(name);
    }

    private static void Real(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }

    private static void Code(Utf8JsonWriter json, string name, RefusalCode code)
    {
        if (code is RefusalCode.None) json.WriteNull(name);
        else json.WriteString(name, WireName.Of(code));
    }
}
