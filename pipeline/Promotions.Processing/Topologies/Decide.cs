using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;
using Promotions.Streams;

namespace Promotions.Processing.Topologies;

/// <summary>Price → score → decide: from a gathered request to what the ledger is asked to record.</summary>
internal sealed class Decide(Decider decider, Func<DecisionInputs> inputs) : IProcessor<string, GatheredRequest, string, DecisionProposal>
{
    private IProcessorContext<string, DecisionProposal> _context = null!;

    public void Init(IProcessorContext<string, DecisionProposal> context) => _context = context;

    public void Process(in Record<string, GatheredRequest> record) => _context.Forward(record.With(Propose(decider, record.Value, inputs())));

    public static DecisionProposal Propose(Decider decider, in GatheredRequest gathered, DecisionInputs now) =>
        Propose(decider, gathered.Observed.Request, gathered.Observed.Entities, gathered.Vector, gathered.LateMask, now);

    /// <param name="vector">Its request's part is filled here: the price is a feature.</param>
    public static DecisionProposal Propose(Decider decider, RedemptionRequest request, AttemptEntities entities, float[] vector, uint lateMask, DecisionInputs now)
    {
        var priced = PromotionEngine.Price(request, now.Campaigns, request.At);
        FeatureVector.PutRequest(vector, request, priced);
        return decider.Decide(request, entities, priced, vector, lateMask, now);
    }
}

/// <summary>What decide hands to the ledger where hops are topics.</summary>
/// <param name="ReplyTo">Who waits for the answer; null where nobody but the decisions' readers does.</param>
public sealed record ProposedDecision(DecisionProposal Proposal, ReplyAddress? ReplyTo);

/// <summary><see cref="Decide"/>, with the address of whoever waits elsewhere, and with what was looked up ahead.</summary>
internal sealed class DecideFor(Decider decider, Func<DecisionInputs> inputs, ICampaignLookAhead? lookAhead) : IProcessor<string, GatheredRequest, string, ProposedDecision>
{
    private IProcessorContext<string, ProposedDecision> _context = null!;

    public void Init(IProcessorContext<string, ProposedDecision> context) => _context = context;

    public void Process(in Record<string, GatheredRequest> record)
    {
        var now = inputs();
        if (lookAhead?.Take(record.Value.Observed.Request) is { } campaigns) now = now with { Campaigns = campaigns };
        _context.Forward(record.With(new ProposedDecision(Decide.Propose(decider, record.Value, now), record.Value.Observed.ReplyTo)));
    }
}
