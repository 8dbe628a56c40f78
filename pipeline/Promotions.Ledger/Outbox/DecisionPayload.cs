using System.Text;
using System.Text.Json;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Outbox;

/// <summary>A decision as followers are told it, made in two steps: all that is known before the ledger decides on the caller's thread, the few fields of
/// the answer on the writer's, behind it in the same bytes.</summary>
public sealed class DecisionPayload
{
    /// <summary>The answer's fields take 190 bytes at most: the longest refusal, two times and a position of 19 digits.</summary>
    private const int TailMax = 256;

    private readonly byte[] _bytes;
    private readonly int _head;
    private bool _finished;

    private DecisionPayload(byte[] bytes, int head) => (_bytes, _head) = (bytes, head);

    public static DecisionPayload Of(DecisionProposal proposal)
    {
        var json = PayloadJson.Start();
        var request = proposal.Request;
        var priced = proposal.Priced;
        json.WriteString("id"u8, request.Id);
        json.WriteString("kind"u8, WireName.Of(request.Kind));
        PayloadJson.Time(json, "at"u8, request.At);
        json.WriteString("customer"u8, request.Customer.Id);
        json.WriteString("channel"u8, request.Channel);
        json.WriteString("order_id"u8, request.Cart.OrderId);
        json.WriteString("currency"u8, request.Cart.Currency);
        json.WriteNumber("order_subtotal"u8, priced.Subtotal);
        json.WriteNumber("order_total"u8, priced.Total);
        json.WriteNumber("discount"u8, priced.Discount);
        json.WriteStartArray("redeemables"u8);
        foreach (var redeemable in priced.Redeemables) WriteRedeemable(json, redeemable);
        json.WriteEndArray();
        WriteRisk(json, proposal.Risk);
        WriteEntities(json, proposal.Entities);
        var open = PayloadJson.EndOpen(TailMax, out var head);
        return new(open, head);
    }

    /// <summary>The whole payload. The first call writes into the bytes that were made for it, later ones into a copy: what was handed out never changes.</summary>
    public ReadOnlyMemory<byte> Finish(long position, RedemptionStatus status, RefusalCode refusal, EventTime decidedAt, EventTime? holdExpiresAt)
    {
        var bytes = _finished ? _bytes.AsSpan().ToArray() : _bytes;
        _finished = true;
        var tail = new Tail(bytes.AsSpan(_head));
        tail.Put(",\"status\":\""u8);
        tail.Put(WireName.Of(status));
        tail.Put("\",\"refusal\":"u8);
        if (refusal is RefusalCode.None)
        {
            tail.Put("null"u8);
        }
        else
        {
            tail.Put("\""u8);
            tail.Put(WireName.Of(refusal));
            tail.Put("\""u8);
        }

        tail.Put(",\"position\":"u8);
        tail.Put(position);
        tail.Put(",\"decided_at\":"u8);
        tail.Put(decidedAt);
        tail.Put(",\"hold_expires_at\":"u8);
        if (holdExpiresAt is { } end) tail.Put(end);
        else tail.Put("null"u8);
        tail.Put("}"u8);
        return bytes.AsMemory(0, _head + tail.Length);
    }

    private static void WriteRedeemable(Utf8JsonWriter json, PricedRedeemable redeemable)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, WireName.Of(redeemable.Redeemable.Type));
        PayloadJson.Text(json, "campaign_id"u8, redeemable.CampaignId);
        json.WriteNumber("campaign_version"u8, redeemable.CampaignVersion);
        PayloadJson.Text(json, "code"u8, redeemable.Redeemable.Code);
        json.WriteNumber("discount"u8, redeemable.Discount);
        json.WriteNumber("tender"u8, redeemable.Tender);
        json.WriteString("arm"u8, WireName.Of(redeemable.Arm));
        json.WriteBoolean("withheld"u8, redeemable.WithheldForControl);
        PayloadJson.Code(json, "refusal"u8, redeemable.Refusal);
        json.WriteEndObject();
    }

    private static void WriteRisk(Utf8JsonWriter json, RiskAssessment risk)
    {
        Span<byte> layout = stackalloc byte[16];
        risk.LayoutHash.TryFormat(layout, out _, "x16", null);
        json.WriteStartObject("risk"u8);
        PayloadJson.Real(json, "probability"u8, risk.Probability);
        PayloadJson.Real(json, "raw_score"u8, risk.RawScore);
        json.WriteString("verdict"u8, WireName.Of(risk.Verdict));
        json.WriteString("model_hash"u8, risk.ModelHash);
        json.WriteString("layout_hash"u8, layout);
        json.WriteNumber("policy_version"u8, risk.PolicyVersion);
        json.WriteNumber("late_mask"u8, risk.LateMask);
        PayloadJson.Text(json, "hard_rule"u8, risk.HardRule);
        PayloadJson.Text(json, "scorer_fault"u8, risk.ScorerFault);
        if (risk.LetThrough is { } draw)
        {
            json.WriteStartObject("let_through"u8);
            json.WriteNumber("propensity"u8, draw.Propensity);
            json.WriteBoolean("drawn"u8, draw.Drawn);
            json.WriteNumber("value"u8, draw.Value);
            json.WriteNumber("value_per_day_max"u8, draw.ValuePerDayMax);
            json.WriteEndObject();
        }

        json.WriteStartArray("reasons"u8);
        foreach (var reason in risk.Reasons)
        {
            json.WriteStartObject();
            json.WriteString("feature"u8, reason.Feature);
            json.WriteString("sentence"u8, reason.Sentence);
            PayloadJson.Real(json, "value"u8, reason.Value);
            PayloadJson.Real(json, "contribution"u8, reason.Contribution);
            PayloadJson.Text(json, "entity"u8, reason.Entity);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteEntities(Utf8JsonWriter json, AttemptEntities entities)
    {
        json.WriteStartObject("entities"u8);
        PayloadJson.Text(json, "device"u8, entities.Device);
        PayloadJson.Text(json, "ip"u8, entities.Ip);
        PayloadJson.Text(json, "network"u8, entities.Network);
        PayloadJson.Text(json, "payment_token"u8, entities.PaymentToken);
        PayloadJson.Text(json, "address"u8, entities.Address);
        json.WriteStartArray("codes"u8);
        foreach (var code in entities.Codes) json.WriteStringValue(code);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Fields that need no escaping: names of enum members, numbers and times.</summary>
    private ref struct Tail(Span<byte> room)
    {
        private readonly Span<byte> _room = room;

        public int Length { get; private set; }

        public void Put(ReadOnlySpan<byte> text)
        {
            text.CopyTo(_room[Length..]);
            Length += text.Length;
        }

        public void Put(string text) => Length += Encoding.ASCII.GetBytes(text, _room[Length..]);

        public void Put(long number)
        {
            if (!number.TryFormat(_room[Length..], out var written)) throw new InvalidOperationException("A decision's tail is longer than its room.");
            Length += written;
        }

        public void Put(EventTime at)
        {
            Put("\""u8);
            Length += PayloadJson.Format(at, _room[Length..]);
            Put("\""u8);
        }
    }
}
