using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;

namespace Promotions.Simulation;

/// <summary>Answers a simulation by the promotion engine's rules and per-customer limits alone: no fraud model, no ledger, budgets without end.</summary>
/// <param name="armOf">The arm to force, or None to leave it to the engine's hash; null: always the hash.</param>
public sealed class ReferenceCheckout(Func<string, string, Arm>? armOf = null) : ICampaignSnapshot
{
    private readonly Dictionary<string, Campaign> _campaigns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Coupon> _coupons = new(StringComparer.Ordinal);
    private readonly Dictionary<(string CampaignId, string CustomerId), int> _uses = [];
    private readonly HashSet<string> _usedCodes = new(StringComparer.Ordinal);
    private List<Campaign> _public = [];
    private readonly Dictionary<string, Campaign> _publicByCode = new(StringComparer.OrdinalIgnoreCase);

    public long Revision => _campaigns.Count + _coupons.Count;
    public IReadOnlyList<Campaign> PublicCampaigns => _public;
    public Campaign? FindCampaign(string campaignId) => _campaigns.GetValueOrDefault(campaignId);
    public Campaign? FindPublic(string code) => _publicByCode.GetValueOrDefault(code);
    public Coupon? FindCoupon(string code) => _coupons.GetValueOrDefault(code);
    public IReadOnlyList<Coupon> CouponsOf(string customerId) => [];
    public Arm FindArm(string campaignId, string customerId) => FindCampaign(campaignId) is { ControlShare: > 0 } ? armOf?.Invoke(campaignId, customerId) ?? Arm.None : Arm.None;

    /// <summary>Takes the event in; for an attempt, what the shop answers.</summary>
    public DecisionFeedback? Take(SimulatedEvent happened)
    {
        switch (happened)
        {
            case CampaignsDefined defined:
                foreach (var campaign in defined.Campaigns) _campaigns[campaign.Id] = campaign;
                _public = [.. _campaigns.Values.Where(static campaign => campaign is { Distribution: Distribution.Public, Active: true }).OrderBy(static campaign => campaign.Id, StringComparer.Ordinal)];
                _publicByCode.Clear();
                foreach (var campaign in _public) _publicByCode.TryAdd(campaign.Id, campaign);
                return null;
            case CouponsAdded added:
                foreach (var coupon in added.Coupons) _coupons[coupon.Code] = coupon;
                return null;
            case RedemptionAttempted attempt: return Decide(attempt.Request);
            default: return null;
        }
    }

    /// <summary>Runs the simulation to its end against this checkout.</summary>
    /// <param name="each">Told of every event after it was taken in, with the answer if it was an attempt.</param>
    public void Run(ISimulation simulation, Action<SimulatedEvent, DecisionFeedback?> each)
    {
        while (simulation.TryNext(out var next) is Pull.Event)
        {
            var feedback = Take(next!);
            if (feedback is not null) simulation.Observe(feedback);
            each(next!, feedback);
        }
    }

    private DecisionFeedback Decide(RedemptionRequest request)
    {
        var priced = PromotionEngine.Price(request, this, request.At);
        var arms = PromotionEngine.ArmsOf(priced, request.Customer.Id, request.At);
        var refusal = priced.Refusal;
        if (refusal is RefusalCode.None && request.Kind is AttemptKind.Redemption)
            foreach (var one in priced.Redeemables)
                refusal = refusal is RefusalCode.None && one.CampaignId is { } id ? Use(FindCampaign(id)!, one.Coupon, request.Customer.Id) : refusal;
        var status = refusal is RefusalCode.None ? RedemptionStatus.Approved : RedemptionStatus.Rejected;
        return new(request.Id, status, refusal, refusal is RefusalCode.None ? priced.Discount : 0, [.. arms.Select(static arm => KeyValuePair.Create(arm.CampaignId, arm.Arm))]);
    }

    private RefusalCode Use(Campaign campaign, Coupon? coupon, string customerId)
    {
        if (coupon is { UsesMax: 1 } && !_usedCodes.Add(coupon.Code)) return RefusalCode.CouponUsesExhausted;
        if (campaign.Limits.UsesPerCustomerMax is not { } max) return RefusalCode.None;
        var uses = _uses.GetValueOrDefault((campaign.Id, customerId));
        if (uses >= max) return RefusalCode.CustomerUsesExhausted;
        _uses[(campaign.Id, customerId)] = uses + 1;
        return RefusalCode.None;
    }
}
