using Promotions.Api.Accounts;
using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Domain;

namespace Promotions.Api.Endpoints;

/// <summary>Accounts that an admin freezes or blocks. For keys of all channels only: an account is refused everywhere.</summary>
internal static class AccountEndpoints
{
    private const string Tag = "Customers";
    private const int ListMax = 100;

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("get_standing", "GET", "/v1/customers/{id}/standing", Access.Admin, Tag, "How an account stands, and who changed it", GetAsync)
        {
            Answers = [new(200, ContractsJson.Default.StandingAnswer, "Open, version 0, for a customer that nobody ever froze or blocked.")],
            Problems = [ProblemKind.NotFound],
            Examples = [new("/v1/customers/c-66/standing", 200)],
        },
        new("put_standing", "PUT", "/v1/customers/{id}/standing", Access.Admin, Tag, "Freeze, block or open an account", PutAsync)
        {
            Description = "From the answer on (in other processes within two seconds) redemptions are refused with account_frozen or account_blocked, before any rule. The reason is for auditors; checkout never learns it.",
            Request = ContractsJson.Default.StandingBody,
            Answers = [new(200, ContractsJson.Default.StandingAnswer, "As it stands now.")],
            Problems = [ProblemKind.NotFound, ProblemKind.ChannelNotAllowed, ProblemKind.StaleStandingVersion],
            Examples =
            [
                new("/v1/customers/c-66/standing", 200, """{"version": 0, "standing": "blocked", "reason": "three chargebacks in May", "until": "2099-01-01T00:00:00Z"}"""),
                new("/v1/customers/c-66/standing", 409, """{"version": 0, "standing": "open", "reason": "a mistake"}"""),
                new("/v1/customers/c-66/standing", 200, """{"version": 1, "standing": "open", "reason": "the bank took them back"}"""),
            ],
        },
        new("list_standings", "GET", "/v1/standings", Access.Admin, Tag, "The accounts that are frozen or blocked now", ListAsync)
        {
            Answers = [new(200, ContractsJson.Default.StandingsAnswer, "The latest change first; at most 100.")],
            Examples = [new("/v1/standings", 200)],
        },
    ];

    private static Task GetAsync(ApiCall call)
    {
        var id = call.PathValue("id");
        if (!Identifier.IsValid(id)) call.Refuse(ProblemKind.NotFound);
        else call.Answer(200, StandingIntake.Tell(call.Services.Accounts.Find(id), EventTime.Now(call.Services.Time)), ContractsJson.Default.StandingAnswer);
        return Task.CompletedTask;
    }

    private static async Task PutAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.StandingBody) is not { } body) return;
        var (id, now) = (call.PathValue("id"), EventTime.Now(call.Services.Time));
        var errors = new FieldErrors();
        if (!Identifier.IsValid(id)) call.Refuse(ProblemKind.NotFound);
        else if (StandingIntake.Read(body, now, errors) is not { } asked) call.Refuse(errors);
        else if (call.Key.Record.Channels.Count > 0) call.Refuse(ProblemKind.ChannelNotAllowed);
        else
        {
            var (file, taken) = await call.Services.Accounts.PutAsync(id, asked.Replaces, asked.Standing, asked.Reason, asked.Until, call.Key.Actor, CancellationToken.None).Bounded(call.Services);
            if (taken) call.Answer(200, StandingIntake.Tell(file, now), ContractsJson.Default.StandingAnswer);
            else call.Refuse(ProblemKind.StaleStandingVersion);
        }
    }

    private static Task ListAsync(ApiCall call)
    {
        var now = EventTime.Now(call.Services.Time);
        call.Answer(200, new([.. call.Services.Accounts.Barred(ListMax).Select(file => StandingIntake.Tell(file, now))]), ContractsJson.Default.StandingsAnswer);
        return Task.CompletedTask;
    }
}
