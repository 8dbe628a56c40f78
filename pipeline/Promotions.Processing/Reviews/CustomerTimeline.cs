using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;

namespace Promotions.Processing.Reviews;

/// <summary>What happened to a customer, by the row of the drawing that it stands in.</summary>
public enum MomentKind : byte { None = 0, Attempt = 1, Order = 2, Label = 3, Spent = 4, Earned = 5 }

/// <summary>One thing that happened.</summary>
/// <param name="Id">Of the redemption, order, label or lot.</param>
/// <param name="Amount">In <paramref name="Unit"/>: minor units of a currency, or points. An attempt's is its discount.</param>
/// <param name="Unit">ISO currency, or <c>points</c>; empty for a label.</param>
/// <param name="Status">Of an attempt; None for the rest.</param>
/// <param name="Detail">A label's source and judged redemption, a lot's origin, a balance's segment; else null.</param>
/// <param name="Abuse">Of a label, and of an attempt that has one; else null.</param>
public sealed record Moment(EventTime At, MomentKind Kind, string Id, long Amount, string Unit, RedemptionStatus Status, string? Detail, bool? Abuse);

/// <summary>A customer's attempts, orders, labels and what their balances earned and spent, over time.</summary>
/// <param name="Moments">Oldest first.</param>
/// <param name="IsAll">False where there was more than was read: the newest are here.</param>
/// <remarks>Balances: what redemptions took that may still be captured or was, and lots of points and gift value of which something is left. Deposits, withdrawals and lots spent to the end are not here:
/// postings have no index by account, and one would cost every decision.</remarks>
public sealed record CustomerTimeline(string CustomerId, IReadOnlyList<Moment> Moments, bool IsAll)
{
    /// <summary>Attempts, and orders, that are read at most.</summary>
    public const int ReadMax = 200;

    /// <param name="max">Moments told, the newest; 1 or more.</param>
    /// <exception cref="LedgerFaultException">The ledger cannot be read.</exception>
    public static CustomerTimeline Read(ILedgerReader ledger, string customerId, int max)
    {
        var attempts = ledger.LatestDecisionsOf(customerId, ReadMax);
        var orders = ledger.OrdersOf(customerId, ReadMax);
        var labels = ledger.LabelsOf([.. attempts.Select(decision => decision.Proposal.Request.Id)]);
        var judged = labels.GroupBy(label => label.RedemptionId, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Last().Abuse, StringComparer.Ordinal);
        var moments = new List<Moment>();
        foreach (var decision in attempts)
        {
            var request = decision.Proposal.Request;
            moments.Add(new(decision.DecidedAt, MomentKind.Attempt, request.Id, decision.Proposal.Priced.Discount, request.Cart.Currency, decision.Status, null,
                judged.TryGetValue(request.Id, out var abuse) ? abuse : null));
            if (decision.Hold is not (HoldState.Held or HoldState.Captured)) continue;
            moments.AddRange(decision.Proposal.Priced.Redeemables.Where(one => one.Redeemable.Type is not RedeemableType.Coupon && one.Redeemable.Amount > 0).Select(one => new Moment(
                decision.DecidedAt, MomentKind.Spent, request.Id, one.Redeemable.Amount, one.Redeemable.Type is RedeemableType.Points ? "points" : request.Cart.Currency, RedemptionStatus.None,
                one.Redeemable.Type.ToString().ToLowerInvariant(), null)));
        }

        moments.AddRange(orders.Select(order => new Moment(order.At, MomentKind.Order, order.Id, order.Total, order.Currency, RedemptionStatus.None, order.Returned > 0 ? "returned in part or whole" : null, null)));
        moments.AddRange(labels.Select(label => new Moment(label.At, MomentKind.Label, label.Id, 0, "", RedemptionStatus.None, $"{label.Source} of {label.RedemptionId}", label.Abuse)));
        moments.AddRange(ledger.BalancesOf(customerId).SelectMany(balance => balance.Lots.Select(lot =>
            new Moment(lot.EarnedAt, MomentKind.Earned, lot.Id, lot.Quantity, balance.Unit, RedemptionStatus.None, lot.Origin, null))));
        var newest = moments.OrderByDescending(moment => moment.At.UnixMilliseconds).ThenBy(moment => moment.Kind).ThenBy(moment => moment.Id, StringComparer.Ordinal).Take(max).Reverse().ToArray();
        return new(customerId, newest, newest.Length == moments.Count && attempts.Count < ReadMax && orders.Count < ReadMax);
    }
}
