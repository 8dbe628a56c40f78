using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Processing.Decisions;

namespace Promotions.Processing.Reviews;

/// <summary>A flagged decision that waits for an answer, as far as the queue needs it.</summary>
/// <param name="Probability">Of abuse; NaN where no model scored it.</param>
/// <param name="Discount">Coupon value, minor units.</param>
/// <param name="Goods">The order's total after the discount, minor units.</param>
/// <param name="Reasons">The strongest sentences, at most <see cref="ReasonsMax"/>; or what decided without a score.</param>
public sealed record OpenCase(
    string RedemptionId, long Position, string CustomerId, string Channel, string Currency, RedemptionStatus Status, HoldState Hold, double Probability, long Discount, long Goods,
    IReadOnlyList<string> Reasons, EventTime DecidedAt)
{
    public const int ReasonsMax = 3;

    public static OpenCase Of(Decision decision)
    {
        var (proposal, risk) = (decision.Proposal, decision.Proposal.Risk);
        string[] reasons = risk.Reasons.Count > 0 ? [.. risk.Reasons.Take(ReasonsMax).Select(reason => reason.Sentence)]
            : risk.HardRule is { } rule ? [$"hard rule {rule}"] : risk.ScorerFault is { } fault ? [$"no score: {fault}"] : [];
        return new(
            proposal.Request.Id, decision.Position, proposal.Request.Customer.Id, proposal.Request.Channel, proposal.Request.Cart.Currency, decision.Status, decision.Hold, risk.Probability,
            proposal.Priced.Discount, proposal.Priced.Total, reasons, decision.DecidedAt);
    }

    /// <summary>What is lost if the verdict is wrong: a customer's worth where it blocked, the abuse's loss where it let pass. Minor units.</summary>
    public double AtStake(FraudCosts costs) => Status is RedemptionStatus.Blocked ? costs.WrongedCustomer : costs.LossOf(Discount, Goods);

    /// <summary>What it costs, expected, if nobody looks: (1 − p) · a wronged customer where it blocked, p · the loss where it let pass. Minor units.</summary>
    /// <remarks>Without a score nothing is known, and p is one half. Where the hold ended with nothing taken, nothing is lost any more.</remarks>
    public double ExpectedCost(FraudCosts costs)
    {
        var abuse = double.IsNaN(Probability) ? 0.5 : Probability;
        return Status is RedemptionStatus.Blocked ? (1 - abuse) * costs.CostOf(RedemptionStatus.Blocked, abuse: false, 0)
            : Hold is HoldState.Voided or HoldState.Expired ? 0
            : abuse * costs.CostOf(RedemptionStatus.Approved, abuse: true, costs.LossOf(Discount, Goods));
    }
}

/// <summary>A place in the queue: the dearest first, of equal ones the newest.</summary>
/// <param name="Cost">As <see cref="OpenCase.ExpectedCost"/>.</param>
public readonly record struct QueuePlace(double Cost, long Position)
{
    /// <summary>Negative where the left comes first.</summary>
    public static int Compare(QueuePlace left, QueuePlace right) => left.Cost != right.Cost ? right.Cost.CompareTo(left.Cost) : right.Position.CompareTo(left.Position);
}
