using System.Security.Cryptography;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Formats;

namespace Promotions.Ledger.Audit;

/// <summary>What one leaf of the audit tree says: who asked for what, when, through which key, what the ledger answered and every effect of it.</summary>
/// <remarks>The leaf's data are these fields, length-prefixed, in this order, behind a version byte. All of them stand in tables,
/// so that a verifier computes the leaf again and an edited row is found.</remarks>
public sealed record AuditLeaf(
    long Position, long RecordedAt, CommandKind Kind, string CommandId, Actor Actor, string? Channel, string? ApiKeyId, ReadOnlyMemory<byte> ContentHash,
    string? Topic, string Key, ReadOnlyMemory<byte> ValueHash, long At, ulong StateHash, LedgerRefusal Refusal, string? Detail,
    LeafDecision? Decision, IReadOnlyList<LeafPosting> Postings, IReadOnlyList<LeafLotMove> LotMoves, IReadOnlyList<LeafOutbox> Outbox)
{
    private const byte Version = 1;

    /// <param name="documentHash">Of the entry's decision; empty where it has none.</param>
    public static AuditLeaf Of(LedgerEntry entry, ReadOnlyMemory<byte> documentHash)
    {
        var postings = new LeafPosting[entry.Postings.Count];
        for (var i = 0; i < postings.Length; i++)
        {
            var posting = entry.Postings[i];
            postings[i] = new(posting.Debit.Slot(posting.DebitSide), posting.Credit.Slot(posting.CreditSide), posting.Amount);
        }

        var moves = entry.LotMoves.Count == 0 ? [] : new LeafLotMove[entry.LotMoves.Count];
        for (var i = 0; i < moves.Length; i++)
        {
            var (lot, kind, amount) = entry.LotMoves[i];
            moves[i] = new(lot.Id, (byte)kind, amount,
                kind is LotMoveKind.Earn ? new LeafLot(lot.Account.Id, lot.EarnedAt.UnixMilliseconds, lot.ExpiresAt?.UnixMilliseconds, lot.Origin) : null);
        }

        var outbox = new LeafOutbox[entry.Outbox.Count];
        for (var i = 0; i < outbox.Length; i++) outbox[i] = new(entry.Outbox[i].Type, entry.Outbox[i].Key, SHA256.HashData(entry.Outbox[i].Payload));
        var decision = entry.Decided is { } decided
            ? new LeafDecision((byte)decided.Status, (short)decided.Refusal, decided.DecidedAt.UnixMilliseconds, decided.HoldExpiresAt?.UnixMilliseconds, documentHash)
            : null;
        return new(entry.Position, entry.RecordedAt, entry.Kind, entry.CommandId, entry.Actor, entry.Channel, entry.ApiKeyId, entry.ContentHash, entry.Topic, entry.Key,
            entry.ValueHash, entry.At.UnixMilliseconds, entry.StateHash, entry.Refusal, entry.Detail, decision, postings, moves, outbox);
    }

    /// <summary>The leaf's hash in the tree.</summary>
    public byte[] Hash()
    {
        var data = new ByteWriter(640);
        WriteTo(data);
        return MerkleHash.Leaf(data.Written);
    }

    internal void WriteTo(ByteWriter to)
    {
        to.Byte(Version);
        to.Int64(Position);
        to.Int64(RecordedAt);
        to.Byte((byte)Kind);
        to.Text(CommandId);
        to.Text(Actor.Kind);
        to.Text(Actor.Id);
        to.Text(Channel);
        to.Text(ApiKeyId);
        to.Bytes(ContentHash.Span);
        to.Text(Topic);
        to.Text(Key);
        to.Bytes(ValueHash.Span);
        to.Int64(At);
        to.UInt64(StateHash);
        to.Int32((short)Refusal);
        to.Text(Detail);
        to.Flag(Decision is not null);
        if (Decision is { } decision)
        {
            to.Byte(decision.Status);
            to.Int32(decision.Refusal);
            to.Int64(decision.DecidedAt);
            to.OptionalInt64(decision.HoldExpiresAt);
            to.Bytes(decision.DocumentHash.Span);
        }

        to.Int32(Postings.Count);
        foreach (var posting in Postings)
        {
            to.Int64(posting.Debit);
            to.Int64(posting.Credit);
            to.Int64(posting.Amount);
        }

        to.Int32(LotMoves.Count);
        foreach (var move in LotMoves)
        {
            to.Int64(move.Lot);
            to.Byte(move.Kind);
            to.Int64(move.Amount);
            to.Flag(move.Earned is not null);
            if (move.Earned is not { } lot) continue;
            to.Int64(lot.Account);
            to.Int64(lot.EarnedAt);
            to.OptionalInt64(lot.ExpiresAt);
            to.Text(lot.Origin);
        }

        to.Int32(Outbox.Count);
        foreach (var row in Outbox)
        {
            to.Text(row.Type);
            to.Text(row.Key);
            to.Bytes(row.PayloadHash.Span);
        }
    }
}

/// <param name="DocumentHash">SHA-256 over document and vector.</param>
public sealed record LeafDecision(byte Status, short Refusal, long DecidedAt, long? HoldExpiresAt, ReadOnlyMemory<byte> DocumentHash);

/// <param name="Debit">Slot: account id · 4 + side.</param>
public readonly record struct LeafPosting(long Debit, long Credit, long Amount);

/// <param name="Earned">What never changes of a lot, where this move made it.</param>
public readonly record struct LeafLotMove(long Lot, byte Kind, long Amount, LeafLot? Earned);

public sealed record LeafLot(long Account, long EarnedAt, long? ExpiresAt, string Origin);

public readonly record struct LeafOutbox(string Type, string Key, ReadOnlyMemory<byte> PayloadHash);
