using System.Security.Cryptography;
using Npgsql;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger.Audit;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Formats;
using Promotions.Ledger.Writing;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>The second round trip of a transaction: collects the entries' rows table by table, then writes each table with one statement and commits.</summary>
/// <remarks>What another process may insert at the same time (accounts, ids, arms, codes, campaign versions) is inserted in sorted order, so that two transactions never wait
/// for each other; a row that was there first is a unique violation, and the transaction begins again and sees it.</remarks>
internal sealed class BatchWriter(BatchState state, string shard)
{
    private readonly AuditLeaf _leaf = new();
    private readonly HashSet<Account> _touched = [];
    private readonly HashSet<EarnedLot> _touchedLots = [];
    private readonly Dictionary<string, (long? Entry, long? VoidedBy)> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<(string, string), string?> _settings = [];
    private readonly Dictionary<string, (Coupon Coupon, bool IsNew)> _coupons = new(StringComparer.Ordinal);
    private readonly List<LedgerEntry> _entries = [];
    private readonly List<(LedgerEntry Entry, byte[] Leaf)> _leaves = [];
    private readonly List<(BookedDecision Decision, PreparedCommand Prepared)> _decisions = [];

    public IReadOnlyList<LedgerEntry> Entries => _entries;
    public bool IsEmpty => _entries.Count == 0 && _settings.Count == 0 && state.Unwritten.Count == 0;

    public void Add(LedgerEntry entry, PreparedCommand? prepared)
    {
        if (entry.ValueHash.IsEmpty) entry.ValueHash = SHA256.HashData(entry.Value.Span);
        _entries.Add(entry);
        _leaves.Add((entry, _leaf.HashOf(entry, prepared?.DocumentHash)));
        if (entry.RecordsId) _ids[entry.CommandId] = (entry.Position, _ids.GetValueOrDefault(entry.CommandId).VoidedBy);
        if (entry.VoidedBefore is { } id)
        {
            var known = _ids.GetValueOrDefault(id);
            _ids[id] = (known.Entry, known.VoidedBy ?? entry.Position);
        }

        if (entry.Decided is { } decided) _decisions.Add((decided, prepared!));
        foreach (var posting in entry.Postings)
        {
            _touched.Add(posting.Debit);
            _touched.Add(posting.Credit);
        }

        foreach (var move in entry.LotMoves) _touchedLots.Add(move.Lot);
        foreach (var coupon in entry.Coupons)
            _coupons[coupon.Code] = (coupon, entry.Kind is CommandKind.AddCoupons || (_coupons.TryGetValue(coupon.Code, out var before) && before.IsNew));
    }

    public void Add(SettingRequest setting) => _settings[(setting.Scope, setting.Name)] = setting.Value;

    /// <summary>Returns when the commit is durable.</summary>
    public async Task CommitAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        WriteAccounts(batch);
        WriteIds(batch);
        WriteEntries(batch);
        WriteDecisions(batch);
        WriteLines(batch);
        WriteCampaigns(batch);
        WriteRecords(batch);
        WriteSettings(batch);
        batch.BatchCommands.Add(new("COMMIT"));
        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private void WriteAccounts(NpgsqlBatch batch)
    {
        Insert.Rows(batch, "account", "id, kind, owner, member, unit, free, held, used",
            state.Unwritten.OrderBy(a => a.Key.Owner, StringComparer.Ordinal).ThenBy(a => a.Key.Member, StringComparer.Ordinal).ThenBy(a => a.Key.Kind).ThenBy(a => a.Key.Unit, StringComparer.Ordinal),
            Column.Long<Account>(a => a.Id), Column.Short<Account>(a => (short)a.Key.Kind), Column.Text<Account>(a => a.Key.Owner),
            Column.Text<Account>(a => a.Key.IsSystem ? shard : a.Key.Member), Column.Text<Account>(a => a.Key.Unit),
            Column.Long<Account>(a => a.Free), Column.Long<Account>(a => a.Held), Column.Long<Account>(a => a.Used));
        Insert.Run(batch, "UPDATE account SET free = c1, held = c2, used = c3 FROM unnest($1, $2, $3, $4) r (c0, c1, c2, c3) WHERE id = c0",
            _touched.Where(a => !state.Unwritten.Contains(a)),
            Column.Long<Account>(a => a.Id), Column.Long<Account>(a => a.Free), Column.Long<Account>(a => a.Held), Column.Long<Account>(a => a.Used));
    }

