using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Scoring;

namespace Promotions.Processing.Changes;

/// <summary>Finds the smallest change of a blocked or reviewed request that would have passed, from its record alone. Deterministic; safe from any thread.</summary>
/// <remarks>
/// A change is something left out: a code, a balance, a line, all but one piece of a line; one redeemable and one line stay. Every combination is priced by the engine on the campaign
/// versions of the record, its vector made as <see cref="ChangedVector"/> can, and scored and judged by the model and the policy that the record names. What the record does not hold is
/// taken at its worst, so what is said to pass does pass, and a change that needs luck is not offered. Waiting, another device or another account are not offered: what those would have
/// counted is in no record. Limits and balances are not asked: leaving out takes less of each.
/// </remarks>
/// <param name="findModel">The loaded model with this hash, or null.</param>
/// <param name="findPolicy">The policy of that version, or null.</param>
/// <param name="findCampaign">That version of a campaign, or null.</param>
public sealed class SmallestChangeFinder(IFeatureCatalog catalog, Func<string, IScorer?> findModel, Func<int, FraudPolicy?> findPolicy, Func<string, int, Campaign?> findCampaign)
{
    private const int HeldByMax = 5;

    public SmallestChange Find(Decision decision)
    {
        var proposal = decision.Proposal;
        var risk = proposal.Risk;
        if (decision.Status is not (RedemptionStatus.Blocked or RedemptionStatus.Review)) return SmallestChange.Missing("Fraud did not hold this redemption back, so there is nothing to change.");
        if (risk.ScorerFault is { } fault) return SmallestChange.Missing($"No model scored this decision: {fault}.");
        if (risk.LayoutHash != catalog.LayoutHash || risk.LayoutHash != FeatureRegistry.LayoutHash || risk.Vector.Length != FeatureRegistry.Count)
            return SmallestChange.Missing($"The decision was made on feature layout {risk.LayoutHash:x16}, which this program does not compute.");
        if (findModel(risk.ModelHash) is not { } scorer) return SmallestChange.Missing("The model that scored this decision is not loaded here.");
        if (findPolicy(risk.PolicyVersion) is not { } policy) return SmallestChange.Missing($"Version {risk.PolicyVersion} of the fraud policy, on which this was decided, is not kept here.");
        if (RecordedCampaigns.Of(decision, findCampaign) is not { } campaigns) return SmallestChange.Missing("A version of a campaign that this was priced with is not kept here.");

        var trial = new ChangeTrial(proposal, scorer, policy, campaigns, catalog);
        // The record is the proof that this program prices and scores as the one that decided.
        if (trial.Judge([]) is not { IsExact: true } same || same.Verdict != decision.Status || same.Priced.Discount != proposal.Priced.Discount
            || (risk.HardRule is null && same.Probability != risk.Probability))
            return SmallestChange.Missing("Priced and scored again, the unchanged request comes to another answer than was recorded, so nothing can be said of a changed one.");

        var changes = ChangesOf(proposal);
        var held = HeldBy(proposal, scorer, policy, changes);
        return Search(decision.Status, trial, changes, held);
    }

    private static SmallestChange Search(RedemptionStatus recorded, ChangeTrial trial, List<CustomerChange> changes, IReadOnlyList<RiskReason> held)
    {
        PassingChange? smallest = null;
        var (lookedAt, sizeMax) = (0, ChangeCombinations.SizeFor(changes.Count));
        for (var size = 1; size <= sizeMax; size++)
        {
            foreach (var combination in ChangeCombinations.OfSize(changes, size))
            {
                lookedAt++;
                if (trial.Judge(combination) is not { } judged || judged.Verdict >= recorded) continue;
                smallest ??= judged;
                if (judged.Verdict is RedemptionStatus.Approved) return new(smallest, judged, held, lookedAt, size, null);
            }
        }

        return new(smallest, null, held, lookedAt, sizeMax, null);
    }

    private static List<CustomerChange> ChangesOf(DecisionProposal proposal)
    {
        var changes = new List<CustomerChange>();
        var redeemables = proposal.Priced.Redeemables;
        for (var i = 0; i < redeemables.Count && redeemables.Count > 1; i++)
        {
            var one = redeemables[i];
            changes.Add(one.Redeemable.Type switch
            {
                RedeemableType.Coupon => new(ChangeKind.DropCode, i, one.Redeemable.Code!, one.Discount),
                RedeemableType.Points => new(ChangeKind.DropBalance, i, "points", checked(one.Tender * PromotionEngine.PointsRate)),
                var type => new(ChangeKind.DropBalance, i, type.ToString().ToLowerInvariant(), one.Tender),
            });
        }

        var lines = proposal.Request.Cart.Lines;
        for (var i = 0; i < lines.Count; i++)
        {
            if (lines.Count > 1) changes.Add(new(ChangeKind.DropLine, i, lines[i].Line, lines[i].Subtotal));
            if (lines[i].Quantity > 1) changes.Add(new(ChangeKind.KeepOnePiece, i, lines[i].Line, lines[i].Subtotal - lines[i].UnitPrice));
        }

        return changes;
    }

    private List<RiskReason> HeldBy(DecisionProposal proposal, IScorer scorer, FraudPolicy policy, List<CustomerChange> changes)
    {
        var risk = proposal.Risk;
        var vector = risk.Vector.Span;
        var currency = proposal.Request.Cart.Currency;
        var contributions = new double[catalog.Count];
        scorer.Explain(vector, contributions);
        var (lines, codes, balances) = (Any(ChangeKind.DropLine) || Any(ChangeKind.KeepOnePiece), Any(ChangeKind.DropCode), Any(ChangeKind.DropBalance));

        var held = new List<RiskReason>();
        if (policy.HardRules.FirstOrDefault(rule => rule.Name == risk.HardRule) is { } hard) held.Add(RiskReasons.OfRule(hard, vector, proposal.Entities, currency, scorer, catalog));
        foreach (var index in Enumerable.Range(0, catalog.Count).OrderByDescending(index => contributions[index]))
        {
            if (held.Count == HeldByMax || contributions[index] <= 0) break;
            if (!ChangedVector.CanMove(FeatureRegistry.Features[index], lines, codes, balances)) held.Add(RiskReasons.OfFeature(index, vector, contributions[index], proposal.Entities, currency, scorer, catalog));
        }

        return held;

        bool Any(ChangeKind kind) => changes.Exists(change => change.Kind == kind);
    }
}
