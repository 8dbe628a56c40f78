using System.Buffers;
using Promotions.Domain.Events;

namespace Promotions.Processing.Records;

/// <summary>The log's form of an attempt: the request and the entities that counted under the channel's policy of that moment, so that replay needs no policy.</summary>
public static class ObservedRequest
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

    public static (RedemptionRequest Request, AttemptEntities Entities) Decode(ReadOnlySpan<byte> bytes)
    {
        var r = new RecordReader(bytes);
        var request = RecordCodec.DecodeRequest(r.Span());
        return (request, RecordCodec.ReadEntities(ref r));
    }
}
