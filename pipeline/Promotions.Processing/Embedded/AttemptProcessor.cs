using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;

namespace Promotions.Processing.Embedded;

/// <summary>The life of one attempt between intake and commit: observe → price → score → decide. Owned by the pipeline's thread.</summary>
/// <param name="inputs">Model, policy and campaigns of this moment.</param>
public sealed class AttemptProcessor(IFeatureFold features, Decider decider, Func<DecisionInputs> inputs)
{
    internal void ObserveAndDecide(AttemptItem item)
    {
        item.Entities = ChannelEntities.Of(item.Request, inputs().Policy.For(item.Request.Channel));
        item.Vector = new float[features.VectorLength];
        item.LateMask = features.Observe(item.Request, item.Entities, item.Vector);
        item.StateHash = FeatureVector.Hash(item.Vector);
        Decide(item);
    }

    internal void Decide(AttemptItem item)
    {
        var now = inputs();
        var priced = PromotionEngine.Price(item.Request, now.Campaigns, item.At);
        features.Describe(item.Request, priced, item.Vector);
        item.Proposal = decider.Decide(item.Request, item.Entities!, priced, item.Vector, item.LateMask, now);
    }

    internal static LogAppend ToAppend(AttemptItem item) => new(
        Topics.Requests, item.Key, ObservedRequest.Encode(item.Request, item.Entities!), item.At, item.StateHash, CommandOf(item))
    {
        AppendAlways = true,
    };

    /// <summary>A validation books nothing: it is observed, and its arms are logged.</summary>
    private static LedgerCommand? CommandOf(AttemptItem item) => item switch
    {
        { Request.Kind: AttemptKind.Redemption } => new DecideRedemption(new Actor("api_key", item.Request.ApiKeyId), item.At, item.Proposal!),
        { Proposal.Arms.Count: > 0 } => new LogTrigger("trigger:" + item.Request.Id, new Actor("api_key", item.Request.ApiKeyId), item.At, item.Proposal.Arms),
        _ => null,
    };

    /// <summary>What the features will count of this batch's attempts: one outcome for each that was decided now.</summary>
    internal static IReadOnlyList<LogAppend> OutcomesOf(List<AttemptItem> attempts, IReadOnlyList<LedgerOutcome?> outcomes)
    {
        var appends = new List<LogAppend>(attempts.Count);
        for (var i = 0; i < attempts.Count; i++)
        {
            if (OutcomeOf(attempts[i], outcomes[i]) is not { } outcome) continue;
            appends.Add(new(Topics.Outcomes, outcome.RedemptionId, RecordCodec.Encode(outcome), outcome.At, 0, null) { AppendAlways = true });
        }

        return appends;
    }

    private static RedemptionOutcome? OutcomeOf(AttemptItem item, LedgerOutcome? outcome)
    {
        var request = item.Request;
        var proposal = item.Proposal!;
        var invalidCode = proposal.Priced.Redeemables.Any(r => r.UnknownCode);
        if (request.Kind is AttemptKind.Validation)
            return new(request.Id, request.Kind, proposal.Proposed, proposal.Refusal.ToString(), invalidCode, proposal.Priced.Discount, item.At, item.Entities!);
        return outcome is { Accepted: true, Repeated: false, Decision: { } decision }
            ? new(request.Id, request.Kind, decision.Status, decision.Refusal.ToString(), invalidCode, proposal.Priced.Discount, item.At, item.Entities!)
            : null;
    }
}
