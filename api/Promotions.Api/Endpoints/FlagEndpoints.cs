using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Answers;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Domain;
using Promotions.Ledger;

namespace Promotions.Api.Endpoints;

/// <summary>The review queue.</summary>
internal static class FlagEndpoints
{
    private const string Tag = "Flags";

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("list_flags", "GET", "/v1/flags", Access.Admin, Tag, "Flagged redemptions, newest first", ListAsync)
        {
            Query =
            [
                new("open", "boolean", "Only those without an answer; true when left out."),
                new("max", "integer", "1 to 200; 50 when left out."),
                new("before", "integer", "From next_before of the page before."),
            ],
            Answers = [new(200, ContractsJson.Default.FlagsAnswer, "With score, reasons and evidence.")],
            Examples = [new("/v1/flags?open=false&max=10", 200)],
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
            Description = "The answer becomes a label, and abuse voids a hold that is not captured yet.",
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
        var flags = call.Services.Reader.Flags(open, (int)max, before);
        call.Answer(
            200,
            new FlagsAnswer(
                [.. flags.Where(flag => RedemptionEndpoints.IsVisible(call, flag.Decision)).Select(flag => Tell(call, flag))],
                flags.Count == max ? flags[^1].Decision.Position : null),
            ContractsJson.Default.FlagsAnswer);
        return Task.CompletedTask;
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
            var redemptionId = flag.Decision.Proposal.Request.Id;
            await EventEndpoints.RecordLabelAsync(call, EventEndpoints.FlagLabelId(redemptionId, body.Abuse!.Value), redemptionId, body.Abuse.Value, "review", note);
        }
    }

    private static Flag? Find(ApiCall call)
    {
        var id = call.PathValue("id");
        return Identifier.IsValid(id) && call.Services.Reader.FindFlag(id) is { } flag && RedemptionEndpoints.IsVisible(call, flag.Decision) ? flag : null;
    }

    private static FlagAnswer Tell(ApiCall call, Flag flag) =>
        new(RedemptionAnswers.ForAdmin(flag.Decision, call.Services.Explainer.Explain(flag.Decision)), flag.Answer, flag.AnsweredBy, Wire.Of(flag.AnsweredAt));
}
