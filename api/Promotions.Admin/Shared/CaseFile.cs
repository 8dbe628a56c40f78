using Promotions.Domain.Decisions;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Processing.Reviews;

namespace Promotions.Admin.Shared;

/// <summary>All that a page shows of one decision.</summary>
/// <param name="Flag">Null for a decision that was not flagged.</param>
public sealed record CaseFile(Decision Decision, Flag? Flag, CustomerTimeline Timeline, SimilarCasesFound Similar, Neighbourhood Around)
{
    private const int MomentsMax = 120;
    private const int SimilarMax = 5;

    public string Id => Decision.Proposal.Request.Id;

    /// <param name="before">What the page showed a moment ago: what cannot have changed is kept from it.</param>
    /// <returns>Null where the ledger has no decision with this id.</returns>
    public static CaseFile? Read(ILedgerReader ledger, SimilarCases similar, EntityGraph graph, string id, CaseFile? before)
    {
        if (ledger.FindDecision(id) is not { } decision) return null;
        var flag = ledger.FindFlag(id);
        if (before is not null && before.Id == id && before.Flag?.AnsweredAt == flag?.AnsweredAt) return before with { Decision = decision, Flag = flag };
        return new(decision, flag, CustomerTimeline.Read(ledger, decision.Proposal.Request.Customer.Id, MomentsMax), similar.Find(decision, SimilarMax),
            graph.Around(new(EntityKind.Customer, decision.Proposal.Request.Customer.Id)));
    }
}
