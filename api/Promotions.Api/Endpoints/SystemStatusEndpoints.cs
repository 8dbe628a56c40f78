using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts.Json;

namespace Promotions.Api.Endpoints;

/// <summary>The System page as JSON.</summary>
internal static class SystemStatusEndpoints
{
    public static readonly IReadOnlyList<ApiOperation> All =
    [
        new("system", "GET", "/v1/system", Access.Admin, "System", "Who runs, what each works on, and how far behind everything is", ReadAsync)
        {
            Answers = [new(200, ContractsJson.Default.SystemAnswer, "As known to the process that answers.")],
            Problems = [ProblemKind.NotFound],
            Examples = [new("/v1/system", 200)],
        },
    ];

    private static Task ReadAsync(ApiCall call)
    {
        if (call.Services.System is { } system) call.Answer(200, system.Read(), ContractsJson.Default.SystemAnswer);
        else call.Refuse(ProblemKind.NotFound, "This process does not follow the others.");
        return Task.CompletedTask;
    }
}
