using Promotions.Features;
using Promotions.Processing.Records;
using Promotions.Streams;

namespace Promotions.Processing.Topologies;

/// <summary>Tells gather that a request is coming, and of how many parts.</summary>
internal sealed class Announce : IProcessor<string, ObservedRequest, string, GatherRecord>
{
    private IProcessorContext<string, GatherRecord> _context = null!;

    public void Init(IProcessorContext<string, GatherRecord> context) => _context = context;

    public void Process(in Record<string, ObservedRequest> record)
    {
        if (record.Value.Keys.Length > GatherRecord.PartsMax) _context.DeadLetter($"The request names {record.Value.Keys.Length} entities, more than {GatherRecord.PartsMax}.");
        _context.Forward(record.With(GatherRecord.Of(record.Value)));
    }
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
        for (var i = 0; i < keys.Length; i++) _context.Forward(new(keys[i], told with { Part = (byte)i }, record.At));
    }
}

/// <summary>Feedback goes to each entity that it counts for.</summary>
internal sealed class FeedbackToEntities : IProcessor<EntityKey, EntityFeedback, EntityKey, EntityRecord>
{
    private IProcessorContext<EntityKey, EntityRecord> _context = null!;

    public void Init(IProcessorContext<EntityKey, EntityRecord> context) => _context = context;

    public void Process(in Record<EntityKey, EntityFeedback> record)
    {
        var told = EntityRecord.Of(record.Value);
        foreach (var key in record.Value.Keys)
            if (EntityState.WouldChange(key.Kind, record.Value.Feedback)) _context.Forward(new(key, told, record.At));
    }
}
