using System.Globalization;
using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Answers;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Ledger;
using Promotions.Processing.Reviews;

namespace Promotions.Api.Endpoints;

/// <summary>The review queue.</summary>
internal static class FlagEndpoints
{
    private const string Tag = "Flags";
    private const long DayMs = 86_400_000;

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("list_flags", "GET", "/v1/flags", Access.Admin, Tag, "Flagged redemptions, newest first or by expected cost", ListAsync)
        {
            Description = "By cost, the first flag is the one whose answer saves most: what is lost, expected, if nobody looks. Of a blocked redemption that is (1 - p) times what a wronged customer is worth, of one in review "
                + "p times the abuse's loss, by the costs of the policy in force; 0 once its hold ended with nothing taken.",
            Query =
            [
                new("open", "boolean", "Only those without an answer; true when left out."),
                new("order", "string", "newest (when left out) or cost, which orders open flags only."),
                new("max", "integer", "1 to 200; 50 when left out."),
                new("before", "integer", "Newest first: from next_before of the page before."),
                new("after", "string", "By cost: from next_after of the page before."),
            ],
            Answers = [new(200, ContractsJson.Default.FlagsAnswer, "With score, reasons and evidence.")],
            Examples = [new("/v1/flags?open=false&max=10", 200), new("/v1/flags?order=cost&max=10", 200)],
        },
        new("get_flag", "GET", "/v1/flags/{id}", Access.Admin, Tag, "One flagged redemption, explained", GetAsync)
        {
            Description = "The id is the redemption's.",
            Answers = [new(200, ContractsJson.Default.FlagAnswer, "With score, reasons and evidence.")],
            Problems = [ProblemKind.UnknownRedemption],
            Examples = [new("/v1/flags/r-never", 404)],
        },
        new("answer_flag", "POST", "/v1/flags/{id}/answer", Access.Admin, Tag, "A reviewer agrees (abuse) or disagrees", AnswerAsync)
        {
            Description = "The answer becomes a label, and abuse voids a hold that is not captured yet. The newest answer counts: the same one again changes nothing, the other one is a change of mind and a label of its own "
                + "(a hold that was voided stays so). Of two that differ and meet, one is refused.",
            Request = ContractsJson.Default.FlagAnswerBody,
            Answers = [new(200, ContractsJson.Default.RecordedAnswer, "Recorded.")],
            Problems = [ProblemKind.UnknownRedemption, ProblemKind.SameIdDifferentContent],
            Examples = [new("/v1/flags/r-never/answer", 404, """{"abuse": true, "note": "nine accounts on one device"}""")],
        },
    ];

    private static Task ListAsync(ApiCall call)
    {
        if (!call.TryQuery("open", true, out var open) || !call.TryQuery("max", 1, 200, 50, out var max)
            || !call.TryQuery("before", 0, long.MaxValue, long.MaxValue, out var before))
            return Task.CompletedTask;
        var query = call.Context.Request.Query;
        var byCost = query["order"].ToString() is "cost";
        if (!byCost && query["order"].ToString() is not ("" or "newest")) call.Refuse(ProblemKind.InvalidRequest, "The query's order must be newest or cost.");
        else if (byCost && (!open || query.ContainsKey("before"))) call.Refuse(ProblemKind.InvalidRequest, "By cost only open flags have an order, and pages go on by after.");
        else if (!byCost && query.ContainsKey("after")) call.Refuse(ProblemKind.InvalidRequest, "Newest first, pages go on by before.");
        else if (byCost) ListByCost(call, (int)max, query["after"].ToString());
        else ListNewest(call, open, (int)max, before);
        return Task.CompletedTask;
    }

    private static void ListNewest(ApiCall call, bool open, int max, long before)
    {
        var flags = call.Services.Reader.Flags(open, max, before);
        call.Answer(
            200,
            new FlagsAnswer(
                [.. flags.Where(flag => RedemptionEndpoints.IsVisible(call, flag.Decision)).Select(flag => Tell(call, flag))],
                flags.Count == max ? flags[^1].Decision.Position : null, null, null),
            ContractsJson.Default.FlagsAnswer);
    }

    private static void ListByCost(ApiCall call, int max, string after)
    {
        var from = new QueuePlace(double.PositiveInfinity, long.MaxValue);
        if (after.Length > 0 && !TryPlace(after, out from))
        {
            call.Refuse(ProblemKind.InvalidRequest, "The query's after must be a next_after.");
            return;
        }

        var all = call.Services.Cases.Read(call.Services.Policies.Current.Policy.Costs);
        QueuedCase[] queue = [.. all.Where(queued => call.Key.Allows(queued.Case.Channel))];
        QueuedCase[] page = [.. queue.Where(queued => QueuePlace.Compare(from, queued.Place) < 0).Take(max)];
        var flags = page.Select(queued => call.Services.Reader.FindFlag(queued.Case.RedemptionId)).OfType<Flag>().Where(flag => flag.Answer is null);
        var midnight = new EventTime(call.At.UnixMilliseconds / DayMs * DayMs);
        call.Answer(
            200,
            new FlagsAnswer(
                [.. flags.Select(flag => Tell(call, flag))], null, page.Length == max ? Of(page[^1].Place) : null,
                new(queue.Length, all.Count < OpenCases.Max, call.Services.Reader.AnswersSince(midnight), call.Services.FlagRules.Read().ReviewsPerDay)),
            ContractsJson.Default.FlagsAnswer);
    }

    private static Task GetAsync(ApiCall call)
    {
        if (Find(call) is { } flag) call.Answer(200, Tell(call, flag), ContractsJson.Default.FlagAnswer);
        else call.Refuse(ProblemKind.UnknownRedemption);
        return Task.CompletedTask;
    }

    private static async Task AnswerAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.FlagAnswerBody) is not { } body) return;
        var errors = new FieldErrors();
        if (body.Abuse is null) errors.Add("/abuse", "required", "Is missing.");
        var note = Check.OptionalText(errors, body.Note, "/note", Bounds.NoteMax);
        if (errors.Any) call.Refuse(errors);
        else if (Find(call) is not { } flag) call.Refuse(ProblemKind.UnknownRedemption);
        else
        {
            var answered = await call.Services.Reviews.AnswerAsync(flag.Decision.Proposal.Request.Id, body.Abuse!.Value, note, call.Key.Id, CancellationToken.None).Bounded(call.Services);
            call.AnswerRecorded(answered.LabelId ?? "", new(answered.Position, answered.Refusal, false, null, answered.Detail));
        }
    }

    private static Flag? Find(ApiCall call)
    {
        var id = call.PathValue("id");
        return Identifier.IsValid(id) && call.Services.Reader.FindFlag(id) is { } flag && RedemptionEndpoints.IsVisible(call, flag.Decision) ? flag : null;
    }

    private static FlagAnswer Tell(ApiCall call, Flag flag)
    {
        var (costs, open) = (call.Services.Policies.Current.Policy.Costs, OpenCase.Of(flag.Decision));
        return new(
            RedemptionAnswers.ForAdmin(flag.Decision, call.Services.Explainer.Explain(flag.Decision)), flag.Answer, flag.AnsweredBy, Wire.Of(flag.AnsweredAt),
            Money(open.AtStake(costs)), Money(open.ExpectedCost(costs)));

        MoneyBody Money(double minorUnits) => new((long)Math.Round(minorUnits), open.Currency);
    }

    private static string Of(QueuePlace place) => string.Create(CultureInfo.InvariantCulture, $"{BitConverter.DoubleToInt64Bits(place.Cost):x}.{place.Position}");

    private static bool TryPlace(string text, out QueuePlace place)
    {
        place = default;
        if (text.Split('.') is not [var cost, var position] || !long.TryParse(cost, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits)
            || !long.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out var at)) return false;
        place = new(BitConverter.Int64BitsToDouble(bits), at);
        return true;
    }
}
