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
        if (command is DecideRedemption decide)
        {
            Document = ProposalCodec.Encode(decide.Proposal);
            Vector = ProposalCodec.EncodeVector(decide.Proposal.Risk.Vector);
            OutboxHead = OutboxWriter.DecisionHead(decide.Proposal);
            DocumentHash = HashOf(Document, Vector);
        }
    }

    public LedgerCommand Command { get; }
    public CommandKind Kind { get; }
    public byte[] Content { get; }
    public ReadOnlyMemory<byte> ContentHash { get; }
    public byte[] Document { get; } = [];
    public byte[] Vector { get; } = [];
    public byte[] OutboxHead { get; } = [];

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
