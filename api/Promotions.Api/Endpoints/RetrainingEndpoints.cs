using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Api.Retraining;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;

namespace Promotions.Api.Endpoints;

/// <summary>Candidates from the system's own log. For keys of all channels only: a model decides everywhere.</summary>
internal static class RetrainingEndpoints
{
    private const string Tag = "Models";

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("get_retraining", "GET", "/v1/models/retraining", Access.Admin, Tag, "What goes on, what is next, and what came of the last twenty retrainings", ReadAsync)
        {
            Answers = [new(200, ContractsJson.Default.RetrainingAnswer, "The newest first.")],
            Examples = [new("/v1/models/retraining", 200)],
        },
        new("start_retraining", "POST", "/v1/models/retraining", Access.Admin, Tag, "Learn a candidate from the log now", StartAsync)
        {
            Description = "Goes on in the background, in a process of its own; the first call says how far it is. It learns with the champion's settings from the period that the schedule names, compares both on later attempts, and registers what "
                + "it learned as a candidate. It never serves: shadow and promote are steps of people.",
            Answers = [new(202, ContractsJson.Default.RetrainingAnswer, "Begun.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.RetrainingUnavailable, ProblemKind.RetrainingRuns],
            Examples = [new("/v1/models/retraining", 409)],
        },
        new("get_retraining_policy", "GET", "/v1/policies/retraining", Access.Admin, "Policies", "When a candidate is learned, and from what", ReadPolicyAsync)
        {
            Answers = [new(200, ContractsJson.Default.RetrainingPolicyBody, "As it is in force.")],
            Examples = [new("/v1/policies/retraining", 200)],
        },
        new("put_retraining_policy", "PUT", "/v1/policies/retraining", Access.Admin, "Policies", "Set when a candidate is learned, and from what", PutPolicyAsync)
        {
            Description = "Off until every_days is set. The first one begins so many days after that, one that was missed while the system was down as soon as it is up. The last write counts.",
            Request = ContractsJson.Default.RetrainingPolicyBody,
            Answers = [new(200, ContractsJson.Default.RetrainingPolicyBody, "In force within a minute.")],
            Problems = [ProblemKind.ChannelNotAllowed],
            Examples = [new("/v1/policies/retraining", 200, """{"hour": 3, "period_days": 90, "label_days": 60, "labels_min": 200}""")],
        },
    ];

    private static Task ReadAsync(ApiCall call)
    {
        call.Answer(200, call.Services.Retraining.Read(), ContractsJson.Default.RetrainingAnswer);
        return Task.CompletedTask;
    }

    private static Task StartAsync(ApiCall call)
    {
        if (call.Key.Record.Channels.Count > 0) call.Refuse(ProblemKind.ChannelNotAllowed);
        else if (call.Services.Retrainings.MissingBecause is { } because) call.Refuse(ProblemKind.RetrainingUnavailable, because);
        else if (!call.Services.Retrainings.TryStart(call.Key.Actor)) call.Refuse(ProblemKind.RetrainingRuns);
        else call.Answer(202, call.Services.Retraining.Read(), ContractsJson.Default.RetrainingAnswer);
        return Task.CompletedTask;
    }

    private static Task ReadPolicyAsync(ApiCall call)
    {
        call.Answer(200, call.Services.Retraining.Read().Policy, ContractsJson.Default.RetrainingPolicyBody);
        return Task.CompletedTask;
    }

    private static async Task PutPolicyAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.RetrainingPolicyBody) is not { } body) return;
        var errors = new FieldErrors();
        if (RetrainingDesk.Check(body, errors) is not { } policy) call.Refuse(errors);
        else if (call.Key.Record.Channels.Count > 0) call.Refuse(ProblemKind.ChannelNotAllowed);
        else call.Answer(200, await call.Services.Retraining.PutAsync(policy, call.Key.Actor).Bounded(call.Services), ContractsJson.Default.RetrainingPolicyBody);
    }
}
