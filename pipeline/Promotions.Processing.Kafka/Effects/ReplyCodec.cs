using System.Buffers;
using System.Runtime.InteropServices;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Ledger.Formats;
using Promotions.Processing.Records;

namespace Promotions.Processing.Kafka.Effects;

/// <summary>An answer on its way to whoever asked.</summary>
/// <param name="Outcome">What the ledger said; null for a validation.</param>
/// <param name="Proposal">Of a validation: what would be decided, limits apart.</param>
internal sealed record Reply(string Instance, long Correlation, LedgerOutcome? Outcome, DecisionProposal? Proposal);

/// <summary>Bytes of an answer. The first is the version; instance and number come next, so that strangers' answers cost nothing more.</summary>
internal static class ReplyCodec
{
    private const byte Version = 1;

    public static byte[] Encode(Reply reply)
    {
        var output = new ArrayBufferWriter<byte>(2_048);
        var w = new RecordWriter(output);
        w.Byte(Version);
        w.Text(reply.Instance);
        w.Int64(reply.Correlation);
        w.Bool(reply.Proposal is not null);
        if (reply.Proposal is { } proposal)
        {
            Write(w, proposal);
            return output.WrittenSpan.ToArray();
        }

        var outcome = reply.Outcome ?? throw new ArgumentException("An answer has an outcome or a proposal.", nameof(reply));
        w.Int64(outcome.Position);
        w.Int64((long)outcome.Refusal);
        w.Bool(outcome.Repeated);
        w.Text(outcome.Detail);
        w.Bool(outcome.Decision is not null);
        if (outcome.Decision is { } decision)
        {
            w.Int64(decision.Position);
            Write(w, decision.Proposal);
            w.Byte((byte)decision.Status);
            w.Int64((long)decision.Refusal);
            w.Byte((byte)decision.Hold);
            w.OptionalTime(decision.HoldExpiresAt);
            w.Time(decision.DecidedAt);
        }

        return output.WrittenSpan.ToArray();
    }

    /// <returns>Null for another instance's.</returns>
    /// <exception cref="InvalidDataException">The bytes are no answer.</exception>
    public static Reply? Decode(ReadOnlySpan<byte> bytes, string instance)
    {
        var r = new RecordReader(bytes);
        if (r.Byte() is var version and not Version) throw new InvalidDataException($"An answer has version {version}; this build reads {Version}.");
        if (r.Text() != instance) return null;
        var correlation = r.Int64();
        if (r.Bool()) return new(instance, correlation, null, ReadProposal(ref r));
        var (position, refusal, repeated, detail) = (r.Int64(), (LedgerRefusal)r.Int64(), r.Bool(), r.OptionalText());
        var decision = r.Bool() ? ReadDecision(ref r) : null;
        return new(instance, correlation, new(position, refusal, repeated, decision, detail), null);
    }

    private static void Write(in RecordWriter w, DecisionProposal proposal)
    {
        w.Bytes(ProposalCodec.Encode(proposal));
        w.Bytes(MemoryMarshal.AsBytes(proposal.Risk.Vector.Span));
    }

    private static DecisionProposal ReadProposal(ref RecordReader r) => ProposalCodec.Decode(r.Span(), r.Span());

    private static Decision ReadDecision(ref RecordReader r) => new(
        r.Int64(), ReadProposal(ref r), (RedemptionStatus)r.Byte(), (RefusalCode)r.Int64(), (HoldState)r.Byte(), r.OptionalTime(), r.Time());
}
