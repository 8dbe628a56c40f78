using System.Buffers;
using System.Runtime.InteropServices;
using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Features;
using Promotions.Ledger.Formats;
using Promotions.Processing.Records;
using Promotions.Streams;

namespace Promotions.Processing.Topologies;

internal sealed class TextCodec : ICodec<string>
{
    public void Encode(in string value, IBufferWriter<byte> output) => new RecordWriter(output).Text(value);

    public string Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new RecordReader(bytes);
        return reader.Text();
    }
}

internal sealed class EntityKeyCodec : ICodec<EntityKey>
{
    public void Encode(in EntityKey value, IBufferWriter<byte> output)
    {
        value.WriteTo(output.GetSpan(EntityKey.Length));
        output.Advance(EntityKey.Length);
    }

    public EntityKey Decode(ReadOnlySpan<byte> bytes) => bytes.Length == EntityKey.Length ? EntityKey.ReadFrom(bytes) : throw new InvalidDataException($"An entity key has {EntityKey.Length} bytes, not {bytes.Length}.");
}

/// <summary>What one entity is told, as it crosses a topic. The first byte is the version.</summary>
internal sealed class EntityRecordCodec : ICodec<EntityRecord>
{
    private const byte Version = 2;
    private const byte WithoutPlace = 1;

    public void Encode(in EntityRecord value, IBufferWriter<byte> output)
    {
        var w = new RecordWriter(output);
        w.Byte(Version);
        w.Byte((byte)value.Feedback.Type);
        if (value.IsFeedback)
        {
            w.UInt64(value.FeedbackKey);
            Write(w, value.Feedback);
            return;
        }

        w.Text(value.Customer);
        w.Text(value.RequestId);
        w.Byte(value.Part);
        var seen = value.Observation;
        w.Time(seen.At);
        w.UInt64(seen.RequestKey);
        w.Int64(seen.Amount);
        w.UInt64(seen.Customer);
        w.UInt64(seen.Device);
        w.UInt64(seen.Ip);
        Write(w, seen.Codes);
        w.Count(seen.Place.Number);
    }

    public EntityRecord Decode(ReadOnlySpan<byte> bytes)
    {
        var r = new RecordReader(bytes);
        var version = r.Byte();
        if (version is not (Version or WithoutPlace)) throw new InvalidDataException($"Entity record version {version} is not known here; this build writes {Version}.");
        var type = (FeedbackType)r.Byte();
        if (type is not FeedbackType.None)
        {
            var key = r.UInt64();
            return new("", "", 0, default, new(type, r.Time(), r.Bool(), r.Bool(), r.Bool(), r.Int64(), ReadCodes(ref r)), key);
        }

        return new(r.Text(), r.Text(), r.Byte(), new(r.Time(), r.UInt64(), r.Int64(), r.UInt64(), r.UInt64(), r.UInt64(), ReadCodes(ref r), version == WithoutPlace ? default : Country.FromNumber(r.Count())), default, 0);
    }

    private static void Write(in RecordWriter w, in Feedback feedback)
    {
        w.Time(feedback.At);
        w.Bool(feedback.Refused);
        w.Bool(feedback.InvalidCode);
        w.Bool(feedback.Abuse);
        w.Int64(feedback.Amount);
        Write(w, feedback.Codes);
    }

    private static void Write(in RecordWriter w, in CodeHashes codes)
    {
        w.Count(codes.Count);
        for (var i = 0; i < codes.Count; i++) w.UInt64(codes[i]);
    }

    private static CodeHashes ReadCodes(ref RecordReader r)
    {
        var hashes = new ulong[r.Count()];
        for (var i = 0; i < hashes.Length; i++) hashes[i] = r.UInt64();
        return new(hashes);
    }
}

/// <summary>An announced request or a part of its vector, as it crosses a topic. The first byte is the version.</summary>
internal sealed class GatherRecordCodec : ICodec<GatherRecord>
{
    private const byte Version = 1;

    public void Encode(in GatherRecord value, IBufferWriter<byte> output)
    {
        var w = new RecordWriter(output);
        w.Byte(Version);
        w.Bool(value.Announced is not null);
        if (value.Announced is { } announced)
        {
            ObservedRequest.Encode(announced, output);
            return;
        }

        w.Text(value.RequestId);
        w.Byte(value.Part);
        w.Byte((byte)value.Kind);
        var values = value.Values;
        w.Bytes(MemoryMarshal.AsBytes<float>(values[..FeatureRegistry.Block(value.Kind).Length]));
    }

    public GatherRecord Decode(ReadOnlySpan<byte> bytes)
    {
        var r = new RecordReader(bytes);
        if (r.Byte() is var version and not Version) throw new InvalidDataException($"Gather record version {version} is not known here; this build writes {Version}.");
        if (r.Bool()) return GatherRecord.Of(ObservedRequest.Decode(r.Rest()));

        var requestId = r.Text();
        var number = r.Byte();
        var kind = (EntityKind)r.Byte();
        var part = MemoryMarshal.Cast<byte, float>(r.Span());
        if (part.Length != FeatureRegistry.Block(kind).Length) throw new InvalidDataException($"A part of a {kind} has {FeatureRegistry.Block(kind).Length} values, not {part.Length}.");
        var values = default(PartValues);
        part.CopyTo(values);
        return new(requestId, null, number, kind, values);
    }
}

/// <summary>The ledger's document and, behind it, the vector.</summary>
internal sealed class DecisionProposalCodec : ICodec<DecisionProposal>
{
    public void Encode(in DecisionProposal value, IBufferWriter<byte> output)
    {
        var w = new RecordWriter(output);
        w.Bytes(ProposalCodec.Encode(value));
        w.Bytes(MemoryMarshal.AsBytes(value.Risk.Vector.Span));
    }

    public DecisionProposal Decode(ReadOnlySpan<byte> bytes)
    {
        var r = new RecordReader(bytes);
        return ProposalCodec.Decode(r.Span(), r.Span());
    }
}

internal sealed class ProposedDecisionCodec : ICodec<ProposedDecision>
{
    private static readonly DecisionProposalCodec Proposals = new();

    public void Encode(in ProposedDecision value, IBufferWriter<byte> output)
    {
        var w = new RecordWriter(output);
        w.Bool(value.ReplyTo is not null);
        value.ReplyTo?.Write(w);
        Proposals.Encode(value.Proposal, output);
    }

    public ProposedDecision Decode(ReadOnlySpan<byte> bytes)
    {
        var r = new RecordReader(bytes);
        var replyTo = r.Bool() ? ReplyAddress.Read(ref r) : null;
        return new(Proposals.Decode(r.Rest()), replyTo);
    }
}

internal sealed class ReportCodec : ICodec<Report>
{
    public void Encode(in Report value, IBufferWriter<byte> output) => value.Write(output);

    public Report Decode(ReadOnlySpan<byte> bytes) => Report.Read(bytes);
}

internal sealed class ObservedRequestDecoder : IDecoder<ObservedRequest>
{
    public ObservedRequest Decode(ReadOnlySpan<byte> bytes) => ObservedRequest.Decode(bytes);
}

internal sealed class FeedbackDecoder(FeedbackDecoder.Reading read) : IDecoder<EntityFeedback>
{
    public delegate EntityFeedback Reading(ReadOnlySpan<byte> bytes);

    public EntityFeedback Decode(ReadOnlySpan<byte> bytes) => read(bytes);
}
