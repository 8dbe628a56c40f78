using System.IO.Hashing;
using System.Runtime.InteropServices;
using Promotions.Domain;
using Promotions.Features;
using Promotions.Streams;
using Promotions.Streams.State;

namespace Promotions.Processing.Topologies;

/// <summary>Folds what an entity is told into its state; of an attempt, sends the entity's part of the vector on.</summary>
/// <remarks>The hash of each part goes to the log: a replay that gives another one is stopped. It is taken before the price, so that replay needs no campaign.</remarks>
/// <param name="hopsAreTopics">A fact that became known may come again (whoever published it crashed before it said so): each is then counted once, by its id. Where hops are calls the log
/// holds each once.</param>
/// <param name="counted">Told of each fact that was counted, with its event time; null for nobody.</param>
internal sealed class Observe(bool hopsAreTopics = false, Action<FeedbackType, EventTime>? counted = null) : IProcessor<EntityKey, EntityRecord, string, GatherRecord>
{
    private IProcessorContext<string, GatherRecord> _context = null!;
    private KeyedStore<EntityKey, EntityState> _entities = null!;
    private KeyedStore<FeedbackKey, CountedFeedback>? _counted;

    public void Init(IProcessorContext<string, GatherRecord> context)
    {
        (_context, _entities) = (context, context.Store<EntityKey, EntityState>(RedemptionTopology.Entities));
        if (hopsAreTopics) _counted = context.Store<FeedbackKey, CountedFeedback>(RedemptionTopology.Counted);
        var longest = Entities.Kinds.Max(kind => FeatureRegistry.Block(kind).Length);
        if (longest > PartValues.Max) throw new TopologyException($"A kind has {longest} features, more than the {PartValues.Max} that a part holds: raise PartValues.Max.");
    }

    public void Process(in Record<EntityKey, EntityRecord> record)
    {
        if (record.Value.IsFeedback)
        {
            Apply(record);
            return;
        }

        var state = _entities.Get(record.Key);

        var values = default(PartValues);
        Span<float> part = values[..FeatureRegistry.Block(record.Key.Kind).Length];
        part.Fill(float.NaN);
        state.Observe(record.Value.Observation, part);
        _context.AddStateHash(XxHash3.HashToUInt64(MemoryMarshal.AsBytes(part)));
        _context.Forward(new(record.Value.Customer, new(record.Value.RequestId, null, record.Value.Part, record.Key.Kind, values), record.At));
    }

    private void Apply(in Record<EntityKey, EntityRecord> record)
    {
        var feedback = record.Value.Feedback;
        if (_counted?.Get(new(record.Key, feedback.Type, record.Value.FeedbackKey)).TryCount(feedback.At) is false) return;
        _entities.Get(record.Key).Apply(feedback);
        counted?.Invoke(feedback.Type, feedback.At);
    }
}
