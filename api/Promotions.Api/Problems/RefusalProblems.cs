using Promotions.Contracts;
using Promotions.Ledger;

namespace Promotions.Api.Problems;

/// <summary>A refusal in the HTTP API's words, for those who answer elsewhere than over HTTP.</summary>
public static class RefusalProblems
{
    /// <returns>Without detail, instance and field errors: these are of one occurrence.</returns>
    public static ProblemAnswer Of(LedgerRefusal refusal)
    {
        var kind = ProblemKinds.From(refusal);
        var (status, title, _) = ProblemKinds.Describe(kind);
        return new(ProblemTypes.TypeOf(kind), title, status, ProblemTypes.CodeOf(kind), null, null, null);
    }
}
