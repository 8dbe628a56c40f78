using System.Security.Cryptography;
using Promotions.Ledger.Formats;
using Promotions.Ledger.Outbox;

namespace Promotions.Ledger.Booking;

/// <summary>A command with all bytes that do not depend on the ledger's answer: made on the caller's thread, so that the writer only copies.</summary>
public sealed class PreparedCommand
{
    private PreparedCommand(LedgerCommand command)
    {
        Command = command;
        Kind = CommandContent.KindOf(command);
        Content = CommandContent.Encode(command);
        ContentHash = command switch
        {
            DecideRedemption { Proposal.Request.RequestHash: { Length: 32 } hash } => hash,
            RecordOrder { Order.RequestHash: { Length: 32 } hash } => hash,
            RecordReturn { Return.RequestHash: { Length: 32 } hash } => hash,
            RecordEngagement { Engagement.RequestHash: { Length: 32 } hash } => hash,
            _ => CommandContent.Hash(Content),
        };
        if (command is not DecideRedemption decide) return;
        var fields = t_fields ??= new(2048);
        fields.Clear();
        fields.Int32(0);
        ProposalCodec.Encode(fields, decide.Proposal);
        var document = fields.Length - 4;
        fields.PatchInt32(0, document);
        fields.Bytes(ProposalCodec.BytesOf(decide.Proposal.Risk.Vector));
        DocumentHash = SHA256.HashData(fields.Written);
        ReadOnlyMemory<byte> bytes = fields.ToArray();
        Document = bytes.Slice(4, document);
        Vector = bytes[(8 + document)..];
        Payload = DecisionPayload.Of(decide.Proposal);
    }

    [ThreadStatic] private static ByteWriter? t_fields;

    public LedgerCommand Command { get; }
    public CommandKind Kind { get; }
    public byte[] Content { get; }
    public ReadOnlyMemory<byte> ContentHash { get; }
    public ReadOnlyMemory<byte> Document { get; }
    public ReadOnlyMemory<byte> Vector { get; }

    /// <summary>What followers are told of a decision, but for the answer; null for commands that decide nothing.</summary>
    public DecisionPayload? Payload { get; }

    /// <summary>SHA-256 over document and vector, lengths first; empty for commands that decide nothing.</summary>
    public byte[] DocumentHash { get; } = [];

    public static PreparedCommand From(LedgerCommand command) => new(command);

    public static byte[] HashOf(ReadOnlySpan<byte> document, ReadOnlySpan<byte> vector)
    {
        var fields = new ByteWriter(document.Length + vector.Length + 8);
        fields.Bytes(document);
        fields.Bytes(vector);
        return SHA256.HashData(fields.Written);
    }
}
