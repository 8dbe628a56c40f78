using Promotions.Features;
using Promotions.Processing.Records;
using Promotions.Streams;

namespace Promotions.Processing.Topologies;

/// <summary>Tells gather that a request is coming, and of how many parts.</summary>
internal sealed class Announce : IProcessor<string, ObservedRequest, string, GatherRecord>
{
    private IProcessorContext<string, GatherRecord> _context = null!;

    public void Init(IProcessorContext<string, GatherRecord> context) => _context = context;

    public void Process(in Record<string, ObservedRequest> record) =>
        _context.Forward(record.With(new GatherRecord(record.Value.Request.Id, record.Value, record.Value.Keys.Length, EntityKind.None, default)));
}

/// <summary>One observation for each entity that the request names.</summary>
internal sealed class ToEntities : IProcessor<string, ObservedRequest, EntityKey, EntityRecord>
{
    private IProcessorContext<EntityKey, EntityRecord> _context = null!;

    public void Init(IProcessorContext<EntityKey, EntityRecord> context) => _context = context;

    public void Process(in Record<string, ObservedRequest> record)
    {
        var keys = record.Value.Keys.Span;
        var told = EntityRecord.Of(record.Value.Request, Observation.From(record.Value.Request, keys));
        foreach (ref readonly var key in keys) _context.Forward(new(key, told, record.At));
    }
}

/// <summary>Feedback goes to each entity that it counts for.</summary>
internal sealed class FeedbackToEntities : IProcessor<EntityKey, EntityFeedback, EntityKey, EntityRecord>
{
    private IProcessorContext<EntityKey, EntityRecord> _context = null!;

    public void Init(IProcessorContext<EntityKey, EntityRecord> context) => _context = context;

    public void Process(in Record<EntityKey, EntityFeedback> record)
    {
        var told = EntityRecord.Of(record.Value.Feedback);
        foreach (var key in record.Value.Keys)
            if (EntityState.WouldChange(key.Kind, record.Value.Feedback)) _context.Forward(new(key, told, record.At));
    }
}
