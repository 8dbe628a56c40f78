using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Scoring;

namespace Promotions.Processing.Decisions;

/// <summary>Explains a recorded decision. What was flagged carries its reasons; an approved attempt's are computed when somebody asks, from the recorded vector and by the
/// model that the record names, to the bytes that they would have had inline. Safe from any thread.</summary>
/// <param name="findModel">The loaded model with this hash, or null.</param>
public sealed class DecisionExplainer(IFeatureCatalog catalog, Func<string, IScorer?> findModel)
{
    public Explanation Explain(Decision decision)
    {
        var proposal = decision.Proposal;
        var risk = proposal.Risk;
        if (risk.Reasons.Count > 0 || risk.Verdict is not RedemptionStatus.Approved) return new(risk.Reasons, true, risk.Reasons.Count > 0 ? null : Unscored(risk));
        if (risk.ScorerFault is not null) return Missing(Unscored(risk));
        if (risk.LayoutHash != catalog.LayoutHash || risk.Vector.Length != catalog.Count)
            return Missing($"The decision was made on feature layout {risk.LayoutHash:x16}, and this program computes layout {catalog.LayoutHash:x16}: its vector cannot be explained here.");
        if (findModel(risk.ModelHash) is not { } scorer)
            return Missing($"The model that scored this decision ({Short(risk.ModelHash)}) is not loaded here, so the contributions of its features cannot be computed.");

        var contributions = new double[catalog.Count];
        return new(RiskReasons.Of(risk.Vector.Span, proposal.Entities, proposal.Request.Cart.Currency, null, scorer, catalog, contributions), false, null);
    }

    private static Explanation Missing(string because) => new([], false, because);

    private static string Unscored(RiskAssessment risk) => $"No model scored this decision: {risk.ScorerFault ?? "the record names none"}.";

    private static string Short(string hash) => hash.Length > 12 ? hash[..12] : hash;
}
