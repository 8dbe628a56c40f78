using System.Security.Cryptography;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Formats;

namespace Promotions.Ledger.Audit;

/// <summary>What one leaf of the audit tree says: who asked for what, when, through which key, what the ledger answered and every effect of it.</summary>
/// <remarks>The leaf's data are these fields, length-prefixed, behind a version byte, in the order of the methods here: <see cref="Open"/>, one of the
/// <c>Decision</c>s, postings, moves of lots, outbox rows, each list behind its count. All of them stand in tables, so that a verifier computes the leaf again and
/// an edited row is found. One instance is used again for leaf after leaf; not thread-safe.</remarks>
public sealed class AuditLeaf
{
    private const byte Version = 1;

    private readonly ByteWriter _to = new(1024);

    /// <summary>The leaf of an entry that is about to be written.</summary>
    /// <param name="documentHash">Of the entry's decision; empty where it has none.</param>
    public byte[] HashOf(LedgerEntry entry, ReadOnlySpan<byte> documentHash)
    {
        Open(new(entry.Position, entry.RecordedAt, entry.Kind, entry.CommandId, entry.Actor, entry.Channel, entry.ApiKeyId, entry.ContentHash, entry.Topic, entry.Key,
            entry.ValueHash, entry.At.UnixMilliseconds, entry.StateHash, entry.Refusal, entry.Detail));
        if (entry.Decided is { } decided) Decision((byte)decided.Status, (short)decided.Refusal, decided.DecidedAt.UnixMilliseconds, decided.HoldExpiresAt?.UnixMilliseconds, documentHash);
        else NoDecision();

        Count(entry.Postings.Length);
        foreach (var posting in entry.Postings) Posting(posting.Debit.Slot(posting.DebitSide), posting.Credit.Slot(posting.CreditSide), posting.Amount);
        Count(entry.LotMoves.Length);
        foreach (var (lot, kind, amount) in entry.LotMoves)
        {
            LotMove(lot.Id, (byte)kind, amount);
            if (kind is LotMoveKind.Earn) Earned(lot.Account.Id, lot.EarnedAt.UnixMilliseconds, lot.ExpiresAt?.UnixMilliseconds, lot.Origin);
            else NotEarned();
        }

        Count(entry.Outbox.Length);
        foreach (var row in entry.Outbox) Told(row.Type, row.Key, row.Payload.Span);
        return Hash();
    }

    public void Open(in LeafHeader header)
    {
        _to.Clear();
        _to.Byte(MerkleHash.LeafPrefix);
        _to.Byte(Version);
        _to.Int64(header.Position);
        _to.Int64(header.RecordedAt);
        _to.Byte((byte)header.Kind);
        _to.Text(header.CommandId);
        _to.Text(header.Actor.Kind);
        _to.Text(header.Actor.Id);
        _to.Text(header.Channel);
        _to.Text(header.ApiKeyId);
        _to.Bytes(header.ContentHash.Span);
        _to.Text(header.Topic);
        _to.Text(header.Key);
        _to.Bytes(header.ValueHash.Span);
        _to.Int64(header.At);
        _to.UInt64(header.StateHash);
        _to.Int32((short)header.Refusal);
        _to.Text(header.Detail);
    }

    public void NoDecision() => _to.Flag(false);

    /// <param name="documentHash">SHA-256 over document and vector.</param>
    public void Decision(byte status, short refusal, long decidedAt, long? holdExpiresAt, ReadOnlySpan<byte> documentHash)
    {
        _to.Flag(true);
        _to.Byte(status);
        _to.Int32(refusal);
        _to.Int64(decidedAt);
        _to.OptionalInt64(holdExpiresAt);
        _to.Bytes(documentHash);
    }

    /// <summary>How many lines of the next list follow.</summary>
    public void Count(int lines) => _to.Int32(lines);

    /// <param name="debit">Slot: account id · 4 + side.</param>
    public void Posting(long debit, long credit, long amount)
    {
        _to.Int64(debit);
        _to.Int64(credit);
        _to.Int64(amount);
    }

    /// <summary>Followed by <see cref="Earned"/> where this move made the lot, by <see cref="NotEarned"/> elsewhere.</summary>
    public void LotMove(long lot, byte kind, long amount)
    {
        _to.Int64(lot);
        _to.Byte(kind);
        _to.Int64(amount);
    }

    public void NotEarned() => _to.Flag(false);

    /// <summary>What never changes of a lot.</summary>
    public void Earned(long account, long earnedAt, long? expiresAt, string origin)
    {
        _to.Flag(true);
        _to.Int64(account);
        _to.Int64(earnedAt);
        _to.OptionalInt64(expiresAt);
        _to.Text(origin);
    }

    /// <summary>A row of the outbox: the leaf holds its payload's hash.</summary>
    public void Told(string type, string key, ReadOnlySpan<byte> payload)
    {
        Span<byte> hash = stackalloc byte[MerkleHash.Size];
        SHA256.HashData(payload, hash);
        _to.Text(type);
        _to.Text(key);
        _to.Bytes(hash);
    }

    /// <summary>The leaf's hash in the tree.</summary>
    public byte[] Hash() => SHA256.HashData(_to.Written);
}

/// <summary>The fields that every leaf has.</summary>
public readonly record struct LeafHeader(
    long Position, long RecordedAt, CommandKind Kind, string CommandId, Actor Actor, string? Channel, string? ApiKeyId, ReadOnlyMemory<byte> ContentHash,
    string? Topic, string Key, ReadOnlyMemory<byte> ValueHash, long At, ulong StateHash, LedgerRefusal Refusal, string? Detail);
