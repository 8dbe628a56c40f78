using Promotions.Api.Http;
using Promotions.Api.Problems;
using Promotions.Contracts;
using Promotions.Contracts.Json;
using Promotions.Ledger;

namespace Promotions.Api.Endpoints;

internal static class Waiting
{
    /// <summary>Wait no longer than the answer's timeout. The work itself goes on: its effect is unknown to the caller, who asks again with the same id.</summary>
    public static Task<T> Bounded<T>(this Task<T> work, ApiServices services) =>
        work.IsCompleted ? work : work.WaitAsync(services.Options.AnswerTimeout, services.Time);

    /// <summary>The answer to a fact that is recorded and needs nothing more.</summary>
    public static void AnswerRecorded(this ApiCall call, string id, LedgerOutcome outcome)
    {
        if (!call.RefusedBy(outcome)) call.Answer(200, new RecordedAnswer(id, outcome.Position), ContractsJson.Default.RecordedAnswer);
    }

    /// <summary>True when the ledger said no, and the refusal is written; else marks a repeated answer.</summary>
    public static bool RefusedBy(this ApiCall call, LedgerOutcome outcome)
    {
        if (!outcome.Accepted)
        {
            // Only for a value out of range does the ledger's detail help the caller; elsewhere the title says all.
            call.Refuse(ProblemKinds.From(outcome.Refusal), outcome.Refusal is LedgerRefusal.InvalidCommand ? outcome.Detail : null);
            return true;
        }
        call.MarkRepeated(outcome.Repeated);
        return false;
    }
}
