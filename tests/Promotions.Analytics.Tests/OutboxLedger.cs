using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Ledger.Outbox;

namespace Promotions.Analytics.Tests;

/// <summary>An outbox that tests write, a fact a call.</summary>
internal sealed class OutboxLedger : MemoryOutbox
{
    public static readonly EventTime Start = EventTime.From(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));

    public static EventTime At(double days) => Start.Plus(TimeSpan.FromDays(days));

    public OutboxLedger Campaign(string id, int controlShare, Distribution distribution = Distribution.Public, EventTime? endsAt = null, int version = 1, string currency = "EUR")
    {
        var campaign = new Campaign(id, version, "Campaign " + id, distribution, currency, new(BenefitType.PercentOff, 1_000, 0, false, null), Conditions.None, Limits.None,
            Start, endsAt, [], controlShare, "salt", true, Start);
        return Add(OutboxTypes.Campaign, id, Start, OutboxWriter.Campaign(campaign, Next, Start));
    }

    public OutboxLedger Triggered(string campaign, string customer, Arm arm, EventTime at, bool ghost = false, bool first = true, int version = 1) =>
        Add(OutboxTypes.Arm, customer, at, OutboxWriter.Arm(new(campaign, version, customer, arm, ghost, at), first, Next));

    public OutboxLedger Order(string id, string customer, long total, EventTime at, string currency = "EUR") => Add(OutboxTypes.Order, id, at, OutboxWriter.Order(
        new(id, "web", "key", new(customer, null), new(id, currency, [new("1", "sku", null, 1, total)], 0), total, null, at, null, default), 0, Next));

    public OutboxLedger Return(string id, string order, string customer, long amount, EventTime at, string currency = "EUR") =>
        Add(OutboxTypes.Return, order, at, OutboxWriter.Return(new(id, order, customer, amount, at, default), currency, Next));

    public OutboxLedger Coupon(string campaign, string code, string? customer, long? usesMax, EventTime at) =>
        Add(OutboxTypes.CouponIssued, code, at, OutboxWriter.CouponIssued(new(code, campaign, customer, usesMax, false, at), false, Next, at));

    public OutboxLedger Revoked(string campaign, string code, EventTime at) =>
        Add(OutboxTypes.CouponRevoked, code, at, OutboxWriter.CouponRevoked(new(code, campaign, null, 1, true, at), Next, at));

    public OutboxLedger Label(string redemption, bool abuse, EventTime at) => Add(OutboxTypes.Label, redemption, at, OutboxWriter.Label(
        new("label-" + redemption, redemption, abuse, "review", null, "admin", at, new("c", null, null, null, [], null, null)), Next));

    /// <summary>A decision; <paramref name="captured"/> and it is captured a minute later.</summary>
    public OutboxLedger Redemption(string id, string campaign, string customer, string code, RedemptionStatus status, long discount, EventTime at, bool captured = false, LetThroughDraw? draw = null, string currency = "EUR")
    {
        var coupon = new Coupon(code, campaign, customer, 1, false, Start);
        var redeemable = new Redeemable(RedeemableType.Coupon, code, 0);
        var request = new RedemptionRequest(AttemptKind.Redemption, id, "web", "key", new(customer, null), new("order-" + id, currency, [new("1", "sku", null, 1, 10_000)], 0), [redeemable],
            AttemptContext.None, at, null, null, default);
        var priced = new PricedCart(RefusalCode.None, [new(redeemable, campaign, 1, coupon, RefusalCode.None, discount, 0, Arm.Treated, false, false)],
            [new("1", code, campaign, discount)], 10_000, discount, 10_000 - discount, 10_000 - discount);
        var risk = new RiskAssessment(0.1, -2.2, RedemptionStatus.Approved, [], new float[] { 1, float.NaN }, 0, "model", 1, 1, null, null) { LetThrough = draw };
        var proposal = new DecisionProposal(request, new(customer, "device", null, null, [code], null, null), priced, status, RefusalCode.None, risk, [], TimeSpan.FromMinutes(30));
        var decision = new Decision(Next, proposal, status, RefusalCode.None, HoldState.Held, at.Plus(TimeSpan.FromMinutes(30)), at);
        Add(OutboxTypes.Decision, id, at, OutboxWriter.Decision(decision));
        var later = at.Plus(TimeSpan.FromMinutes(1));
        return captured ? Add(OutboxTypes.HoldCaptured, id, later, OutboxWriter.Hold(decision, Next, later, null)) : this;
    }

    private new OutboxLedger Add(string type, string key, EventTime at, byte[] payload)
    {
        base.Add(type, key, at, payload);
        return this;
    }
}

internal static class Ids
{
    public static string Customer(int number) => string.Create(CultureInfo.InvariantCulture, $"c-{number}");
}
