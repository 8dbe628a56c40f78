using System.Globalization;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Ledger.Outbox;

namespace Promotions.Analytics.Tests;

/// <summary>The reading side of a ledger, in memory: an outbox that tests write with the ledger's own payload writer.</summary>
internal sealed class OutboxLedger : ILedgerReader
{
    public static readonly EventTime Start = EventTime.From(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));

    private readonly List<OutboxEvent> _outbox = [];

    public static EventTime At(double days) => Start.Plus(TimeSpan.FromDays(days));

    public IReadOnlyList<OutboxEvent> Events => _outbox;
    public long LastOutboxPosition => _outbox.Count;
    public IReadOnlyList<OutboxEvent> ReadOutbox(long afterPosition, int max) => _outbox.GetRange((int)afterPosition, Math.Min(max, _outbox.Count - (int)afterPosition));

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
    public OutboxLedger Redemption(string id, string campaign, string customer, string code, RedemptionStatus status, long discount, EventTime at, bool captured = false)
    {
        var coupon = new Coupon(code, campaign, customer, 1, false, Start);
        var redeemable = new Redeemable(RedeemableType.Coupon, code, 0);
        var request = new RedemptionRequest(AttemptKind.Redemption, id, "web", "key", new(customer, null), new("order-" + id, "EUR", [new("1", "sku", null, 1, 10_000)], 0), [redeemable],
            AttemptContext.None, at, null, null, default);
        var priced = new PricedCart(RefusalCode.None, [new(redeemable, campaign, 1, coupon, RefusalCode.None, discount, 0, Arm.Treated, false, false)],
            [new("1", code, campaign, discount)], 10_000, discount, 10_000 - discount, 10_000 - discount);
        var risk = new RiskAssessment(0.1, -2.2, RedemptionStatus.Approved, [], new float[] { 1, float.NaN }, 0, "model", 1, 1, null, null);
        var proposal = new DecisionProposal(request, new(customer, "device", null, null, [code], null, null), priced, status, RefusalCode.None, risk, [], TimeSpan.FromMinutes(30));
        var decision = new Decision(Next, proposal, status, RefusalCode.None, HoldState.Held, at.Plus(TimeSpan.FromMinutes(30)), at);
        Add(OutboxTypes.Decision, id, at, OutboxWriter.Decision(decision));
        var later = at.Plus(TimeSpan.FromMinutes(1));
        return captured ? Add(OutboxTypes.HoldCaptured, id, later, OutboxWriter.Hold(decision, Next, later, null)) : this;
    }

    /// <summary>Forgets the newest rows, as a ledger set back from an old copy does.</summary>
    public void SetBackTo(int position) => _outbox.RemoveRange(position, _outbox.Count - position);

    private long Next => _outbox.Count + 1;

    private OutboxLedger Add(string type, string key, EventTime at, byte[] payload)
    {
        _outbox.Add(new(Next, at, type, key, payload));
        return this;
    }

    public long LastLogPosition => throw NotAsked();
    public Decision? FindDecision(string redemptionId) => throw NotAsked();
    public IReadOnlyList<Decision> LatestDecisions(int max, long beforePosition = long.MaxValue) => throw NotAsked();
    public IReadOnlyList<Decision> LatestDecisionsOf(string customerId, int max) => throw NotAsked();
    public IReadOnlyList<Flag> Flags(bool openOnly, int max, long beforePosition = long.MaxValue) => throw NotAsked();
    public Flag? FindFlag(string redemptionId) => throw NotAsked();
    public IReadOnlyList<Balance> BalancesOf(string customerId) => throw NotAsked();
    public IReadOnlyList<CustomerCoupon> CouponsOf(string customerId) => throw NotAsked();
    public IReadOnlyList<Campaign> Campaigns() => throw NotAsked();
    public CampaignUsage UsageOf(string campaignId) => throw NotAsked();
    public IReadOnlyList<Coupon> CouponsOfCampaign(string campaignId, int max, string? afterCode) => throw NotAsked();
    public RemainingLimits RemainingLimits(string campaignId, string? code, string customerId) => throw NotAsked();
    public IReadOnlyList<LogRecord> ReadLog(long afterPosition, int max) => throw NotAsked();

    private static NotSupportedException NotAsked() => new("Analytics reads the outbox only.");
}

/// <summary>Settings in memory; survives what the test calls a crash.</summary>
internal sealed class MemorySettings : ISettingsStore
{
    private readonly Dictionary<(string, string), string> _values = [];

    public string? Find(string scope, string name) => _values.GetValueOrDefault((scope, name));
    public IReadOnlyList<KeyValuePair<string, string>> List(string scope) => [.. _values.Where(v => v.Key.Item1 == scope).Select(v => KeyValuePair.Create(v.Key.Item2, v.Value))];

    public Task PutAsync(string scope, string name, string? value, Actor actor, CancellationToken cancellationToken)
    {
        if (value is null) _values.Remove((scope, name));
        else _values[(scope, name)] = value;
        return Task.CompletedTask;
    }
}

internal static class Ids
{
    public static string Customer(int number) => string.Create(CultureInfo.InvariantCulture, $"c-{number}");
}
