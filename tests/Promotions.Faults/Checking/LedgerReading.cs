using System.Globalization;
using Npgsql;

namespace Promotions.Faults.Checking;

/// <summary>Reads the ledger's tables with statements of its own: nothing of what is checked is asked.</summary>
internal sealed class LedgerReading(string connectionString)
{
    /// <summary>Entries that have no place in the audit tree yet.</summary>
    public async Task<long> PendingAsync(CancellationToken cancellationToken) => (long)(await ScalarAsync("SELECT count(*) FROM pending", cancellationToken))!;

    /// <summary>How long the oldest entry has waited for its place.</summary>
    public async Task<TimeSpan> PendingForAsync(CancellationToken cancellationToken) =>
        TimeSpan.FromSeconds((double)(await ScalarAsync("SELECT coalesce(extract(epoch FROM clock_timestamp() - min(since)), 0)::float8 FROM pending", cancellationToken))!);

    /// <summary>Whether a session of this user sits inside a step of the sequencer: in a transaction, without a statement, with a lock on <c>head</c>.</summary>
    public async Task<bool> IsInStepAsync(string user, CancellationToken cancellationToken) => (bool)(await ScalarAsync(string.Create(CultureInfo.InvariantCulture, $"""
        SELECT EXISTS (SELECT 1 FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND l.granted JOIN pg_class c ON c.oid = l.relation AND c.relname = 'head'
                       WHERE a.usename = '{user}' AND a.state = 'idle in transaction' AND l.mode IN ('RowShareLock', 'RowExclusiveLock'))
           AND NOT EXISTS (SELECT 1 FROM head FOR UPDATE SKIP LOCKED)
        """), cancellationToken))!;

    public async Task<LedgerFacts> ReadAsync(CancellationToken cancellationToken) => new()
    {
        Decisions = await ByKeyAsync(
            """
            SELECT d.redemption_id, count(DISTINCT d.entry), min(d.status)::int, coalesce(min(h.state), 0)::int, count(l.entry)
            FROM decision d LEFT JOIN hold h ON h.entry = d.entry LEFT JOIN leaf l ON l.entry = d.entry GROUP BY 1
            """,
            row => (row.GetString(0), new DecisionFact(row.GetInt64(1), row.GetInt32(2), row.GetInt32(3), row.GetInt64(4))), cancellationToken),
        Entries = await ByKeyAsync("SELECT command_id, max(times) FROM (SELECT command_id, count(*) AS times FROM entry WHERE refusal = 0 GROUP BY command_id, kind) e GROUP BY 1", row => (row.GetString(0), row.GetInt64(1)), cancellationToken),
        Codes = await ByKeyAsync($"SELECT owner, {Sums} FROM account WHERE kind = 23 GROUP BY 1", row => (row.GetString(0), Balance(row, 1)), cancellationToken),
        Budgets = await ByKeyAsync($"SELECT owner, {Sums} FROM account WHERE kind = 21 GROUP BY 1", row => (row.GetString(0), Balance(row, 1)), cancellationToken),
        Balances = await ByKeyAsync($"SELECT owner, member, {Sums} FROM account WHERE kind = 10 GROUP BY 1, 2", row => ((row.GetString(0), row.GetString(1)), Balance(row, 2)), cancellationToken),
    };

    private const string Sums = "sum(free)::bigint, sum(held)::bigint, sum(used)::bigint";

    private static BalanceFact Balance(NpgsqlDataReader row, int from) => new(row.GetInt64(from), row.GetInt64(from + 1), row.GetInt64(from + 2));

    private async Task<Dictionary<TKey, TValue>> ByKeyAsync<TKey, TValue>(string sql, Func<NpgsqlDataReader, (TKey, TValue)> read, CancellationToken cancellationToken) where TKey : notnull
    {
        var found = new Dictionary<TKey, TValue>();
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var (key, value) = read(rows);
            found[key] = value;
        }

        return found;
    }

    private async Task<object?> ScalarAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(connectionString + ";Pooling=false;Application Name=promotions-faults");
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
