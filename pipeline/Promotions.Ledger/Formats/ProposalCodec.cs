using System.Runtime.InteropServices;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Formats;

/// <summary>A decision's document: everything of the proposal but its vector, which is kept beside it as plain float32.</summary>
/// <remarks>The first byte is the format's version. A later version is added, never changed: recorded decisions are read for ever.</remarks>
public static class ProposalCodec
{
    private const byte Version = 1;
    /// <summary>Version 1 and the challengers' scores behind it. Written only where there are any: a decision without has the bytes it always had.</summary>
    private const byte WithShadow = 2;
    /// <summary>Version 2, challengers or none, and the attempt's origin behind it. Written only where there is one.</summary>
    private const byte WithOrigin = 3;
    /// <summary>Version 3, an origin or none, and the draw of a would-be block behind it. Written only where there was one.</summary>
    private const byte WithLetThrough = 4;

    /// <summary>The document on its own, for a topic.</summary>
    public static byte[] Encode(DecisionProposal proposal)
    {
        var to = new ByteWriter(1024);
        Encode(to, proposal);
        return to.ToArray();
    }

    internal static void Encode(ByteWriter to, DecisionProposal proposal)
    {
        var version = proposal.Risk.LetThrough is not null ? WithLetThrough : proposal.Request.Origin != default ? WithOrigin : proposal.Risk.Shadow.Count > 0 ? WithShadow : Version;
        to.Byte(version);
        Write(to, proposal.Request);
        Write(to, proposal.Entities);
        Write(to, proposal.Priced);
        to.Byte((byte)proposal.Proposed);
        to.Int32((short)proposal.Refusal);
        Write(to, proposal.Risk);
        to.Int32(proposal.Arms.Count);
        foreach (var arm in proposal.Arms)
        {
            to.Text(arm.CampaignId);
            to.Int32(arm.CampaignVersion);
            to.Text(arm.CustomerId);
            to.Byte((byte)arm.Arm);
            to.Flag(arm.GhostOffer);
            to.Int64(arm.At.UnixMilliseconds);
        }

        to.Int64(proposal.HoldFor.Ticks);
        if (version >= WithShadow) Write(to, proposal.Risk.Shadow);
        if (version >= WithOrigin) to.Int64(proposal.Request.Origin.Packed);
        if (proposal.Risk.LetThrough is not { } draw) return;
        to.Double(draw.Propensity);
        to.Flag(draw.Drawn);
        to.Int64(draw.Value);
        to.Int64(draw.ValuePerDayMax);
    }

    /// <summary>float32, little endian, in the layout's order; the bits are kept, NaN payloads too.</summary>
    internal static ReadOnlySpan<byte> BytesOf(ReadOnlyMemory<float> vector) => MemoryMarshal.AsBytes(vector.Span);

    /// <exception cref="FormatException">The document is damaged or of a newer version.</exception>
    public static DecisionProposal Decode(ReadOnlySpan<byte> document, ReadOnlySpan<byte> vector)
    {
        var from = new ByteReader(document);
        var version = from.Byte();
        if (version is not (>= Version and <= WithLetThrough)) throw new FormatException($"A decision's document has version {version}; this build reads {Version} to {WithLetThrough}.");
        var request = ReadRequest(ref from);
        var entities = ReadEntities(ref from);
        var priced = ReadCart(ref from);
        var proposed = (RedemptionStatus)from.Byte();
        var refusal = (RefusalCode)from.Int32();
        var risk = ReadRisk(ref from, MemoryMarshal.Cast<byte, float>(vector).ToArray());
        var arms = new ArmAssignment[from.Int32()];
        for (var i = 0; i < arms.Length; i++)
            arms[i] = new(from.RequiredText(), from.Int32(), from.RequiredText(), (Arm)from.Byte(), from.Flag(), new(from.Int64()));
        var holdFor = new TimeSpan(from.Int64());
        if (version >= WithShadow) risk = risk with { Shadow = ReadShadow(ref from) };
        if (version >= WithOrigin) request = request with { Origin = AttemptOrigin.Unpack(from.Int64()) };
        if (version == WithLetThrough) risk = risk with { LetThrough = new(from.Double(), from.Flag(), from.Int64(), from.Int64()) };
        return new(request, entities, priced, proposed, refusal, risk, arms, holdFor);
    }

