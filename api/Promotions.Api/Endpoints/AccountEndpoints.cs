using Promotions.Api.Accounts;
using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts;
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
        new("get_flag_rules", "GET", "/v1/policies/flags", Access.Admin, "Policies", "From which probability on a flag rings the bell, and freezes its account", GetRulesAsync)
        {
            Answers = [new(200, ContractsJson.Default.FlagRulesBody, "As they are in force.")],
            Examples = [new("/v1/policies/flags", 200)],
        },
        new("put_flag_rules", "PUT", "/v1/policies/flags", Access.Admin, "Policies", "Set when flags ring the bell and freeze accounts", PutRulesAsync)
        {
            Description = "freeze_from is off until it is set, and freezes for flags from then on. The last write counts. For keys of all channels only.",
            Request = ContractsJson.Default.FlagRulesBody,
            Answers = [new(200, ContractsJson.Default.FlagRulesBody, "In force within a second.")],
            Problems = [ProblemKind.ChannelNotAllowed],
            Examples = [new("/v1/policies/flags", 200, """{"notify_from": 0.9, "freeze_hours": 24}""")],
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

    private static Task GetRulesAsync(ApiCall call)
    {
        call.Answer(200, Tell(call.Services.FlagRules.Read()), ContractsJson.Default.FlagRulesBody);
        return Task.CompletedTask;
    }

    private static async Task PutRulesAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.FlagRulesBody) is not { } body) return;
        var errors = new FieldErrors();
        var notify = Check.Number(errors, body.NotifyFrom, "/notify_from", 0, 1);
        var freeze = body.FreezeFrom is null ? (double?)null : Check.Number(errors, body.FreezeFrom, "/freeze_from", 0, 1);
        var hours = (int)Check.Whole(errors, body.FreezeHours, "/freeze_hours", 1, (long)StandingIntake.FreezeMax.TotalHours);
        var perDay = body.ReviewsPerDay is null ? (int?)null : (int)Check.Whole(errors, body.ReviewsPerDay, "/reviews_per_day", 0, 1_000_000);
        if (errors.Any) call.Refuse(errors);
        else if (call.Key.Record.Channels.Count > 0) call.Refuse(ProblemKind.ChannelNotAllowed);
        else
        {
            // A level that stays on keeps its beginning: another bell must not forget flags that are about to be looked at.
            var before = call.Services.FlagRules.Read();
            var since = before.FreezeFrom == freeze && freeze is not null ? before.FreezeSince : EventTime.Now(call.Services.Time).UnixMilliseconds;
            var rules = await call.Services.FlagRules.PutAsync(new(notify, freeze, hours, since) { ReviewsPerDay = perDay ?? before.ReviewsPerDay }, call.Key.Actor).Bounded(call.Services);
            call.Answer(200, Tell(rules), ContractsJson.Default.FlagRulesBody);
        }
    }

    private static FlagRulesBody Tell(FlagRules rules) => new() { NotifyFrom = rules.NotifyFrom, FreezeFrom = rules.FreezeFrom, FreezeHours = rules.FreezeHours, ReviewsPerDay = rules.ReviewsPerDay };
}
