using Promotions.Api.Http;
using Promotions.Api.Policies;
using Promotions.Api.Problems;
using Promotions.Contracts.Intake;
using Promotions.Contracts.Json;
using Promotions.Processing.Decisions;

namespace Promotions.Api.Endpoints;

/// <summary>What the shop loses by each mistake, and what is blocked whatever the model says.</summary>
internal static class PolicyEndpoints
{
    private const string Tag = "Policies";

    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("get_fraud_policy", "GET", "/v1/policies/fraud", Access.Admin, Tag, "The fraud policy that decides now, or an earlier version", GetAsync)
        {
            Query = [new("version", "integer", "As a decision names it; the current one when left out.")],
            Answers = [new(200, ContractsJson.Default.FraudPolicyAnswer, "As it was written.")],
            Problems = [ProblemKind.UnknownPolicyVersion],
            Examples = [new("/v1/policies/fraud", 200), new("/v1/policies/fraud?version=99", 404)],
        },
        new("put_fraud_policy", "PUT", "/v1/policies/fraud", Access.Admin, Tag, "The next version of the fraud policy", PutAsync)
        {
            Description = "version names the version that it replaces; when that is no longer the current one, nothing changes. Attempts that arrive after the answer are decided by it, "
                + "and each decision names its version. For keys of all channels only.",
            Request = ContractsJson.Default.FraudPolicyBody,
            Answers = [new(200, ContractsJson.Default.FraudPolicyAnswer, "The new version, which decides from now on.")],
            Problems = [ProblemKind.ChannelNotAllowed, ProblemKind.StalePolicyVersion],
            Examples = [new("/v1/policies/fraud", 200, Examples.FraudPolicy), new("/v1/policies/fraud", 409, Examples.StaleFraudPolicy)],
        },
        new("let_through_outcomes", "GET", "/v1/policies/fraud/let-through", Access.Admin, Tag, "What passed although the model would have blocked it, and what that tells", LetThroughAsync)
        {
            Description = "Where the policy lets a share of would-be blocks through: how right the model is about what it blocks, and what blocking saves, with 95 % intervals. Each that passed stands for 1 / its chance; attempts whose day had no value left are left out. "
                + "What passed longer ago than labels take and has none counts as honest.",
            Query = [new("days", "integer", "So many whole days back from now, 1 to 400; 90 when left out."), new("mature_after_days", "integer", "How long labels take, 0 to 400; 45 when left out.")],
            Answers = [new(200, ContractsJson.Default.LetThroughOutcomesAnswer, "By currency.")],
            Problems = [ProblemKind.ResultsUnavailable],
            Examples = [new("/v1/policies/fraud/let-through?mature_after_days=60", 200)],
        },
    ];

    private static async Task LetThroughAsync(ApiCall call)
    {
        if (!call.TryQuery("days", 1, 400, LetThroughOutcomes.DaysUsual, out var days) || !call.TryQuery("mature_after_days", 0, 400, LetThroughOutcomes.MatureAfterDaysUsual, out var mature)) return;
        if (call.Services.WouldBeBlocks is not { } blocks) call.Refuse(ProblemKind.ResultsUnavailable);
        else call.Answer(200, await LetThroughOutcomes.TellAsync(blocks, call.Services.Policies.Current.Policy.Costs, call.At, (int)days, (int)mature, call.Aborted).Bounded(call.Services), ContractsJson.Default.LetThroughOutcomesAnswer);
    }

    private static Task GetAsync(ApiCall call)
    {
        var policies = call.Services.Policies;
        var current = policies.Current;
        if (!call.TryQuery("version", 1, int.MaxValue, current.Policy.Version, out var version)) return Task.CompletedTask;
        if (policies.Find((int)version) is { } policy) call.Answer(200, PolicyIntake.Tell(policy), ContractsJson.Default.FraudPolicyAnswer);
        else call.Refuse(ProblemKind.UnknownPolicyVersion);
        return Task.CompletedTask;
    }

    private static async Task PutAsync(ApiCall call)
    {
        if (await call.ReadAsync(ContractsJson.Default.FraudPolicyBody) is not { } body) return;
        await call.Services.Secret.EnsureAsync(call.Aborted);
        var errors = new FieldErrors();
        var next = PolicyIntake.Read(body, name => call.Services.Features.IndexOf(name) >= 0, call.Services.Secret, errors);
        var policies = call.Services.Policies;
        if (next is null) call.Refuse(errors);
        else if (call.Key.Record.Channels.Count > 0) call.Refuse(ProblemKind.ChannelNotAllowed);
        else if (await policies.TryPutAsync(next, call.Key.Actor, CancellationToken.None).Bounded(call.Services))
            call.Answer(200, PolicyIntake.Tell(policies.Find(next.Version)!), ContractsJson.Default.FraudPolicyAnswer);
        else if (policies.Current is var current && IsRepeated(current.Policy, next))
        {
            call.MarkRepeated(true);   // the answer to the first try was lost on its way
            call.Answer(200, PolicyIntake.Tell(current), ContractsJson.Default.FraudPolicyAnswer);
        }
        else call.Refuse(ProblemKind.StalePolicyVersion);
    }

    private static bool IsRepeated(FraudPolicy current, FraudPolicy next) =>
        current.Version == next.Version && current.Costs == next.Costs && current.ReviewFloor.Equals(next.ReviewFloor) && current.HoldFor == next.HoldFor && current.LetThrough == next.LetThrough
        && current.HardRules.SequenceEqual(next.HardRules)
        && current.Channels.Count == next.Channels.Count
        && current.Channels.Zip(next.Channels).All(pair => pair.First.ChannelPattern == pair.Second.ChannelPattern && pair.First.Fallback == pair.Second.Fallback
            && pair.First.IgnoredEntities.SequenceEqual(pair.Second.IgnoredEntities));
}
