using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Scoring;

namespace Promotions.Processing.Decisions;

/// <summary>What the model and the rules are at one moment. Swapped between batches, never within one.</summary>
public sealed record DecisionInputs(IScorer? Scorer, string? ScorerMissingBecause, FraudPolicy Policy, ICampaignSnapshot Campaigns)
{
    /// <summary>Score every request as well and decide nothing; what each would have said is recorded with the decision. At most <see cref="ChallengersMax"/>, which is what fits the budget.</summary>
    public IReadOnlyList<IScorer> Challengers { get; init; } = [];

    public const int ChallengersMax = 2;

    /// <summary>The accounts that an admin froze or blocked.</summary>
    public AccountStandings Accounts { get; init; } = AccountStandings.AllOpen;
}

/// <summary>The ladder from a priced and observed attempt to a proposal for the ledger. Pure.</summary>
/// <remarks>
/// The order of the lines is the precedence: recorded answer (asked before, by the pipeline) → the account's standing → rule refusals → hard fraud rules → cost-based thresholds (of whose blocks a share may pass) →
/// limits (the ledger's, in one atomic step). Fraud is assessed even where a rule refused: the attempt's evidence is what enumeration looks like.
/// </remarks>
/// <param name="time">Measures how long models take; null in replays, where nothing may depend on it.</param>
public sealed class Decider(IFeatureCatalog catalog, TimeProvider? time = null, ModelBudget? budget = null)
{
    private readonly double[] _contributions = new double[catalog.Count];
    private readonly HardRules _rules = new(catalog);
    private readonly ModelWatch _models = new(time, budget ?? ModelBudget.Default);

    /// <summary>Not safe from several threads: the pipeline's thread owns it.</summary>
    public DecisionProposal Decide(RedemptionRequest request, AttemptEntities entities, PricedCart priced, float[] vector, uint lateMask, DecisionInputs inputs)
    {
        var risk = Assess(request, entities, priced, vector, lateMask, inputs);
        var (status, refusal) = Ladder(inputs.Accounts.RefusalOf(request.Customer.Id, request.At), priced, risk, inputs.Policy.For(request.Channel));
        if (status is RedemptionStatus.Blocked && risk.HardRule is null && inputs.Policy.LetThrough is { } share)
        {
            var draw = share.Draw(entities, request.At, priced, inputs.Policy.Costs.GoodsShare);
            risk = risk with { LetThrough = draw };
            if (draw.Drawn) status = RedemptionStatus.Approved;     // and not reviewed: what a reviewer stops would never tell what it would have been
        }

        return new(request, entities, priced, status, refusal, risk, PromotionEngine.ArmsOf(priced, request.Customer.Id, request.At), inputs.Policy.HoldFor);
    }

    private static (RedemptionStatus Status, RefusalCode Refusal) Ladder(RefusalCode account, PricedCart priced, RiskAssessment risk, ChannelPolicy channel)
    {
        if (account is not RefusalCode.None) return (RedemptionStatus.Rejected, account);     // before the rules: it learns nothing about codes
        if (priced.Refusal is not RefusalCode.None) return (RedemptionStatus.Rejected, priced.Refusal);
        if (risk.HardRule is not null) return (RedemptionStatus.Blocked, RefusalCode.None);
        if (risk.ScorerFault is not null && channel.Fallback is ScorerFallback.Refuse) return (RedemptionStatus.Rejected, RefusalCode.ScorerUnavailable);
        return (risk.Verdict, RefusalCode.None);
    }

    private RiskAssessment Assess(RedemptionRequest request, AttemptEntities entities, PricedCart priced, float[] vector, uint lateMask, DecisionInputs inputs)
    {
        var policy = inputs.Policy;
        var answer = inputs.Scorer is { } champion ? _models.Ask(champion, vector) : ModelAnswer.None(inputs.ScorerMissingBecause ?? "no model is loaded");
        var hard = _rules.Find(policy.HardRules, entities.Codes, vector);
        var verdict = Verdict(answer, hard, priced, policy);
        var reasons = verdict is RedemptionStatus.Approved
            ? []
            : RiskReasons.Of(vector, entities, request.Cart.Currency, hard, answer.Fault is null ? inputs.Scorer : null, catalog, _contributions);
        return new(answer.Probability, answer.Raw, verdict, reasons, vector, lateMask, inputs.Scorer?.ModelHash ?? "", catalog.LayoutHash, policy.Version, answer.Fault, hard?.Name)
        {
            Shadow = InShadow(vector, hard, priced, inputs),
        };
    }

    /// <summary>What fraud alone says where this is the model that decides.</summary>
    private static RedemptionStatus Verdict(in ModelAnswer answer, HardRule? hard, PricedCart priced, FraudPolicy policy) =>
        hard is not null ? RedemptionStatus.Blocked
        : answer.Fault is not null ? RedemptionStatus.Review
        : CostThresholds.Verdict(answer.Probability, priced.Discount, priced.Total, policy);

    private ShadowScore[] InShadow(float[] vector, HardRule? hard, PricedCart priced, DecisionInputs inputs)
    {
        if (inputs.Challengers.Count == 0) return [];
        var scores = new ShadowScore[Math.Min(inputs.Challengers.Count, DecisionInputs.ChallengersMax)];
        for (var i = 0; i < scores.Length; i++)
        {
            var answer = _models.Ask(inputs.Challengers[i], vector);
            scores[i] = new(inputs.Challengers[i].ModelHash, answer.Probability, answer.Raw, Verdict(answer, hard, priced, inputs.Policy), answer.Fault);
        }

        return scores;
    }
}

/// <summary>What the ladder asks of the feature registry.</summary>
public interface IFeatureCatalog
{
    int Count { get; }
    ulong LayoutHash { get; }
    /// <returns>-1 when there is no such feature.</returns>
    int IndexOf(string name);
    string NameOf(int index);
    /// <summary>A sentence with the value: "9 accounts redeemed from this device in 24 h".</summary>
    string Describe(int index, float value, string currency, AttemptEntities entities);
    /// <summary>How usual a value below it is: "99 % of devices never had more than 2". Null when the catalogue compares nothing.</summary>
    string? Compare(int index, PopulationBound bound, string currency) => null;
    /// <summary><c>device:abc</c>; of several codes all, <c>coupon:a,b</c>, since the value is one of theirs; null when the feature is about the request itself.</summary>
    string? EntityOf(int index, AttemptEntities entities);
}
