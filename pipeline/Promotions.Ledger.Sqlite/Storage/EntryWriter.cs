using System.Security.Cryptography;
using Promotions.Domain.Events;
using Promotions.Ledger.Audit;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Formats;

namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>Writes entries with their effects by prepared statements. Rows of accounts are written once per transaction, by <see cref="Flush"/>.</summary>
internal sealed class EntryWriter(Db db, SqliteState state, MerkleTree tree, long lastOutbox)
{
    private readonly HashSet<Account> _touched = [];
    private readonly AuditLeaf _leaf = new();
    private readonly Statement _entry = db.Prepare("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    private readonly Statement _command = db.Prepare("INSERT INTO command VALUES (?, ?)");
    private readonly Statement _decision = db.Prepare("INSERT INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    private readonly Statement _hold = db.Prepare("INSERT INTO hold VALUES (?, 1, ?, NULL)");
    private readonly Statement _holdEnds = db.Prepare("UPDATE hold SET state = ?, resolved_by = ? WHERE position = ?");
    private readonly Statement _posting = db.Prepare("INSERT INTO posting VALUES (?, ?, ?, ?)");
    private readonly Statement _accountNew = db.Prepare("INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    private readonly Statement _account = db.Prepare("UPDATE account SET free = ?, held = ?, used = ? WHERE id = ?");
    private readonly Statement _outbox = db.Prepare("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?)");
    private readonly Statement _tree = db.Prepare("INSERT INTO tree VALUES (?, ?, ?)");

    public MerkleTree Tree => tree;
    public long LastOutbox { get; private set; } = lastOutbox;

    public void Write(LedgerEntry entry, PreparedCommand? prepared)
    {
        if (entry.ValueHash.IsEmpty) entry.ValueHash = SHA256.HashData(entry.Value.Span);
        var leaf = _leaf.HashOf(entry, prepared?.DocumentHash);
        tree.Append(leaf, WriteSubtree);
        _entry.Bind(1, entry.Position).Bind(2, entry.RecordedAt).Bind(3, (long)entry.Kind).Bind(4, entry.CommandId).Bind(5, entry.Actor.Kind).Bind(6, entry.Actor.Id)
            .Bind(7, entry.Channel).Bind(8, entry.ApiKeyId).Bind(9, entry.ContentHash.Span).Bind(10, entry.Topic).Bind(11, entry.Key).Bind(12, entry.Value.Span)
            .Bind(13, entry.At.UnixMilliseconds).Bind(14, unchecked((long)entry.StateHash)).Bind(15, (long)entry.Refusal).Bind(16, entry.Detail).Bind(17, leaf).Run();
        if (entry.RecordsId) _command.Bind(1, entry.CommandId).Bind(2, entry.Position).Run();
        if (entry.Decided is { } decided) Write(decided, prepared!);
        WriteLines(entry);
        foreach (var change in entry.HoldChanges) _holdEnds.Bind(1, (long)change.To).Bind(2, entry.Position).Bind(3, change.Decision.Position).Run();
        foreach (var row in entry.Outbox)
            _outbox.Bind(1, ++LastOutbox).Bind(2, entry.Position).Bind(3, row.At.UnixMilliseconds).Bind(4, row.Type).Bind(5, row.Key).Bind(6, row.Payload.Span).Run();
        if (entry.Arms.Length > 0) WriteArms(entry);
        if (entry.Kind is not (CommandKind.DecideRedemption or CommandKind.None)) WriteRare(entry);
    }

    /// <summary>Writes each touched account once.</summary>
    public void Flush()
    {
        foreach (var account in _touched)
        {
            if (state.TakeUnwritten(account))
                _accountNew.Bind(1, account.Id).Bind(2, (long)account.Key.Kind).Bind(3, account.Key.Owner).Bind(4, account.Key.Member).Bind(5, account.Key.Unit)
                    .Bind(6, account.Free).Bind(7, account.Held).Bind(8, account.Used).Run();
            else
                _account.Bind(1, account.Free).Bind(2, account.Held).Bind(3, account.Used).Bind(4, account.Id).Run();
        }

        _touched.Clear();
    }

    /// <summary>After a rollback.</summary>
    public void Forget() => _touched.Clear();

    private void Write(BookedDecision decided, PreparedCommand prepared)
    {
        var proposal = decided.Proposal;
        _decision.Bind(1, decided.Position).Bind(2, proposal.Request.Id).Bind(3, proposal.Request.Customer.Id).Bind(4, (long)decided.Status).Bind(5, (long)decided.Refusal)
            .Bind(6, decided.DecidedAt.UnixMilliseconds).Bind(7, decided.HoldExpiresAt?.UnixMilliseconds).Bind(8, proposal.Risk.ModelHash)
            .Bind(9, prepared.Document.Span).Bind(10, prepared.Vector.Span).Run();
        if (decided.HoldExpiresAt is { } end) _hold.Bind(1, decided.Position).Bind(2, end.UnixMilliseconds).Run();
        if (decided.Status is RedemptionStatus.Review or RedemptionStatus.Blocked)
            db.Prepare("INSERT INTO flag VALUES (?, NULL, NULL, NULL)").Bind(1, decided.Position).Run();
    }

    private void WriteLines(LedgerEntry entry)
    {
        var line = Rows.FirstLine(entry.Position);
        foreach (var posting in entry.Postings)
        {
            _posting.Bind(1, line++).Bind(2, posting.Debit.Slot(posting.DebitSide)).Bind(3, posting.Credit.Slot(posting.CreditSide)).Bind(4, posting.Amount).Run();
            _touched.Add(posting.Debit);
            _touched.Add(posting.Credit);
        }

        line = Rows.FirstLine(entry.Position);
        foreach (var (lot, kind, amount) in entry.LotMoves)
        {
            db.Prepare("INSERT INTO lot_move VALUES (?, ?, ?, ?)").Bind(1, line++).Bind(2, lot.Id).Bind(3, (long)kind).Bind(4, amount).Run();
            if (kind is LotMoveKind.Earn)
                db.Prepare("INSERT INTO lot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").Bind(1, lot.Id).Bind(2, lot.Account.Id).Bind(3, lot.Quantity).Bind(4, lot.Remaining).Bind(5, lot.Held)
                    .Bind(6, lot.Spent).Bind(7, lot.Expired).Bind(8, lot.EarnedAt.UnixMilliseconds).Bind(9, lot.ExpiresAt?.UnixMilliseconds).Bind(10, lot.Origin).Run();
            else
                db.Prepare("UPDATE lot SET remaining = ?, held = ?, spent = ?, expired = ? WHERE id = ?")
                    .Bind(1, lot.Remaining).Bind(2, lot.Held).Bind(3, lot.Spent).Bind(4, lot.Expired).Bind(5, lot.Id).Run();
        }
    }

    private void WriteArms(LedgerEntry entry)
    {
        foreach (var arm in entry.Arms)
            db.Prepare("INSERT INTO arm VALUES (?, ?, ?, ?, ?)").Bind(1, arm.CampaignId).Bind(2, arm.CustomerId).Bind(3, (long)arm.Arm).Bind(4, arm.CampaignVersion).Bind(5, entry.Position).Run();
    }

    private void WriteRare(LedgerEntry entry)
    {
        foreach (var coupon in entry.Coupons)
            db.Prepare("INSERT INTO coupon VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (code) DO UPDATE SET customer = excluded.customer, revoked = excluded.revoked")
                .Bind(1, coupon.Code).Bind(2, coupon.CampaignId).Bind(3, coupon.CustomerId).Bind(4, coupon.UsesMax).Bind(5, coupon.Revoked ? 1 : 0).Bind(6, coupon.CreatedAt.UnixMilliseconds).Run();
        if (entry.Campaign is { } campaign)
            db.Prepare("INSERT INTO campaign VALUES (?, ?, ?, ?)").Bind(1, campaign.Id).Bind(2, campaign.Version).Bind(3, CampaignJson.Write(campaign)).Bind(4, entry.Position).Run();
        if (entry.Order is { } order)
            db.Prepare("INSERT INTO purchase VALUES (?, ?, ?, ?, ?)").Bind(1, order.Position).Bind(2, order.CustomerId).Bind(3, order.Currency).Bind(4, order.Total).Bind(5, order.Returned).Run();
        if (entry.Returned is { } returned)
            db.Prepare("UPDATE purchase SET returned = ? WHERE position = ?").Bind(1, returned.Returned).Bind(2, returned.Position).Run();
        if (entry.VoidedBefore is { } redemptionId)
            db.Prepare("INSERT INTO voided_before VALUES (?, ?) ON CONFLICT DO NOTHING").Bind(1, redemptionId).Bind(2, entry.Position).Run();
        if (entry.Label is { } label)
        {
            db.Prepare("INSERT INTO label VALUES (?, ?, ?, ?, ?, ?, ?)").Bind(1, entry.Position).Bind(2, label.RedemptionId).Bind(3, label.Abuse ? 1 : 0).Bind(4, label.Source)
                .Bind(5, label.Note).Bind(6, label.Actor).Bind(7, label.At.UnixMilliseconds).Run();
            if (label.Source == "review")
                db.Prepare("UPDATE flag SET answer = ?, answered_by = ?, answered_at = ? WHERE position = (SELECT position FROM command WHERE id = ?)")
                    .Bind(1, label.Abuse ? 1 : 0).Bind(2, label.Actor).Bind(3, label.At.UnixMilliseconds).Bind(4, label.RedemptionId).Run();
        }
    }

    private void WriteSubtree(int level, long index, byte[] hash) => _tree.Bind(1, level).Bind(2, index).Bind(3, hash).Run();
}
