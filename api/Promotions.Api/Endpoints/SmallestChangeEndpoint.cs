using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Answers;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Processing.Changes;

namespace Promotions.Api.Endpoints;

/// <summary>What a customer could have left out for a redemption to pass. For staff: told to checkout, it would teach abusers the way around.</summary>
internal static class SmallestChangeEndpoint
{
    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("smallest_change", "GET", "/v1/redemptions/{id}/smallest-change", Access.Admin, "Redemptions", "The least that the customer could have left out for it to pass", GetAsync)
        {
            Description = "Of a blocked or reviewed redemption, at its moment: codes, balances, lines, or all but one piece of a line; fewest first, then least given up. Each combination is priced on the "
                + "campaigns of that moment and judged by the model and policy of the record. Waiting, or another device, ip or account, is not offered: no record holds what those would have counted.",
            Answers = [new(200, ContractsJson.Default.SmallestChangeAnswer, "The change, or what holds it there; where neither can be said, why not.")],
            Problems = [ProblemKind.UnknownRedemption],
            Examples = [new("/v1/redemptions/r-1001/smallest-change", 200)],
        },
    ];

    private static Task GetAsync(ApiCall call)
    {
        var id = call.PathValue("id");
        if (Identifier.IsValid(id) && call.Services.Reader.FindDecision(id) is { } decision && RedemptionEndpoints.IsVisible(call, decision))
            call.Answer(200, Tell(id, Wire.Of(decision.Status), decision.Proposal.Request.Cart.Currency, call.Services.Changes.Find(decision)), ContractsJson.Default.SmallestChangeAnswer);
        else call.Refuse(ProblemKind.UnknownRedemption);
        return Task.CompletedTask;
    }

    private static SmallestChangeAnswer Tell(string id, string status, string currency, SmallestChange change)
    {
        return new(id, status, change.Sentence, Passing(change.Smallest), Passing(change.Approved), RedemptionAnswers.Tell(change.HeldBy), change.LookedAt, change.ChangesMax, change.MissingBecause);

        PassingChangeAnswer? Passing(PassingChange? passing) => passing is null ? null : new(
            [.. passing.Changes.Select(one => new ChangeAnswer(NameOf(one.Kind), one.What, Money(one.GivenUp)))],
            Wire.Of(passing.Verdict), passing.Probability, passing.IsExact, Money(passing.GivenUp), Money(passing.Priced.Discount), Money(passing.Priced.Total));

        MoneyBody Money(long amount) => new(amount, currency);
    }

    private static string NameOf(ChangeKind kind) => kind switch
    {
        ChangeKind.DropCode => "drop_code",
        ChangeKind.DropBalance => "drop_balance",
        ChangeKind.DropLine => "drop_line",
        ChangeKind.KeepOnePiece => "keep_one_piece",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
