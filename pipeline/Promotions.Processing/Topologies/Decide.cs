using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Streams;

namespace Promotions.Processing.Topologies;

/// <summary>Price → score → decide: from a gathered request to what the ledger is asked to record.</summary>
internal sealed class Decide(Decider decider, Func<DecisionInputs> inputs) : IProcessor<string, GatheredRequest, string, DecisionProposal>
{
    private IProcessorContext<string, DecisionProposal> _context = null!;

    public void Init(IProcessorContext<string, DecisionProposal> context) => _context = context;

    public void Process(in Record<string, GatheredRequest> record)
    {
        var (observed, vector, lateMask) = record.Value;
        _context.Forward(record.With(Propose(decider, observed.Request, observed.Entities, vector, lateMask, inputs())));
    }

    /// <param name="vector">Its request's part is filled here: the price is a feature.</param>
    public static DecisionProposal Propose(Decider decider, RedemptionRequest request, AttemptEntities entities, float[] vector, uint lateMask, DecisionInputs now)
    {
        var priced = PromotionEngine.Price(request, now.Campaigns, request.At);
        FeatureVector.PutRequest(vector, request, priced);
        return decider.Decide(request, entities, priced, vector, lateMask, now);
    }
}
