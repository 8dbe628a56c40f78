using Npgsql;
using NpgsqlTypes;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Formats;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>The first round trip of a transaction: begins it, locks what the footprint names in one order for all processes (epochs, reserved ids, holds, purchases, accounts), and
/// loads what stands under the locks. Each statement sees what was committed before it, so rows read behind a lock are as the lock's last owner left them.</summary>
internal sealed class BatchLoader(NpgsqlConnection connection, Footprint footprint, BatchState state, string shard)
{
    private readonly List<NpgsqlBatchCommand> _commands = [];
    private readonly List<Func<NpgsqlDataReader, CancellationToken, Task>> _reads = [];
    private readonly List<Decision> _decisions = [];
    private readonly Dictionary<long, List<(long Debit, long Credit, long Amount)>> _takes = [];
    private readonly List<(long Entry, long Lot, long Amount)> _lotTakes = [];

    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await using (var batch = new NpgsqlBatch(connection))
        {
            batch.BatchCommands.Add(new("BEGIN"));
            LockEpochs();
            LockRows();
            if (footprint.HasCommands) LockAccounts();
            ReadRecords();
            ReadMoney();
            ReadCampaigns();
            foreach (var command in _commands) batch.BatchCommands.Add(command);
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < _reads.Count; i++)
            {
                if (i > 0 && !await reader.NextResultAsync(cancellationToken).ConfigureAwait(false)) throw new NpgsqlException("A statement of the batch gave no rows to read.");
                await _reads[i](reader, cancellationToken).ConfigureAwait(false);
            }
        }

        Connect();
    }

    /// <summary>Shared with the process's other tasks and with nobody who would raise them: a raise waits for this transaction, or was first and is seen.</summary>
    private void LockEpochs()
    {
        if (footprint.Tasks.Count > 0)
            Read("SELECT task, epoch FROM partition_epoch WHERE task = ANY($1) ORDER BY task FOR SHARE", row => state.Add(new TaskEpoch(row.GetString(0), row.GetInt64(1))), Texts(footprint.Tasks));
    }

    private void LockRows()
    {
        if (footprint.Ids.Count > 0) Lock("SELECT id FROM command WHERE id = ANY($1) AND entry IS NULL ORDER BY id FOR UPDATE", Texts(footprint.Ids));
        if (footprint.Redemptions.Count > 0)
            Lock("SELECT h.entry FROM command c JOIN hold h ON h.entry = c.entry WHERE c.id = ANY($1) ORDER BY h.entry FOR UPDATE OF h", Texts(footprint.Redemptions));
        if (footprint.Orders.Count > 0)
            Lock("SELECT p.entry FROM command c JOIN purchase p ON p.entry = c.entry WHERE c.id = ANY($1) ORDER BY p.entry FOR UPDATE OF p", Texts(footprint.Orders));
    }

    /// <summary>Every process posts to its own share of the system's accounts: nobody waits for another's.</summary>
    private void LockAccounts()
    {
        var keys = footprint.Accounts.ToArray();
        var sql = """
            SELECT a.id, a.kind, a.owner, a.member, a.unit, a.free, a.held, a.used FROM account a WHERE a.id IN (
                SELECT x.id FROM unnest($1, $2, $3, $4) k (kind, owner, member, unit)
                    JOIN account x ON x.owner = k.owner AND x.member = k.member AND x.kind = k.kind AND x.unit = k.unit
                UNION SELECT s.id FROM account s WHERE s.owner = '' AND s.member = $5 AND s.kind < 10
                UNION SELECT unnest($6)
            """;
        NpgsqlParameter[] parameters =
        [
            new() { Value = keys.Select(k => (short)k.Kind).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint }, Texts(keys.Select(k => k.Owner)),
            Texts(keys.Select(k => k.Member)), Texts(keys.Select(k => k.Unit)), Text(shard), Longs(footprint.AccountIds),
        ];
        if (footprint.Redemptions.Count > 0)
        {
            sql += """

                UNION SELECT p.debit >> 2 FROM command c JOIN posting p ON p.entry = c.entry WHERE c.id = ANY($7)
                UNION SELECT p.credit >> 2 FROM command c JOIN posting p ON p.entry = c.entry WHERE c.id = ANY($7)
                """;
            parameters = [.. parameters, Texts(footprint.Redemptions)];
        }

        Read(sql + ") ORDER BY a.id FOR UPDATE OF a", row =>
        {
            var kind = (AccountKind)row.GetInt16(1);
            var system = kind < AccountKind.CustomerBalance;
            var key = new AccountKey(kind, row.GetString(2), system ? "" : row.GetString(3), row.GetString(4));
            state.Add(new Account(key, row.GetInt64(0), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7)), !system || row.GetString(3) == shard);
        }, parameters);
    }

    private void ReadRecords()
    {
        if (footprint.Ids.Count > 0)
            Read("SELECT c.id, c.entry, c.voided_by, e.kind, e.content, e.refusal, e.detail FROM command c LEFT JOIN entry e ON e.id = c.entry WHERE c.id = ANY($1)", row =>
            {
                if (!row.IsDBNull(2)) state.AddVoided(row.GetString(0));
                if (row.IsDBNull(1)) return;
                if (row.IsDBNull(3)) throw new LedgerFaultException($"Id {row.GetString(0)} names entry {row.GetInt64(1)}, which is not there. Run the verifier.");
                state.Add(new RecordedCommand(row.GetString(0), new((CommandKind)row.GetInt16(3), row.GetFieldValue<byte[]>(4)), row.GetInt64(1), (LedgerRefusal)row.GetInt16(5), Rows.OptionalText(row, 6)));
            }, Texts(footprint.Ids));
        var decisions = footprint.Redemptions.Union(footprint.Repeats).ToArray();
        if (decisions.Length > 0)
            Read($"SELECT {Rows.DecisionColumns} FROM {Rows.DecisionTables} WHERE d.entry IN (SELECT entry FROM command WHERE id = ANY($1))", row => _decisions.Add(Rows.ReadDecision(row)), Texts(decisions));
        if (footprint.Orders.Count > 0)
            Read("SELECT p.entry, c.id, p.customer, p.currency, p.total, p.returned FROM command c JOIN purchase p ON p.entry = c.entry WHERE c.id = ANY($1)", row =>
                state.Add(new BookedOrder(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetInt64(4), row.GetInt64(5))), Texts(footprint.Orders));
        if (footprint.Redemptions.Count == 0) return;
        Read("SELECT c.id, f.answer FROM command c JOIN flag f ON f.entry = c.entry WHERE c.id = ANY($1) AND f.answer IS NOT NULL", row =>
            state.AddReview(row.GetString(0), row.GetBoolean(1)), Texts(footprint.Redemptions));
        Read("SELECT scope, name, value FROM setting WHERE name = 'capture_waits_for_review'", row => state.PutSetting(row.GetString(0), row.GetString(1), row.GetString(2)));
    }

    private void ReadMoney()
    {
        if (footprint.Redemptions.Count > 0)
        {
            Read("SELECT p.entry, p.debit, p.credit, p.amount FROM command c JOIN posting p ON p.entry = c.entry WHERE c.id = ANY($1) AND p.credit & 3 = 1 ORDER BY p.entry, p.line", row =>
            {
                if (!_takes.TryGetValue(row.GetInt64(0), out var takes)) _takes.Add(row.GetInt64(0), takes = []);
                takes.Add((row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)));
            }, Texts(footprint.Redemptions));
            Read("SELECT m.entry, m.lot, m.amount FROM command c JOIN lot_move m ON m.entry = c.entry WHERE c.id = ANY($1) AND m.kind = 2 ORDER BY m.entry, m.line", row =>
                _lotTakes.Add((row.GetInt64(0), row.GetInt64(1), row.GetInt64(2))), Texts(footprint.Redemptions));
        }

        var withLots = footprint.Accounts.Where(k => k is { Kind: AccountKind.CustomerBalance, Member: "points" or "gift" }).ToArray();
        if (withLots.Length == 0 && footprint.AccountIds.Count == 0 && footprint.Redemptions.Count == 0) return;
        Read("""
            SELECT id, account, quantity, remaining, held, spent, expired, earned_at, expires_at, origin FROM lot WHERE id IN (
                SELECT l.id FROM unnest($1, $2, $3) k (owner, member, unit)
                    JOIN account a ON a.owner = k.owner AND a.member = k.member AND a.kind = 10 AND a.unit = k.unit JOIN lot l ON l.account = a.id AND (l.remaining > 0 OR l.held > 0)
                UNION SELECT l.id FROM lot l WHERE l.account = ANY($4) AND (l.remaining > 0 OR l.held > 0)
                UNION SELECT m.lot FROM command c JOIN lot_move m ON m.entry = c.entry WHERE c.id = ANY($5) AND m.kind = 2)
            """, row =>
        {
            var lot = new EarnedLot(row.GetInt64(0), state.AccountById(row.GetInt64(1)), row.GetInt64(2), new(row.GetInt64(7)), Rows.OptionalTime(row, 8), row.GetString(9));
            lot.Restore(row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6));
            state.Add(lot);
        }, Texts(withLots.Select(k => k.Owner)), Texts(withLots.Select(k => k.Member)), Texts(withLots.Select(k => k.Unit)), Longs(footprint.AccountIds), Texts(footprint.Redemptions));
    }

    private void ReadCampaigns()
    {
        if (footprint.Coupons.Count > 0) Read($"SELECT {Rows.CouponColumns} FROM coupon WHERE code = ANY($1)", row => state.Add(Rows.ReadCoupon(row)), Texts(footprint.Coupons));
        if (footprint.Campaigns.Count > 0)
            Read("SELECT DISTINCT ON (id) document FROM campaign WHERE id = ANY($1) ORDER BY id, version DESC", row => state.Add(CampaignJson.Read(row.GetString(0))), Texts(footprint.Campaigns));
        if (footprint.Arms.Count > 0)
            Read("SELECT a.campaign, a.customer, a.arm FROM unnest($1, $2) k (campaign, customer) JOIN arm a ON a.campaign = k.campaign AND a.customer = k.customer", row =>
                state.Add(row.GetString(0), row.GetString(1), (Arm)row.GetInt16(2)), Texts(footprint.Arms.Select(a => a.Campaign)), Texts(footprint.Arms.Select(a => a.Customer)));
    }

    /// <summary>Gives each decision what it took: the very objects that later commands change.</summary>
    private void Connect()
    {
        var lotTakes = _lotTakes.ToLookup(t => t.Entry);
        foreach (var decision in _decisions)
        {
            var booked = new BookedDecision(decision.Position, decision.Proposal, decision.Status, decision.Refusal, decision.DecidedAt, decision.HoldExpiresAt);
            booked.Restore(decision.Hold,
                [.. _takes.GetValueOrDefault(decision.Position, []).Select(t => new Take(state.AccountById(t.Credit >> 2), state.AccountById(t.Debit >> 2), (Side)(t.Debit & 3), t.Amount))],
                [.. lotTakes[decision.Position].Select(t => new LotTake(state.LotById(t.Lot), t.Amount))]);
            state.Add(booked);
        }

        state.OpenFences();
    }

    private void Lock(string sql, params NpgsqlParameter[] parameters) => Read(sql, static _ => { }, parameters);

    private void Read(string sql, Action<NpgsqlDataReader> row, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        _commands.Add(command);
        _reads.Add(async (reader, cancellationToken) =>
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false)) row(reader);
        });
    }

    private static NpgsqlParameter Text(string value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Text };

    /// <summary>In one order everywhere: rows that do not exist yet are inserted in it too.</summary>
    private static NpgsqlParameter Texts(IEnumerable<string> values) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    private static NpgsqlParameter Longs(IEnumerable<long> values) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };
}
