using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Scoring;

namespace Promotions.Processing.Changes;

/// <summary>One recorded request, priced, scored and judged with things left out. Not safe from several threads.</summary>
internal sealed class ChangeTrial(DecisionProposal proposal, IScorer scorer, FraudPolicy policy, ICampaignSnapshot campaigns, IFeatureCatalog catalog)
{
    private readonly ChangedVector _vector = new(proposal);
    private readonly HardRules _rules = new(catalog);
    private readonly float[] _own = new float[FeatureRegistry.Count];

    /// <returns>Null where what is left is no request, is refused by a rule, or cannot be judged for sure.</returns>
    public PassingChange? Judge(IReadOnlyList<CustomerChange> changes)
    {
        if (Without(changes) is not { } request) return null;
        var priced = PromotionEngine.Price(request, campaigns, request.At);
        if (priced.Refusal is not RefusalCode.None) return null;

        FeatureVector.PutRequest(_own, request, priced);
        var codes = proposal.Entities.Codes.Where(code => request.Redeemables.Any(one => one.Type is RedeemableType.Coupon && one.Code == code)).ToList();
        if (!_vector.TrySet(codes.Count, priced.Subtotal, FeatureVector.Part(_own, EntityKind.None))) return null;
        var exact = _vector.IsExact;
        var raw = exact ? scorer.RawScore(_vector.Low) : scorer.RawScoreAtMost(_vector.Low, _vector.High) ?? double.NaN;
        var probability = scorer.Probability(raw);
        if (probability is not (>= 0 and <= 1)) return null;

        var hard = _rules.Find(policy.HardRules, codes, _vector.High) is not null;
        var verdict = hard ? RedemptionStatus.Blocked : CostThresholds.Verdict(probability, priced.Discount, priced.Total, policy);
        return new(changes, verdict, probability, exact, priced);
    }

    private RedemptionRequest? Without(IReadOnlyList<CustomerChange> changes)
    {
        var request = proposal.Request;
        if (changes.Count == 0) return request;
        var lines = new CartLine?[request.Cart.Lines.Count];
        for (var i = 0; i < lines.Length; i++) lines[i] = request.Cart.Lines[i];
        var redeemables = request.Redeemables.ToArray<Redeemable?>();
        foreach (var change in changes)
        {
            if (change.Kind is ChangeKind.DropCode or ChangeKind.DropBalance) redeemables[change.Index] = null;
            else if (lines[change.Index] is not { } line) return null;      // dropped already: one line, changed twice
            else lines[change.Index] = change.Kind is ChangeKind.DropLine ? null : line with { Quantity = 1 };
        }

        Redeemable[] kept = [.. redeemables.OfType<Redeemable>()];
        CartLine[] left = [.. lines.OfType<CartLine>()];
        if (left.Length == 0 || (kept.Length == 0 && redeemables.Length > 0)) return null;
        return request with { Cart = request.Cart with { Lines = left }, Redeemables = kept };
    }
}