    private void WriteIds(NpgsqlBatch batch)
    {
        var rows = _ids.OrderBy(i => i.Key, StringComparer.Ordinal).Select(i => (Id: i.Key, i.Value.Entry, i.Value.VoidedBy)).ToArray();
        Insert.Rows(batch, "command", "id, entry, voided_by", rows.Where(r => !Exists(r.Id)),
            Column.Text<(string Id, long? Entry, long? VoidedBy)>(r => r.Id), Column.Long<(string Id, long? Entry, long? VoidedBy)>(r => r.Entry), Column.Long<(string Id, long? Entry, long? VoidedBy)>(r => r.VoidedBy));
        Insert.Run(batch, "UPDATE command SET entry = coalesce(entry, c1), voided_by = coalesce(voided_by, c2) FROM unnest($1, $2, $3) r (c0, c1, c2) WHERE id = c0", rows.Where(r => Exists(r.Id)),
            Column.Text<(string Id, long? Entry, long? VoidedBy)>(r => r.Id), Column.Long<(string Id, long? Entry, long? VoidedBy)>(r => r.Entry), Column.Long<(string Id, long? Entry, long? VoidedBy)>(r => r.VoidedBy));

        bool Exists(string id) => state.Stored.Contains(id);
    }

    private void WriteEntries(NpgsqlBatch batch)
    {
        Insert.Rows(batch, "entry", "id, recorded_at, kind, command_id, actor_kind, actor_id, channel, api_key_id, content, topic, key, value, at, state_hash, refusal, detail, leaf", _leaves,
            Column.Long<(LedgerEntry E, byte[] L)>(r => r.E.Position), Column.Long<(LedgerEntry E, byte[] L)>(r => r.E.RecordedAt), Column.Short<(LedgerEntry E, byte[] L)>(r => (short)r.E.Kind),
            Column.Text<(LedgerEntry E, byte[] L)>(r => r.E.CommandId), Column.Text<(LedgerEntry E, byte[] L)>(r => r.E.Actor.Kind), Column.Text<(LedgerEntry E, byte[] L)>(r => r.E.Actor.Id),
            Column.Text<(LedgerEntry E, byte[] L)>(r => r.E.Channel), Column.Text<(LedgerEntry E, byte[] L)>(r => r.E.ApiKeyId), Column.Bytes<(LedgerEntry E, byte[] L)>(r => r.E.ContentHash),
            Column.Text<(LedgerEntry E, byte[] L)>(r => r.E.Topic), Column.Text<(LedgerEntry E, byte[] L)>(r => r.E.Key), Column.Bytes<(LedgerEntry E, byte[] L)>(r => r.E.Value),
            Column.Long<(LedgerEntry E, byte[] L)>(r => r.E.At.UnixMilliseconds), Column.Long<(LedgerEntry E, byte[] L)>(r => unchecked((long)r.E.StateHash)),
            Column.Short<(LedgerEntry E, byte[] L)>(r => (short)r.E.Refusal), Column.Text<(LedgerEntry E, byte[] L)>(r => r.E.Detail), Column.Bytes<(LedgerEntry E, byte[] L)>(r => r.L));
        Insert.Rows(batch, "pending", "entry, told, logged, leaf", _leaves, Column.Long<(LedgerEntry E, byte[] L)>(r => r.E.Position), Column.Int<(LedgerEntry E, byte[] L)>(r => r.E.Outbox.Length),
            Column.Bool<(LedgerEntry E, byte[] L)>(r => r.E.Topic is not null), Column.Bytes<(LedgerEntry E, byte[] L)>(r => r.L));
    }

