using System.Text.Json;
using Promotions.Contracts;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;

namespace Promotions.Processing.Kafka.Effects;

/// <summary>What an accepted command did to a customer's balances: a pure function of command and outcome, so that a repeat tells the same.</summary>
internal static class BalanceChanges
{
    /// <param name="judged">Of a label: the decision that it is about, as it stood before.</param>
    public static IEnumerable<BalanceChange> Of(LedgerCommand command, LedgerOutcome outcome, Decision? judged) => outcome.Accepted
        ? command switch
        {
            RecordOrder { PointsEarned: > 0 } order => [Change(order.Order.Customer.Id, "points", "points", order.PointsEarned, 0, "order", order.Order.Id, order.At, outcome.Position)],
            DecideRedemption redemption when outcome.Decision is { Status: RedemptionStatus.Approved or RedemptionStatus.Review } decision =>
                OfTenders(decision, -1, 1, "redemption", decision.DecidedAt, outcome.Position),
            CaptureHold when outcome.Decision is { } decision => OfTenders(decision, 0, -1, "capture", command.At, outcome.Position),
            VoidHold when outcome.Decision is { } decision => OfTenders(decision, 1, -1, "void", command.At, outcome.Position),
            RecordLabel { Label.Abuse: true } when (outcome.Decision ?? judged) is { Hold: HoldState.Voided } decision => OfTenders(decision, 1, -1, "void", command.At, outcome.Position),
            _ => [],
        }
        : [];

    public static byte[] Write(BalanceChange change) => JsonSerializer.SerializeToUtf8Bytes(change, ContractsJson.Default.BalanceChange);

    /// <param name="available">-1, 0 or 1: what becomes of the amount that is available.</param>
    /// <param name="held">The same for what is held.</param>
    private static IEnumerable<BalanceChange> OfTenders(Decision decision, int available, int held, string cause, EventTime at, long position)
    {
        var request = decision.Proposal.Request;
        foreach (var tenders in decision.Proposal.Priced.Redeemables.Where(priced => priced.Tender > 0).GroupBy(priced => priced.Redeemable.Type))
        {
            var amount = tenders.Sum(priced => priced.Tender);
            var unit = tenders.Key is RedeemableType.Points ? "points" : request.Cart.Currency;
            yield return Change(request.Customer.Id, Wire.Of(tenders.Key), unit, available * amount, held * amount, cause, request.Id, at, position);
        }
    }

    private static BalanceChange Change(string customer, string segment, string unit, long available, long held, string cause, string id, EventTime at, long position) => new(
        $"{cause}:{id}:{segment}", customer, segment, QuantityBody.Of(available, unit), QuantityBody.Of(held, unit), new(cause, id), at.ToString(), position);
}
