using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;

namespace Promotions.Processing.State;

/// <summary>The fold of the log into entity features, over a bounded cache of entities and durable tiles.</summary>
public sealed class FeatureFold : IFeatureFold
{
    private readonly EntityCache _cache;
    private readonly List<EntityKey> _keys = [];
    private readonly float[] _part = new float[FeatureRegistry.Count];
    private EventTime _streamTime;

    /// <summary>State of another layout is cleared: it is rebuilt from the log.</summary>
    public FeatureFold(ITileStore store, long cacheBytes)
    {
        if (store.LayoutHash != 0 && store.LayoutHash != FeatureRegistry.LayoutHash) store.Clear();
        _cache = new(store, cacheBytes);
    }

    public ulong LayoutHash => FeatureRegistry.LayoutHash;
    public int VectorLength => FeatureRegistry.Count;
    public long CheckpointPosition => _cache.PositionWritten;
    public bool WantsCheckpoint => _cache.WantsCheckpoint;
    public long CacheBytes => _cache.Bytes;

    public uint Observe(RedemptionRequest request, AttemptEntities entities, Span<float> vector)
    {
        Advance(request.At);
        FeatureVector.Clear(vector);
        var observation = Observation.From(request, entities);
        Entities.Keys(entities, _keys);
        foreach (var key in _keys)
        {
            var part = _part.AsSpan(0, FeatureRegistry.Block(key.Kind).Length);
            part.Fill(float.NaN);
            _cache.Get(key).Observe(observation, part);
            _cache.Changed(key);
            FeatureVector.Put(vector, key.Kind, part);
        }

        return 0;
    }

    public void Describe(RedemptionRequest request, PricedCart priced, Span<float> vector) => FeatureVector.PutRequest(vector, request, priced);

    public void Fold(RedemptionOutcome outcome) => Apply(outcome.Entities, Feedback.From(outcome));
    public void Fold(LabelRecorded label) => Apply(label.Entities, Feedback.From(label));
    public void Fold(OrderPlaced order) => Apply(OnlyCustomer(order.Customer.Id), Feedback.From(order));
    public void Fold(OrderReturned returned) => Apply(OnlyCustomer(returned.CustomerId), Feedback.From(returned));

    public void Checkpoint(long position) => _cache.Checkpoint(position, LayoutHash, _streamTime);
    public void RollBack() => _cache.RollBack();

    private static AttemptEntities OnlyCustomer(string id) => new(id, null, null, null, [], null, null);

    private void Apply(AttemptEntities entities, in Feedback feedback)
    {
        Advance(feedback.At);
        Entities.Keys(entities, _keys);
        foreach (var key in _keys)
        {
            _cache.Get(key).Apply(feedback);
            _cache.Changed(key);
        }
    }

    private void Advance(EventTime at)
    {
        if (at > _streamTime) _streamTime = at;
    }
}