    private void WriteDecisions(NpgsqlBatch batch)
    {
        Insert.Rows(batch, "decision", "entry, redemption_id, customer, status, refusal, decided_at, hold_expires_at, model_hash, document, vector", _decisions,
            Column.Long<(BookedDecision D, PreparedCommand P)>(r => r.D.Position), Column.Text<(BookedDecision D, PreparedCommand P)>(r => r.D.Proposal.Request.Id),
            Column.Text<(BookedDecision D, PreparedCommand P)>(r => r.D.Proposal.Request.Customer.Id), Column.Short<(BookedDecision D, PreparedCommand P)>(r => (short)r.D.Status),
            Column.Short<(BookedDecision D, PreparedCommand P)>(r => (short)r.D.Refusal), Column.Long<(BookedDecision D, PreparedCommand P)>(r => r.D.DecidedAt.UnixMilliseconds),
            Column.Long<(BookedDecision D, PreparedCommand P)>(r => r.D.HoldExpiresAt?.UnixMilliseconds), Column.Text<(BookedDecision D, PreparedCommand P)>(r => r.D.Proposal.Risk.ModelHash),
            Column.Bytes<(BookedDecision D, PreparedCommand P)>(r => r.P.Document), Column.Bytes<(BookedDecision D, PreparedCommand P)>(r => r.P.Vector));
        Insert.Rows(batch, "hold", "entry, state, expires_at", _decisions.Where(r => r.Decision.HoldExpiresAt is not null).Select(r => r.Decision),
            Column.Long<BookedDecision>(d => d.Position), Column.Short<BookedDecision>(_ => (short)HoldState.Held), Column.Long<BookedDecision>(d => d.HoldExpiresAt!.Value.UnixMilliseconds));
        Insert.Rows(batch, "flag", "entry", _decisions.Where(r => r.Decision.Status is RedemptionStatus.Review or RedemptionStatus.Blocked).Select(r => r.Decision), Column.Long<BookedDecision>(d => d.Position));
        var changes = _entries.SelectMany(e => e.HoldChanges.ToArray().Select(c => (Entry: e.Position, Change: c)));
        Insert.Run(batch, "UPDATE hold SET state = c1, resolved_by = c2 FROM unnest($1, $2, $3) r (c0, c1, c2) WHERE entry = c0", changes,
            Column.Long<(long Entry, HoldChange C)>(r => r.C.Decision.Position), Column.Short<(long Entry, HoldChange C)>(r => (short)r.C.To), Column.Long<(long Entry, HoldChange C)>(r => r.Entry));
    }