    private static void Write(ByteWriter to, RedemptionRequest request)
    {
        to.Byte((byte)request.Kind);
        to.Text(request.Id);
        to.Text(request.Channel);
        to.Text(request.ApiKeyId);
        to.Text(request.Customer.Id);
        to.OptionalInt64(request.Customer.RegisteredAt?.UnixMilliseconds);
        to.Text(request.Cart.OrderId);
        to.Text(request.Cart.Currency);
        to.Int32(request.Cart.Lines.Count);
        foreach (var line in request.Cart.Lines)
        {
            to.Text(line.Line);
            to.Text(line.Sku);
            to.Text(line.Category);
            to.Int32(line.Quantity);
            to.Int64(line.UnitPrice);
        }

        to.Int64(request.Cart.Shipping);
        to.Int32(request.Redeemables.Count);
        foreach (var redeemable in request.Redeemables) Write(to, redeemable);
        to.Text(request.Context.DeviceId);
        to.Text(request.Context.Ip);
        to.Text(request.Context.UserAgent);
        to.Text(request.Context.PaymentToken);
        to.Text(request.Context.AddressId);
        to.Text(request.Context.Session);
        to.Int64(request.At.UnixMilliseconds);
        to.OptionalInt64(request.OccurredAt?.UnixMilliseconds);
        to.OptionalInt64(request.Deadline?.UnixMilliseconds);
        to.Bytes(request.RequestHash.Span);
        to.Int64(request.LateByMs);
    }

    private static RedemptionRequest ReadRequest(ref ByteReader from)
    {
        var kind = (AttemptKind)from.Byte();
        var id = from.RequiredText();
        var channel = from.RequiredText();
        var apiKeyId = from.RequiredText();
        var customer = new CustomerRef(from.RequiredText(), Time(from.OptionalInt64()));
        var orderId = from.RequiredText();
        var currency = from.RequiredText();
        var lines = new CartLine[from.Int32()];
        for (var i = 0; i < lines.Length; i++)
            lines[i] = new(from.RequiredText(), from.RequiredText(), from.Text(), from.Int32(), from.Int64());
        var shipping = from.Int64();
        var redeemables = new Redeemable[from.Int32()];
        for (var i = 0; i < redeemables.Length; i++) redeemables[i] = ReadRedeemable(ref from);
        var context = new AttemptContext(from.Text(), from.Text(), from.Text(), from.Text(), from.Text(), from.Text());
        return new(kind, id, channel, apiKeyId, customer, new(orderId, currency, lines, shipping), redeemables, context,
            new(from.Int64()), Time(from.OptionalInt64()), Time(from.OptionalInt64()), from.Bytes(), from.Int64());
    }

    private static void Write(ByteWriter to, AttemptEntities entities)
    {
        to.Text(entities.Customer);
        to.Text(entities.Device);
        to.Text(entities.Ip);
        to.Text(entities.Network);
        to.Int32(entities.Codes.Count);
        foreach (var code in entities.Codes) to.Text(code);
        to.Text(entities.PaymentToken);
        to.Text(entities.Address);
    }

    private static AttemptEntities ReadEntities(ref ByteReader from)
    {
        var customer = from.RequiredText();
        var device = from.Text();
        var ip = from.Text();
        var network = from.Text();
        var codes = new string[from.Int32()];
        for (var i = 0; i < codes.Length; i++) codes[i] = from.RequiredText();
        return new(customer, device, ip, network, codes, from.Text(), from.Text());
    }

    private static void Write(ByteWriter to, PricedCart cart)
    {
        to.Int32((short)cart.Refusal);
        to.Int32(cart.Redeemables.Count);
        foreach (var priced in cart.Redeemables)
        {
            Write(to, priced.Redeemable);
            to.Text(priced.CampaignId);
            to.Int32(priced.CampaignVersion);
            to.Flag(priced.Coupon is not null);
            if (priced.Coupon is { } coupon) CouponCodec.Write(to, coupon);
            to.Int32((short)priced.Refusal);
            to.Int64(priced.Discount);
            to.Int64(priced.Tender);
            to.Byte((byte)priced.Arm);
            to.Flag(priced.WithheldForControl);
            to.Flag(priced.UnknownCode);
        }

        to.Int32(cart.LineDiscounts.Count);
        foreach (var line in cart.LineDiscounts)
        {
            to.Text(line.Line);
            to.Text(line.Code);
            to.Text(line.CampaignId);
            to.Int64(line.Amount);
        }

        to.Int64(cart.Subtotal);
        to.Int64(cart.Discount);
        to.Int64(cart.Total);
        to.Int64(cart.Due);
    }

