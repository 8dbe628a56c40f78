using System.Security.Cryptography;
using System.Text;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Ledger.Contract;

/// <summary>Builders that show only what matters.</summary>
public static class Make
{
    public static readonly EventTime Start = new(1_772_000_000_000);
    public static readonly Actor Admin = new("admin", "ada");
    public static readonly Actor Shop = new("api_key", "key-1");

    public static Campaign Campaign(string id = "spring", int version = 1, Limits? limits = null, int controlShare = 0) => new(
        id, version, "Spring", Distribution.CodeBased, "EUR", new(BenefitType.AmountOff, 0, 500, false, null), Conditions.None, limits ?? Limits.None,
        Start, null, [], controlShare, "salt", true, Start);

    public static RedemptionRequest Request(string id, string customer, IReadOnlyList<Redeemable> redeemables, AttemptKind kind = AttemptKind.Redemption, EventTime? deadline = null) => new(
        kind, id, "web-de", "key-1", new(customer, null), new("order-" + id, "EUR", [new("1", "sku", "shoes", 1, 10_000)], 0), redeemables,
        new("dev-" + customer, "192.0.2.1", null, null, null, null), Start, null, deadline, SHA256.HashData(Encoding.UTF8.GetBytes(id + customer + string.Join(',', redeemables))));

    /// <summary>A proposal as pricing and scoring would make it.</summary>
    public static DecisionProposal Proposal(
        string id, string customer, IReadOnlyList<PricedRedeemable> redeemables, RedemptionStatus proposed = RedemptionStatus.Approved, AttemptKind kind = AttemptKind.Redemption,
        EventTime? deadline = null, IReadOnlyList<ArmAssignment>? arms = null, TimeSpan? holdFor = null)
    {
        var request = Request(id, customer, [.. redeemables.Select(r => r.Redeemable)], kind, deadline);
        var discount = redeemables.Sum(r => r.Discount);
        var entities = new AttemptEntities(customer, "dev-" + customer, "192.0.2.1", "192.0.2.0/24", [.. redeemables.Where(r => r.Redeemable.Code is not null).Select(r => r.Redeemable.Code!)], null, null);
        var risk = new RiskAssessment(0.02, -3.9, proposed is RedemptionStatus.Rejected ? RedemptionStatus.Approved : proposed,
            [new("device_accounts_24h", "1 account in 24 h", 1, 0.1, "device:dev-" + customer)], new float[] { 1, 2, float.NaN, 4 }, 0, "model-1", 42, 1, null, null);
        return new(request, entities, new(RefusalCode.None, redeemables, [], 10_000, discount, 10_000 - discount, 10_000 - discount), proposed, RefusalCode.None, risk,
            arms ?? [], holdFor ?? TimeSpan.FromMinutes(30));
    }

    public static PricedRedeemable Use(Coupon coupon, long discount = 500, int version = 1) =>
        new(new(RedeemableType.Coupon, coupon.Code, 0), coupon.CampaignId, version, coupon, RefusalCode.None, discount, 0, Arm.None, false, false);

    public static PricedRedeemable Pay(RedeemableType type, long amount) => new(new(type, null, amount), null, 0, null, RefusalCode.None, 0, amount, Arm.None, false, false);

    public static DecideRedemption Decide(DecisionProposal proposal) => new(Shop, Start, proposal);
}