    private void WriteLines(NpgsqlBatch batch)
    {
        Insert.Rows(batch, "posting", "entry, line, debit, credit, amount", _entries.SelectMany(e => e.Postings.ToArray().Select((p, line) => (Entry: e.Position, Line: line, Posting: p))),
            Column.Long<(long Entry, int Line, Posting P)>(r => r.Entry), Column.Int<(long Entry, int Line, Posting P)>(r => r.Line), Column.Long<(long Entry, int Line, Posting P)>(r => r.P.Debit.Slot(r.P.DebitSide)),
            Column.Long<(long Entry, int Line, Posting P)>(r => r.P.Credit.Slot(r.P.CreditSide)), Column.Long<(long Entry, int Line, Posting P)>(r => r.P.Amount));
        var moves = _entries.SelectMany(e => e.LotMoves.ToArray().Select((m, line) => (Entry: e.Position, Line: line, Move: m))).ToArray();
        Insert.Rows(batch, "lot_move", "entry, line, lot, kind, amount", moves,
            Column.Long<(long Entry, int Line, LotMove M)>(r => r.Entry), Column.Int<(long Entry, int Line, LotMove M)>(r => r.Line), Column.Long<(long Entry, int Line, LotMove M)>(r => r.M.Lot.Id),
            Column.Short<(long Entry, int Line, LotMove M)>(r => (short)r.M.Kind), Column.Long<(long Entry, int Line, LotMove M)>(r => r.M.Amount));
        var earned = moves.Where(m => m.Move.Kind is LotMoveKind.Earn).Select(m => m.Move.Lot).ToHashSet();
        Insert.Rows(batch, "lot", "id, account, quantity, remaining, held, spent, expired, earned_at, expires_at, origin", earned,
            Column.Long<EarnedLot>(l => l.Id), Column.Long<EarnedLot>(l => l.Account.Id), Column.Long<EarnedLot>(l => l.Quantity), Column.Long<EarnedLot>(l => l.Remaining), Column.Long<EarnedLot>(l => l.Held),
            Column.Long<EarnedLot>(l => l.Spent), Column.Long<EarnedLot>(l => l.Expired), Column.Long<EarnedLot>(l => l.EarnedAt.UnixMilliseconds), Column.Long<EarnedLot>(l => l.ExpiresAt?.UnixMilliseconds),
            Column.Text<EarnedLot>(l => l.Origin));
        Insert.Run(batch, "UPDATE lot SET remaining = c1, held = c2, spent = c3, expired = c4 FROM unnest($1, $2, $3, $4, $5) r (c0, c1, c2, c3, c4) WHERE id = c0", _touchedLots.Where(l => !earned.Contains(l)),
            Column.Long<EarnedLot>(l => l.Id), Column.Long<EarnedLot>(l => l.Remaining), Column.Long<EarnedLot>(l => l.Held), Column.Long<EarnedLot>(l => l.Spent), Column.Long<EarnedLot>(l => l.Expired));
        Insert.Rows(batch, "outbox", "entry, line, at, type, key, payload", _entries.SelectMany(e => e.Outbox.ToArray().Select((o, line) => (Entry: e.Position, Line: line, Row: o))),
            Column.Long<(long Entry, int Line, OutboxRow R)>(r => r.Entry), Column.Int<(long Entry, int Line, OutboxRow R)>(r => r.Line), Column.Long<(long Entry, int Line, OutboxRow R)>(r => r.R.At.UnixMilliseconds),
            Column.Text<(long Entry, int Line, OutboxRow R)>(r => r.R.Type), Column.Text<(long Entry, int Line, OutboxRow R)>(r => r.R.Key), Column.Bytes<(long Entry, int Line, OutboxRow R)>(r => r.R.Payload));
    }

    private void WriteCampaigns(NpgsqlBatch batch)
    {
        var arms = _entries.SelectMany(e => e.Arms.ToArray().Select(a => (Entry: e.Position, Arm: a)))
            .OrderBy(r => r.Arm.CampaignId, StringComparer.Ordinal).ThenBy(r => r.Arm.CustomerId, StringComparer.Ordinal);
        Insert.Rows(batch, "arm", "campaign, customer, arm, version, entry", arms,
            Column.Text<(long Entry, ArmAssignment A)>(r => r.A.CampaignId), Column.Text<(long Entry, ArmAssignment A)>(r => r.A.CustomerId), Column.Short<(long Entry, ArmAssignment A)>(r => (short)r.A.Arm),
            Column.Int<(long Entry, ArmAssignment A)>(r => r.A.CampaignVersion), Column.Long<(long Entry, ArmAssignment A)>(r => r.Entry));
        var coupons = _coupons.Values.OrderBy(c => c.Coupon.Code, StringComparer.Ordinal).ToArray();
        Insert.Rows(batch, "coupon", "code, campaign, customer, uses_max, revoked, created_at", coupons.Where(c => c.IsNew).Select(c => c.Coupon),
            Column.Text<Coupon>(c => c.Code), Column.Text<Coupon>(c => c.CampaignId), Column.Text<Coupon>(c => c.CustomerId),
            Column.Long<Coupon>(c => c.UsesMax), Column.Bool<Coupon>(c => c.Revoked), Column.Long<Coupon>(c => c.CreatedAt.UnixMilliseconds));
        Insert.Run(batch, "UPDATE coupon SET customer = c1, revoked = c2 FROM unnest($1, $2, $3) r (c0, c1, c2) WHERE code = c0", coupons.Where(c => !c.IsNew).Select(c => c.Coupon),
            Column.Text<Coupon>(c => c.Code), Column.Text<Coupon>(c => c.CustomerId), Column.Bool<Coupon>(c => c.Revoked));
        Insert.Rows(batch, "campaign", "id, version, document, entry",
            _entries.Where(e => e.Campaign is not null).OrderBy(e => e.Campaign!.Id, StringComparer.Ordinal).ThenBy(e => e.Campaign!.Version),
            Column.Text<LedgerEntry>(e => e.Campaign!.Id), Column.Int<LedgerEntry>(e => e.Campaign!.Version), Column.Text<LedgerEntry>(e => CampaignJson.Write(e.Campaign!)), Column.Long<LedgerEntry>(e => e.Position));
    }

