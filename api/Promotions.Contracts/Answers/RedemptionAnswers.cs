using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;

namespace Promotions.Contracts.Answers;

/// <summary>A decision, told to those who may know it.</summary>
public static class RedemptionAnswers
{
    /// <summary>The public word for a fraud block: it says nothing about why.</summary>
    public const string Declined = "declined";

    /// <summary>What checkout learns. Unknown and withheld codes, another customer's coupon and another channel's campaign have one reason, and a refused redemption shows no discount at all.</summary>
    public static RedemptionAnswer ForCheckout(Decision decision) => Tell(decision, new(Wire.Of(Told(decision))), null);

    /// <summary>Everything, with the evidence.</summary>
    public static RedemptionAnswer ForAdmin(Decision decision, Explanation explanation)
    {
        var risk = decision.Proposal.Risk;
        var request = decision.Proposal.Request;
        return Tell(
            decision,
            new(Wire.Of(risk.Verdict), Finite(risk.Probability), risk.HardRule, risk.ScorerFault, Tell(explanation.Reasons), explanation.MissingBecause),
            new(decision.Position, request.Customer.Id, request.Channel, decision.DecidedAt.ToString(), risk.ModelHash, risk.LayoutHash.ToString("x16", null), risk.PolicyVersion, risk.LateMask,
                [.. risk.Shadow.Select(score => new ShadowAnswer(score.ModelHash, Wire.Of(score.Verdict), Finite(score.Probability), score.Fault))],
                risk.LetThrough is { } draw ? new(draw.Propensity, draw.Drawn, new(draw.Value, request.Cart.Currency)) : null));
    }

    /// <summary>A would-be block that passed looks like any other approval.</summary>
    private static RedemptionStatus Told(Decision decision) =>
        decision.Proposal.Risk is { LetThrough.Drawn: true } && decision.Status is not RedemptionStatus.Blocked ? RedemptionStatus.Approved : decision.Proposal.Risk.Verdict;

    /// <summary>Reasons as they go over the wire.</summary>
    public static RiskReasonAnswer[] Tell(IReadOnlyList<RiskReason> reasons)
    {
        var told = new RiskReasonAnswer[reasons.Count];
        for (var i = 0; i < told.Length; i++)
        {
            var reason = reasons[i];
            told[i] = new(reason.Feature, reason.Sentence, Finite(reason.Value), reason.Contribution, reason.Entity);
        }

        return told;
    }

    /// <summary>The one public word for what the control arm, another customer, another channel or no coupon at all would say.</summary>
    public static RefusalCode Public(RefusalCode refusal) => refusal is RefusalCode.ChannelNotAllowed ? RefusalCode.NotAvailable : refusal;

    private static RedemptionAnswer Tell(Decision decision, RiskAnswer risk, DecisionAnswer? detail)
    {
        var request = decision.Proposal.Request;
        var applies = decision.Status is RedemptionStatus.Approved or RedemptionStatus.Review;
        Func<RefusalCode, RefusalCode> told = detail is null ? Public : static refusal => refusal;
        return new(
            request.Id, Wire.Of(decision.Status), ReasonOf(decision, told), OrderOf(decision, applies), RedeemablesOf(decision, applies, told), HoldOf(decision), risk, detail);
    }

    private static string? ReasonOf(Decision decision, Func<RefusalCode, RefusalCode> told) => decision.Status switch
    {
        RedemptionStatus.Blocked => Declined,
        RedemptionStatus.Rejected => Wire.Of(told(decision.Refusal is RefusalCode.None ? decision.Proposal.Priced.Refusal : decision.Refusal)),
        _ => null,
    };

    private static OrderAnswer OrderOf(Decision decision, bool applies)
    {
        var cart = decision.Proposal.Request.Cart;
        var priced = decision.Proposal.Priced;
        var lines = new LineAnswer[cart.Lines.Count];
        for (var i = 0; i < lines.Length; i++)
        {
            var line = cart.Lines[i];
            var discount = 0L;
            if (applies)
                foreach (var part in priced.LineDiscounts)
                    if (part.Line == line.Line) discount += part.Amount;
            lines[i] = new(line.Line, Money(discount), Money(line.Subtotal - discount));
        }

        var subtotal = cart.Subtotal;
        var total = applies ? priced.Total : subtotal + cart.Shipping;
        return new(cart.OrderId, cart.Currency, Money(subtotal), Money(applies ? priced.Discount : 0), Money(total), Money(applies ? priced.Due : total), lines);

        MoneyBody Money(long amount) => new(amount, cart.Currency);
    }

    private static RedeemableAnswer[] RedeemablesOf(Decision decision, bool applies, Func<RefusalCode, RefusalCode> told)
    {
        var currency = decision.Proposal.Request.Cart.Currency;
        var priced = decision.Proposal.Priced.Redeemables;
        var answers = new RedeemableAnswer[priced.Count];
        for (var i = 0; i < answers.Length; i++)
        {
            var one = priced[i];
            // With one redeemable only, a limit that the ledger refused is that redeemable's.
            // An account that redeems nothing learns nothing about codes either.
            var refusal = decision.Refusal is RefusalCode.AccountFrozen or RefusalCode.AccountBlocked ? decision.Refusal
                : one.Refusal is RefusalCode.None && answers.Length == 1 && decision.Status is RedemptionStatus.Rejected ? decision.Refusal : one.Refusal;
            var type = one.Redeemable.Type;
            answers[i] = new(
                Wire.Of(type),
                one.Redeemable.Code,
                applies ? "applied" : refusal is RefusalCode.None ? "not_applied" : "refused",
                applies || refusal is RefusalCode.None ? null : Wire.Of(told(refusal)),
                new(applies ? one.Discount : 0, currency),
                type is RedeemableType.Coupon ? null : QuantityBody.Of(one.Redeemable.Amount, type is RedeemableType.Points ? "points" : currency));
        }
        return answers;
    }

    private static HoldAnswer? HoldOf(Decision decision) =>
        decision.Hold is HoldState.None ? null : new(Wire.Of(decision.Hold), Wire.Of(decision.HoldExpiresAt));

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