    private static PricedCart ReadCart(ref ByteReader from)
    {
        var refusal = (RefusalCode)from.Int32();
        var redeemables = new PricedRedeemable[from.Int32()];
        for (var i = 0; i < redeemables.Length; i++)
        {
            var redeemable = ReadRedeemable(ref from);
            var campaignId = from.Text();
            var version = from.Int32();
            var coupon = from.Flag() ? CouponCodec.Read(ref from) : null;
            redeemables[i] = new(redeemable, campaignId, version, coupon, (RefusalCode)from.Int32(), from.Int64(), from.Int64(), (Arm)from.Byte(), from.Flag(), from.Flag());
        }

        var lines = new LineDiscount[from.Int32()];
        for (var i = 0; i < lines.Length; i++) lines[i] = new(from.RequiredText(), from.RequiredText(), from.RequiredText(), from.Int64());
        return new(refusal, redeemables, lines, from.Int64(), from.Int64(), from.Int64(), from.Int64());
    }

    private static void Write(ByteWriter to, RiskAssessment risk)
    {
        to.Double(risk.Probability);
        to.Double(risk.RawScore);
        to.Byte((byte)risk.Verdict);
        to.Int32(risk.Reasons.Count);
        foreach (var reason in risk.Reasons)
        {
            to.Text(reason.Feature);
            to.Text(reason.Sentence);
            to.Single(reason.Value);
            to.Double(reason.Contribution);
            to.Text(reason.Entity);
        }

        to.UInt32(risk.LateMask);
        to.Text(risk.ModelHash);
        to.UInt64(risk.LayoutHash);
        to.Int32(risk.PolicyVersion);
        to.Text(risk.ScorerFault);
        to.Text(risk.HardRule);
    }

    private static RiskAssessment ReadRisk(ref ByteReader from, float[] vector)
    {
        var probability = from.Double();
        var raw = from.Double();
        var verdict = (RedemptionStatus)from.Byte();
        var reasons = new RiskReason[from.Int32()];
        for (var i = 0; i < reasons.Length; i++)
            reasons[i] = new(from.RequiredText(), from.RequiredText(), from.Single(), from.Double(), from.Text());
        return new(probability, raw, verdict, reasons, vector, from.UInt32(), from.RequiredText(), from.UInt64(), from.Int32(), from.Text(), from.Text());
    }

    private static void Write(ByteWriter to, IReadOnlyList<ShadowScore> shadow)
    {
        to.Int32(shadow.Count);
        foreach (var score in shadow)
        {
            to.Text(score.ModelHash);
            to.Double(score.Probability);
            to.Double(score.RawScore);
            to.Byte((byte)score.Verdict);
            to.Text(score.Fault);
        }
    }

    private static ShadowScore[] ReadShadow(ref ByteReader from)
    {
        var shadow = new ShadowScore[from.Int32()];
        for (var i = 0; i < shadow.Length; i++) shadow[i] = new(from.RequiredText(), from.Double(), from.Double(), (RedemptionStatus)from.Byte(), from.Text());
        return shadow;
    }

    private static void Write(ByteWriter to, Redeemable redeemable)
    {
        to.Byte((byte)redeemable.Type);
        to.Text(redeemable.Code);
        to.Int64(redeemable.Amount);
    }

    private static Redeemable ReadRedeemable(ref ByteReader from) => new((RedeemableType)from.Byte(), from.Text(), from.Int64());

    private static EventTime? Time(long? milliseconds) => milliseconds is { } ms ? new EventTime(ms) : null;
}

/// <summary>A coupon's fields inside other documents.</summary>
internal static class CouponCodec
{
    internal static void Write(ByteWriter to, Coupon coupon)
    {
        to.Text(coupon.Code);
        to.Text(coupon.CampaignId);
        to.Text(coupon.CustomerId);
        to.OptionalInt64(coupon.UsesMax);
        to.Flag(coupon.Revoked);
        to.Int64(coupon.CreatedAt.UnixMilliseconds);
    }

    internal static Coupon Read(ref ByteReader from) =>
        new(from.RequiredText(), from.RequiredText(), from.Text(), from.OptionalInt64(), from.Flag(), new(from.Int64()));
}