    private void WriteRecords(NpgsqlBatch batch)
    {
        var orders = _entries.Where(e => e.Order is not null).Select(e => e.Order!).ToHashSet();
        Insert.Rows(batch, "purchase", "entry, customer, currency, total, returned", orders,
            Column.Long<BookedOrder>(o => o.Position), Column.Text<BookedOrder>(o => o.CustomerId), Column.Text<BookedOrder>(o => o.Currency), Column.Long<BookedOrder>(o => o.Total), Column.Long<BookedOrder>(o => o.Returned));
        Insert.Run(batch, "UPDATE purchase SET returned = c1 FROM unnest($1, $2) r (c0, c1) WHERE entry = c0", _entries.Where(e => e.Returned is not null).Select(e => e.Returned!).Where(o => !orders.Contains(o)).Distinct(),
            Column.Long<BookedOrder>(o => o.Position), Column.Long<BookedOrder>(o => o.Returned));
        var labels = _entries.Where(e => e.Label is not null).Select(e => (Entry: e.Position, Label: e.Label!)).ToArray();
        Insert.Rows(batch, "label", "entry, redemption_id, abuse, source, note, actor, at", labels,
            Column.Long<(long Entry, LabelRecorded L)>(r => r.Entry), Column.Text<(long Entry, LabelRecorded L)>(r => r.L.RedemptionId), Column.Bool<(long Entry, LabelRecorded L)>(r => r.L.Abuse),
            Column.Text<(long Entry, LabelRecorded L)>(r => r.L.Source), Column.Text<(long Entry, LabelRecorded L)>(r => r.L.Note), Column.Text<(long Entry, LabelRecorded L)>(r => r.L.Actor),
            Column.Long<(long Entry, LabelRecorded L)>(r => r.L.At.UnixMilliseconds));
        Insert.Run(batch, "UPDATE flag SET answer = c1, answered_by = c2, answered_at = c3 FROM unnest($1, $2, $3, $4) r (c0, c1, c2, c3) WHERE entry = (SELECT entry FROM command WHERE id = c0)",
            labels.Where(l => l.Label.Source == "review").GroupBy(l => l.Label.RedemptionId).Select(g => g.Last().Label),
            Column.Text<LabelRecorded>(l => l.RedemptionId), Column.Bool<LabelRecorded>(l => l.Abuse), Column.Text<LabelRecorded>(l => l.Actor), Column.Long<LabelRecorded>(l => l.At.UnixMilliseconds));
    }

    private void WriteSettings(NpgsqlBatch batch)
    {
        var settings = _settings.OrderBy(s => s.Key.Item1, StringComparer.Ordinal).ThenBy(s => s.Key.Item2, StringComparer.Ordinal).Select(s => (Scope: s.Key.Item1, Name: s.Key.Item2, s.Value)).ToArray();
        Insert.Run(batch, "INSERT INTO setting SELECT * FROM unnest($1, $2, $3) ON CONFLICT (scope, name) DO UPDATE SET value = excluded.value", settings.Where(s => s.Value is not null),
            Column.Text<(string Scope, string Name, string? Value)>(s => s.Scope), Column.Text<(string Scope, string Name, string? Value)>(s => s.Name), Column.Text<(string Scope, string Name, string? Value)>(s => s.Value));
        Insert.Run(batch, "DELETE FROM setting USING unnest($1, $2) r (c0, c1) WHERE scope = c0 AND name = c1", settings.Where(s => s.Value is null),
            Column.Text<(string Scope, string Name, string? Value)>(s => s.Scope), Column.Text<(string Scope, string Name, string? Value)>(s => s.Name));
    }
}
