using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Processing.Decisions;

namespace Promotions.Processing.Costs;

/// <summary>What a recorded attempt says about a policy that was not there when it was decided.</summary>
/// <param name="Cluster">Who asked: attempts of one customer stand or fall together, and are drawn together.</param>
/// <param name="Probability">Of the model that is judged by; NaN where it gave none.</param>
/// <param name="Discount">Coupon value, minor units.</param>
/// <param name="Goods">The order's total after the discount, minor units.</param>
/// <param name="HardRule">Blocked whatever the model says.</param>
/// <param name="Abuse">The last label that has arrived; null where none has.</param>
public readonly record struct JudgedAttempt(EventTime At, string Cluster, double Probability, long Discount, long Goods, bool HardRule, bool? Abuse)
{
    /// <summary>Null for what no fraud verdict decides: validations, and what a promotion's own rule refuses.</summary>
    public static JudgedAttempt? Of(Decision decision, bool? abuse)
    {
        var proposal = decision.Proposal;
        if (proposal.Request.Kind is not AttemptKind.Redemption || proposal.Priced.Refusal is not RefusalCode.None) return null;
        return new(decision.DecidedAt, proposal.Request.Customer.Id, proposal.Risk.Probability, proposal.Priced.Discount, proposal.Priced.Total, proposal.Risk.HardRule is not null, abuse);
    }

    /// <summary>What fraud alone says under a policy, as the ladder has it: hard rule, then no score, then least expected cost.</summary>
    public RedemptionStatus VerdictUnder(FraudPolicy policy) =>
        HardRule ? RedemptionStatus.Blocked
        : double.IsNaN(Probability) ? RedemptionStatus.Review
        : CostThresholds.Verdict(Probability, Discount, Goods, policy);

    /// <summary>How much of it is abuse: the label where there is one, else the probability, else nothing is known.</summary>
    public double AbuseExpected => Abuse is { } known ? (known ? 1 : 0) : double.IsNaN(Probability) ? 0 : Probability;

    /// <summary>What a verdict on it costs, expected where nobody knows who asked. Unit: minor units.</summary>
    public double CostOf(RedemptionStatus verdict, FraudCosts costs)
    {
        var (loss, share) = (costs.LossOf(Discount, Goods), AbuseExpected);
        return (share * costs.CostOf(verdict, abuse: true, loss)) + ((1 - share) * costs.CostOf(verdict, abuse: false, loss));
    }
}
