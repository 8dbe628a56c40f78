using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Processing.Records;
using Promotions.Processing.State;
using Promotions.Processing.Topologies;

namespace Promotions.Processing.Tests;

/// <summary>Every way of leaving things out of a request, each truly observed: what each entity was told before is folded again, and the decider of the pipeline judges.</summary>
internal sealed class SmallestChangeOracle(ICampaignSnapshot campaigns, DecisionInputs inputs)
{
    private readonly Dictionary<EntityKey, List<EntityRecord>> _told = [];
    private readonly Decider _decider = new(new FeatureCatalog());
    private readonly Dictionary<(EntityKey, long, string), float[]> _parts = [];

    /// <summary>The next record of the log.</summary>
    public void Tell(string topic, ReadOnlySpan<byte> value)
    {
        if (topic == Topics.Requests)
        {
            var observed = ObservedRequest.Decode(value);
            var told = EntityRecord.Of(observed.Request, Observation.From(observed.Request, observed.Entities));
            foreach (var key in observed.Keys.Span) Of(key).Add(told);
            return;
        }

        EntityFeedback? feedback = topic switch
        {
            Topics.Outcomes => EntityFeedback.OfOutcome(value),
            Topics.Labels => EntityFeedback.Of(RecordCodec.DecodeLabel(value)),
            Topics.Orders => EntityFeedback.Of(RecordCodec.DecodeOrder(value)),
            Topics.Returns => EntityFeedback.Of(RecordCodec.DecodeReturn(value)),
            _ => null,
        };
        if (feedback is null) return;
        foreach (var key in feedback.Keys) Of(key).Add(EntityRecord.Of(feedback));
    }

    /// <summary>What the pipeline would have said of this request now, in the place of another.</summary>
    public DecisionProposal Judge(RedemptionRequest request, AttemptEntities recorded)
    {
        var entities = recorded with { Codes = Entities.From(request).Codes };
        var keys = new List<EntityKey>();
        Entities.Keys(entities, keys);
        var observation = Observation.From(request, entities);
        var vector = new float[FeatureRegistry.Count];
        FeatureVector.Clear(vector);
        foreach (var key in keys) FeatureVector.Put(vector, key.Kind, Part(key, observation, request.Id + "|" + string.Join(',', entities.Codes)));
        return Decide.Propose(_decider, request, entities, vector, 0, inputs with { Campaigns = campaigns });
    }

    /// <summary>The least that has a lighter verdict: how many changes, and what is given up. Null where nothing has.</summary>
    public (int Changes, long GivenUp)? Smallest(Decision decision, RedemptionStatus target, int changesMax)
    {
        var (request, priced) = (decision.Proposal.Request, decision.Proposal.Priced);
        (int Changes, long GivenUp)? best = null;
        Try(0, request.Redeemables, request.Cart.Lines, 0, 0);
        return best;

        // Redeemables first, then lines: each is kept, left out, or (a line) one piece of it kept.
        void Try(int at, IReadOnlyList<Redeemable> redeemables, IReadOnlyList<CartLine> lines, int changes, long givenUp)
        {
            if (changes > changesMax) return;
            if (at < request.Redeemables.Count)
            {
                var one = request.Redeemables[at];
                Try(at + 1, redeemables, lines, changes, givenUp);
                Try(at + 1, [.. redeemables.Where(other => other != one)], lines, changes + 1, givenUp + priced.Redeemables[at].Discount + priced.Redeemables[at].Tender);
            }
            else if (at - request.Redeemables.Count is var l && l < request.Cart.Lines.Count)
            {
                var line = request.Cart.Lines[l];
                Try(at + 1, redeemables, lines, changes, givenUp);
                Try(at + 1, redeemables, [.. lines.Where(other => other.Line != line.Line)], changes + 1, givenUp + line.Subtotal);
                if (line.Quantity > 1) Try(at + 1, redeemables, [.. lines.Select(other => other.Line == line.Line ? line with { Quantity = 1 } : other)], changes + 1, givenUp + line.Subtotal - line.UnitPrice);
            }
            else if (changes > 0 && redeemables.Count > 0 && lines.Count > 0 && (best is not { } known || (changes, givenUp).CompareTo(known) < 0))
            {
                var judged = Judge(request with { Redeemables = redeemables, Cart = request.Cart with { Lines = lines } }, decision.Proposal.Entities);
                if (judged.Refusal is RefusalCode.None && judged.Proposed <= target) best = (changes, givenUp);
            }
        }
    }

    private List<EntityRecord> Of(EntityKey key)
    {
        if (!_told.TryGetValue(key, out var list)) _told.Add(key, list = []);
        return list;
    }

    private float[] Part(EntityKey key, Observation observation, string what)
    {
        // A customer counts carts; the others are the same for every cart of the request.
        var amount = key.Kind is EntityKind.Customer ? observation.Amount : 0;
        if (_parts.TryGetValue((key, amount, what), out var known)) return known;
        var state = EntityState.Load(key, new NothingStored());
        var part = new float[FeatureRegistry.Block(key.Kind).Length];
        foreach (var told in Of(key))
        {
            if (told.IsFeedback) state.Apply(told.Feedback);
            else state.Observe(told.Observation, part);
        }

        state.Observe(observation, part);
        _parts.Add((key, amount, what), part);
        return part;
    }

    private sealed class NothingStored : ITileReader
    {
        public int Read(in EntityKey key, uint tile, Span<byte> destination) => -1;
    }
}
