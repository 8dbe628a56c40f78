using System.Buffers;
using Promotions.Domain.Events;
using Promotions.Features;

namespace Promotions.Processing.Records;

/// <summary>The log's form of an attempt: the request and the entities that counted under the channel's policy of that moment, so that replay needs no policy.</summary>
/// <param name="Keys">Of the entities, in the vector's order.</param>
/// <param name="ReplyTo">Who waits for the answer of a topic; null where the caller waits in this process, or reads the decisions.</param>
public sealed record ObservedRequest(RedemptionRequest Request, AttemptEntities Entities, ReadOnlyMemory<EntityKey> Keys, ReplyAddress? ReplyTo = null)
{
    public static byte[] Encode(RedemptionRequest request, AttemptEntities entities, ReplyAddress? replyTo = null)
    {
        var written = Write(request, entities, replyTo, out var prefix);
        var bytes = new byte[prefix.Length + written.Length];
        prefix.CopyTo(bytes);
        written.CopyTo(bytes.AsSpan(prefix.Length));
        return bytes;
    }

    /// <summary>The same bytes, into an output that takes more.</summary>
    public static void Encode(ObservedRequest observed, IBufferWriter<byte> output)
    {
        var written = Write(observed.Request, observed.Entities, observed.ReplyTo, out var prefix);
        output.Write(prefix);
        output.Write(written);
    }

    /// <exception cref="InvalidDataException">The bytes are no attempt.</exception>
    public static ObservedRequest Decode(ReadOnlySpan<byte> bytes)
    {
        var r = new RecordReader(bytes);
        var request = RecordCodec.DecodeRequest(r.Span());
        var entities = RecordCodec.ReadEntities(ref r);
        var replyTo = r.AtEnd ? null : ReplyAddress.Read(ref r);
        if (!r.AtEnd) throw new InvalidDataException("Bytes are left behind an attempt.");
        var keys = new EntityKey[Features.Entities.CountOf(entities)];
        Features.Entities.Keys(entities, keys);
        return new(request, entities, keys, replyTo);
    }

    /// <summary>Writes all once, into this thread's buffer; what stands before it is the request's length, known only then.</summary>
    /// <param name="prefix">Good, like the result, until the next record is written.</param>
    private static ReadOnlySpan<byte> Write(RedemptionRequest request, AttemptEntities entities, ReplyAddress? replyTo, out ReadOnlySpan<byte> prefix)
    {
        var buffer = RecordBuffer.Empty();
        RecordCodec.Write(request, buffer);
        var length = buffer.WrittenCount;
        var w = new RecordWriter(buffer);
        RecordCodec.Write(w, entities);
        replyTo?.Write(w);
        var end = buffer.WrittenCount;
        w.Count(length);
        prefix = buffer.WrittenSpan[end..];
        return buffer.WrittenSpan[..end];
    }
}
