using Npgsql;
using Promotions.Domain;
using Promotions.Domain.Events;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Postgres.Storage;
using Promotions.Ledger.Verification;

namespace Promotions.Ledger.Postgres.Verification;

/// <summary>What takes a replay, in the order of places: lots, and the tables that are folds of what was told. Then decisions, labels, campaigns and their limits, row by row.</summary>
/// <remarks>Places keep the order of cause and effect over processes (see DECISIONS.md); entries that wait for theirs come last, in the order in which they were written.</remarks>
internal sealed class RecordCheck(NpgsqlConnection connection, Findings findings)
{
    /// <summary>Placed entries by place, waiting ones behind them.</summary>
    private const string InOrder = "LEFT JOIN leaf l ON l.entry = e.id LEFT JOIN pending w ON w.entry = e.id";

    private readonly RecordJudge _judge = new(findings);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await RunAsync("lots_equal_their_moves", CheckLotsAsync, cancellationToken).ConfigureAwait(false);
        await RunAsync("tables_equal_the_outbox", CheckFoldsAsync, cancellationToken).ConfigureAwait(false);
        await RunAsync("decisions_are_whole", CheckDecisionsAsync, cancellationToken).ConfigureAwait(false);
        await RunAsync("labels_equal_their_commands", CheckLabelsAsync, cancellationToken).ConfigureAwait(false);
        await RunAsync("limits_are_kept", CheckLimitsAsync, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A check that cannot read its rows is a finding, not the end of the verification.</summary>
    private async Task RunAsync(string invariant, Func<CancellationToken, Task> check, CancellationToken cancellationToken)
    {
        try
        {
            await check(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is FormatException or OverflowException or System.Text.Json.JsonException or KeyNotFoundException or ArgumentException or InvalidCastException)
        {
            findings.Add(invariant, $"The check could not finish: {fault.Message}");
        }
    }

    private async Task CheckLotsAsync(CancellationToken cancellationToken)
    {
        var lots = new List<LotRow>();
        await EachAsync("SELECT id, account, quantity, remaining, held, spent, expired, earned_at, expires_at FROM lot", row =>
            lots.Add(new(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), Rows.OptionalLong(row, 8))), cancellationToken).ConfigureAwait(false);
        var replay = new LotReplay(findings, lots);
        await EachAsync($"""
            SELECT m.entry, m.line, m.lot, m.kind, m.amount, coalesce(d.decided_at, e.recorded_at / 1000) FROM lot_move m JOIN entry e ON e.id = m.entry LEFT JOIN decision d ON d.entry = m.entry {InOrder}
            ORDER BY l.position NULLS LAST, w.ord, m.line
            """, row => replay.Move($"{row.GetInt64(0)}/{row.GetInt32(1)}", row.GetInt64(2), (LotMoveKind)row.GetInt16(3), row.GetInt64(4), row.GetInt64(5)), cancellationToken).ConfigureAwait(false);
        replay.End();
    }

    private async Task CheckFoldsAsync(CancellationToken cancellationToken)
    {
        var replay = new OutboxReplay(findings);
        await EachAsync($"SELECT o.type, o.key, o.payload, o.entry FROM outbox o JOIN entry e ON e.id = o.entry {InOrder} ORDER BY l.position NULLS LAST, w.ord, o.line", row =>
        {
            if (OutboxReplay.Wants(row.GetString(0))) replay.Told(row.GetString(0), row.GetString(1), row.GetFieldValue<byte[]>(2), row.GetInt64(3));
        }, cancellationToken).ConfigureAwait(false);
        await EachAsync("SELECT code, campaign, customer, uses_max, revoked FROM coupon", row =>
            replay.Coupon(row.GetString(0), row.GetString(1), Rows.OptionalText(row, 2), Rows.OptionalLong(row, 3), row.GetBoolean(4)), cancellationToken).ConfigureAwait(false);
        await EachAsync("SELECT campaign, customer, arm FROM arm", row => replay.Arm(row.GetString(0), row.GetString(1), row.GetInt16(2) == 1), cancellationToken).ConfigureAwait(false);
        await EachAsync("SELECT entry, total, returned FROM purchase", row => replay.Purchase(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken).ConfigureAwait(false);
        await EachAsync("SELECT d.redemption_id, h.state FROM hold h JOIN decision d ON d.entry = h.entry", row => replay.Hold(row.GetString(0), row.GetInt16(1)), cancellationToken).ConfigureAwait(false);
        replay.End();
    }

    private Task CheckDecisionsAsync(CancellationToken cancellationToken) => EachAsync(
        $"SELECT {Rows.DecisionColumns}, d.redemption_id, d.customer, d.model_hash, e.kind, e.content FROM {Rows.DecisionTables} LEFT JOIN entry e ON e.id = d.entry", row =>
            _judge.Decision(Rows.ReadDecision(row), row.GetString(8), row.GetString(9), row.GetString(10), row.IsDBNull(11) ? null : row.GetInt16(11), row.IsDBNull(12) ? [] : row.GetFieldValue<byte[]>(12)), cancellationToken);

    private Task CheckLabelsAsync(CancellationToken cancellationToken) => EachAsync(
        "SELECT l.entry, l.redemption_id, l.abuse, l.source, l.note, l.actor, l.at, e.command_id, e.content FROM label l LEFT JOIN entry e ON e.id = l.entry", row =>
        {
            var label = new LabelRecorded(Rows.OptionalText(row, 7) ?? "", row.GetString(1), row.GetBoolean(2), row.GetString(3), Rows.OptionalText(row, 4), row.GetString(5), new EventTime(row.GetInt64(6)), new("", null, null, null, [], null, null));
            _judge.Label(row.GetInt64(0), label, row.IsDBNull(8) ? [] : row.GetFieldValue<byte[]>(8));
        }, cancellationToken);

    private async Task CheckLimitsAsync(CancellationToken cancellationToken)
    {
        await EachAsync("SELECT c.id, c.version, c.document, e.command_id, e.content FROM campaign c LEFT JOIN entry e ON e.id = c.entry ORDER BY c.id, c.version", row =>
            _judge.Campaign(row.GetString(0), row.GetInt32(1), row.GetString(2), Rows.OptionalText(row, 3), row.IsDBNull(4) ? [] : row.GetFieldValue<byte[]>(4)), cancellationToken).ConfigureAwait(false);
        await EachAsync("SELECT a.kind, a.owner, a.member, a.unit, a.held, a.used, c.code IS NOT NULL, c.uses_max FROM account a LEFT JOIN coupon c ON c.code = a.owner AND a.kind = 23 WHERE a.kind >= 20", row =>
            _judge.Limit(new((AccountKind)row.GetInt16(0), row.GetString(1), row.GetString(2), row.GetString(3)), row.GetInt64(4), row.GetInt64(5), (row.GetBoolean(6), Rows.OptionalLong(row, 7))), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Rows are not kept: a ledger may be larger than memory.</summary>
    private async Task EachAsync(string sql, Action<NpgsqlDataReader> row, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false)) row(rows);
    }
}
