using System.Globalization;
using Promotions.Analytics.Results;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;

namespace Promotions.Admin.Tests;

/// <summary>A small shop's ledger: two campaigns and a few decisions of every outcome.</summary>
internal static class Fixture
{
    public static readonly EventTime Start = EventTime.From(new(2026, 6, 1, 9, 0, 0, TimeSpan.Zero));
    private static readonly Actor Admin = new("admin", "tests");

    public static async Task PutCampaignsAsync(AdminHost host)
    {
        await CommandAsync(host, new PutCampaign("put-spring", Admin, Start, ACampaign("spring-10", "Ten percent in spring", 1_000)));
        await CommandAsync(host, new PutCampaign("put-tea", Admin, Start, ACampaign("tea-5", "Five off for tea drinkers", 0)));
    }

    public static async Task FillAsync(AdminHost host)
    {
        await PutCampaignsAsync(host);
        await DecideAsync(host, "r-approved", "anna", RedemptionStatus.Approved, 0.02);
        await DecideAsync(host, "r-review", "bert", RedemptionStatus.Review, 0.55);
        await DecideAsync(host, "r-blocked", "carl", RedemptionStatus.Blocked, 0.97);
        await DecideAsync(host, "r-rejected", "dora", RedemptionStatus.Rejected, 0.03, RefusalCode.SpendBelowMinimum);
    }

    public static async Task DecideAsync(AdminHost host, string id, string customer, RedemptionStatus status, double probability, RefusalCode refusal = RefusalCode.None,
        string model = ThreeFeatures.Model, LetThroughDraw? draw = null)
    {
        var cart = new Cart("order-" + id, "EUR", [new("line-1", "tea", "drinks", 2, 2500)], 0);
        var request = new RedemptionRequest(
            AttemptKind.Redemption, id, "web-de", "key", new(customer, null), cart, [new(RedeemableType.Coupon, "spring-10", 0)],
            new("device-9", "203.0.113.7", null, "pay-4", null, null), Start, null, null, new byte[32]);
        var entities = new AttemptEntities(customer, "device-9", "203.0.113.7", "203.0.113.0/24", ["SPRING-10"], "pay-4", null);
        var refused = status is RedemptionStatus.Rejected;
        var priced = new PricedCart(
            refusal, [new(request.Redeemables[0], "spring-10", 1, null, refusal, refused ? 0 : 500, 0, Arm.Treated, false, false)],
            refused ? [] : [new("line-1", "SPRING-10", "spring-10", 500)], 5000, refused ? 0 : 500, refused ? 5000 : 4500, refused ? 5000 : 4500);
        RiskReason[] reasons = probability < 0.5 ? [] :
        [
            new("device.distinct_customers.1d", "9 accounts redeemed from this device in 24 h; 99 % of devices have at most 2.", 9, 2.1, "device:device-9"),
            new("ip.attempts.10m", "31 attempts came from this ip in 10 min; 99 % of ips have at most 4.", 31, 1.4, "ip:203.0.113.7"),
            new("customer.age", "The account is 2 years old.", 730, -0.6, "customer:" + customer),
        ];
        var raw = Math.Log(probability / (1 - probability));
        var fraud = refused ? RedemptionStatus.Approved : draw is null ? status : RedemptionStatus.Blocked;
        var risk = new RiskAssessment(probability, raw, fraud, reasons, new float[] { 9, 31, 730 }, 0, model, 7, 1, null, null) { LetThrough = draw };
        var outcome = await CommandAsync(host, new DecideRedemption(Admin, Start, new(request, entities, priced, status, refusal, risk, [], TimeSpan.FromMinutes(30))));
        host.Statistics.DecisionObserved(outcome.Decision!, TimeSpan.FromMilliseconds(2));
    }

    public static CampaignResult AResult(string id, bool enough)
    {
        var random = new Random(11);
        DailyPoint[] daily = !enough ? [] :
        [
            .. Enumerable.Range(1, 30).Select(day =>
            {
                var band = 900 / Math.Sqrt(day);
                var treated = 120.0 * day + random.NextDouble() * 90;
                var control = 100.0 * day + random.NextDouble() * 90;
                return new DailyPoint(new DateOnly(2026, 6, 1).AddDays(day - 1), day * 90, day * 10, Around(treated, band), Around(control, band * 2), Around(treated - control, band * 2));
            }),
        ];
        var effect = enough
            ? new EffectResult("welch_absolute", new(612.5, 210.25, 1014.75), 0.0028, 205, 411, new(1_653_750, 567_675, 2_739_825), 0.2, 3.4, null)
            : new EffectResult("welch_absolute", null, null, null, null, null, null, null, "Control has 1 customer; both arms need at least 30.");
        return new(
            id, "Ten percent in spring", "EUR", new(Start, null, "Every customer who was triggered, blocked ones included."), new(Start, 12, 0), "Returns come off the day of their order.",
            new(2700, 610, 580, 12, 8, 10, 560, new(540, 2700, "treated_customers", new(0.2, 0.185, 0.215), null)),
            new(Arm.Treated, enough ? 2700 : 3, 1900, 2410, 9_920_000, enough ? new(3674, 3500, 3848) : null, 0),
            new(Arm.Control, enough ? 300 : 1, 190, 240, 918_450, enough ? new(3061.5, 2700, 3423) : null, 61),
            effect, 486_000, 12_000, new(2700, 300, 0.1, 0.99, false), daily);
    }

    private static IntervalEstimate Around(double value, double band) => new(value, value - band, value + band);

    private static Campaign ACampaign(string id, string name, int controlShare) => new(
        id, 1, name, Distribution.Public, "EUR", new(BenefitType.PercentOff, 1000, 0, false, null), Conditions.None, Limits.None with { BudgetMinorUnits = 1_000_000 },
        Start, null, [], controlShare, "salt-" + id, true, Start);

    private static async Task<LedgerOutcome> CommandAsync(AdminHost host, LedgerCommand command)
    {
        var outcome = await host.Ledger.ExecuteAsync(command, Lane.Decision, TestContext.Current.CancellationToken);
        Assert.True(outcome.Accepted, string.Create(CultureInfo.InvariantCulture, $"{command.Id}: {outcome.Refusal} {outcome.Detail}"));
        return outcome;
    }
}
