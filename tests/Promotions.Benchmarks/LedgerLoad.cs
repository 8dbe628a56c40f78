using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;

namespace Promotions.Benchmarks;

/// <summary>The redemptions that ledgers are measured with: a unique coupon each, four limits, a 60-float vector, a log record and its outcome.</summary>
internal static class LedgerLoad
{
    public const int Customers = 20_000;
    public static readonly Actor Shop = new("api_key", "key-1");

    public static readonly byte[] RecordBytes = RandomNumberGenerator.GetBytes(600);
    public static readonly byte[] OutcomeBytes = RandomNumberGenerator.GetBytes(120);
    private static readonly float[] Vector = [.. Enumerable.Range(0, 60).Select(i => (float)i)];

    public static string Code(int i) => string.Create(CultureInfo.InvariantCulture, $"C{unchecked((uint)(i * 2654435761L)):X8}-{i:X6}");

    public static Campaign Campaign(string id, EventTime now) => new(
        id, 1, "Spring", Distribution.CodeBased, "EUR", new(BenefitType.AmountOff, 0, 500, false, null), Conditions.None, new(10_000_000, 1_000, 1_000_000_000_000), now, null, [], 0, "salt", true, now);

    /// <param name="i">From it come id, customer and code: the same number, the same request.</param>
    public static DecideRedemption Redemption(int i, EventTime now, string campaign = "spring")
    {
        var customer = string.Create(CultureInfo.InvariantCulture, $"customer-{unchecked((uint)(i * 40503L)) % Customers:D6}");
        var id = string.Create(CultureInfo.InvariantCulture, $"r-{unchecked((uint)(i * 2246822519L)):x8}-{i:x6}");
        var coupon = new Coupon(Code(i), campaign, null, 1, false, default);
        var redeemable = new Redeemable(RedeemableType.Coupon, coupon.Code, 0);
        var cart = new Cart("o-" + id, "EUR", [new("1", "sku-1", "shoes", 1, 8_000), new("2", "sku-2", "socks", 2, 500), new("3", "sku-3", "shirts", 1, 2_500)], 490);
        var request = new RedemptionRequest(AttemptKind.Redemption, id, "web-de", "key-1", new(customer, null), cart, [redeemable],
            new("device-" + customer, "192.0.2.17", "Mozilla/5.0", "tok-" + customer, null, null), now, null, null, SHA256.HashData(Encoding.UTF8.GetBytes(id)));
        var entities = new AttemptEntities(customer, "device-" + customer, "192.0.2.17", "192.0.2.0/24", [coupon.Code], "tok-" + customer, null);
        var priced = new PricedCart(RefusalCode.None, [new(redeemable, campaign, 1, coupon, RefusalCode.None, 500, 0, Arm.None, false, false)],
            [new("1", coupon.Code, campaign, 500)], 11_500, 500, 11_490, 11_490);
        var risk = new RiskAssessment(0.01, -4.6, RedemptionStatus.Approved, [], Vector, 0, "f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2", 7, 1, null, null);
        return new(Shop, now, new(request, entities, priced, RedemptionStatus.Approved, RefusalCode.None, risk, [], TimeSpan.FromMinutes(30)));
    }
}
