using System.Buffers;
using Promotions.Domain.Events;
using Promotions.Features;

namespace Promotions.Processing.Records;

/// <summary>The log's form of an attempt: the request and the entities that counted under the channel's policy of that moment, so that replay needs no policy.</summary>
/// <param name="Keys">Of the entities, in the vector's order.</param>
public sealed record ObservedRequest(RedemptionRequest Request, AttemptEntities Entities, ReadOnlyMemory<EntityKey> Keys)
{
    public static byte[] Encode(RedemptionRequest request, AttemptEntities entities)
    {
        var body = RecordCodec.Encode(request);
        var output = new ArrayBufferWriter<byte>(body.Length + 128);
        var w = new RecordWriter(output);
        w.Bytes(body);
        RecordCodec.Write(w, entities);
        return output.WrittenSpan.ToArray();
    }

    public static ObservedRequest Decode(ReadOnlySpan<byte> bytes)
    {
        var r = new RecordReader(bytes);
        var request = RecordCodec.DecodeRequest(r.Span());
        var entities = RecordCodec.ReadEntities(ref r);
        var keys = new EntityKey[Features.Entities.CountOf(entities)];
        Features.Entities.Keys(entities, keys);
        return new(request, entities, keys);
    }
}
