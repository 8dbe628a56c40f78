using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using Promotions.Domain;
using Promotions.Domain.Decisions;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Postgres.Storage;

namespace Promotions.Benchmarks.Postgres;

/// <summary>What one writes who knows PostgreSQL and needs these bookings only: the same rows in the same tables, set by set, two round trips a batch, durable at the answer.
/// No hashes, no places, no answers, no refusals; what does not depend on the database is encoded before the clock starts.</summary>
internal static class HandWritten
{
    private const int System = 4;   // accounts of the system, then two of the campaign

    public static async Task<double> MeasureAsync(string connection, int warmup, int redemptions, int batch, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(connection) { MaxAutoPrepare = 50, AutoPrepareMinUsages = 2, Options = "-c enable_seqscan=off -c synchronous_commit=on -c jit=off" };
        await using var source = NpgsqlDataSource.Create(settings);
        await using var db = await source.OpenConnectionAsync(cancellationToken);
        await Schema.MigrateAsync(db, cancellationToken);
        var now = EventTime.Now(TimeProvider.System);
        var commands = Enumerable.Range(0, warmup + redemptions).Select(i => PreparedCommand.From(LedgerLoad.Redemption(i, now))).ToArray();
        await using (var seed = new NpgsqlCommand("""
            INSERT INTO account SELECT n, CASE WHEN n <= 4 THEN 2 WHEN n = 5 THEN 20 ELSE 21 END, CASE WHEN n > 4 THEN 'spring' ELSE '' END, '', 'unit-' || n, 0, 0, 0 FROM generate_series(1, 6) n;
            """, db))
            await seed.ExecuteNonQueryAsync(cancellationToken);
        await using (var codes = new NpgsqlCommand("INSERT INTO coupon SELECT c, 'spring', NULL, 1, false, 0 FROM unnest($1) c", db))
        {
            codes.Parameters.Add(new() { Value = commands.Select(c => Request(c).Redeemables[0].Code!).ToArray() });
            await codes.ExecuteNonQueryAsync(cancellationToken);
        }

        var state = new State(now.UnixMilliseconds);
        foreach (var chunk in commands.Take(warmup).Chunk(batch)) await BookAsync(db, chunk, state, cancellationToken);
        var started = Stopwatch.GetTimestamp();
        foreach (var chunk in commands.Skip(warmup).Chunk(batch)) await BookAsync(db, chunk, state, cancellationToken);
        return redemptions / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private sealed class State(long now)
    {
        public long Now => now;
        public long Entries;
        public long Accounts = System + 2;
        public Dictionary<string, long> Customers { get; } = new(StringComparer.Ordinal);
    }

    private static RedemptionRequestView Request(PreparedCommand command) => new(((Promotions.Ledger.DecideRedemption)command.Command).Proposal);

    private readonly record struct RedemptionRequestView(DecisionProposal Proposal)
    {
        public string Id => Proposal.Request.Id;
        public string Customer => Proposal.Request.Customer.Id;
        public IReadOnlyList<Domain.Events.Redeemable> Redeemables => Proposal.Request.Redeemables;
    }

    private static async Task BookAsync(NpgsqlConnection db, PreparedCommand[] chunk, State state, CancellationToken cancellationToken)
    {
        var requests = chunk.Select(Request).ToArray();
        var known = requests.Select(r => state.Customers.GetValueOrDefault(r.Customer)).Where(a => a > 0).Concat(Enumerable.Range(1, System + 2).Select(n => (long)n)).Distinct().ToArray();
        var balances = new Dictionary<long, (long Free, long Held, long Used)>();
        await using (var first = new NpgsqlBatch(db))
        {
            Add(first, "BEGIN");
            Add(first, "SELECT id, free, held, used FROM account WHERE id = ANY($1) ORDER BY id FOR UPDATE", Longs(known));
            Add(first, "SELECT id, entry FROM command WHERE id = ANY($1)", Texts(requests.Select(r => r.Id)));
            Add(first, "SELECT code, campaign, uses_max, revoked FROM coupon WHERE code = ANY($1)", Texts(requests.Select(r => r.Redeemables[0].Code!)));
            await using var rows = await first.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) balances.Add(rows.GetInt64(0), (rows.GetInt64(1), rows.GetInt64(2), rows.GetInt64(3)));
            await rows.NextResultAsync(cancellationToken);
            if (await rows.ReadAsync(cancellationToken)) throw new InvalidOperationException("A redemption was there before.");
            await rows.NextResultAsync(cancellationToken);
            var coupons = 0;
            while (await rows.ReadAsync(cancellationToken)) coupons++;
            if (coupons != chunk.Length) throw new InvalidOperationException("A coupon is missing.");
        }

        var accounts = new List<(long Id, short Kind, string Owner, string Member)>();
        var postings = new List<(long Entry, int Line, long Debit, long Credit, long Amount)>();
        var entries = new List<long>();
        foreach (var request in requests)
        {
            var entry = ++state.Entries;
            entries.Add(entry);
            var line = 0;
            var code = ++state.Accounts;
            accounts.Add((code, 23, request.Redeemables[0].Code!, ""));
            if (!state.Customers.TryGetValue(request.Customer, out var customer))
            {
                state.Customers.Add(request.Customer, customer = ++state.Accounts);
                accounts.Add((customer, 22, "spring", request.Customer));
                balances[customer] = (1_000, 0, 0);
                postings.Add((entry, line++, 4, (customer * 4) + 1, 1_000));
            }

            balances[code] = (0, 1, 0);
            postings.Add((entry, line++, 4, code * 4, 1));
            foreach (var (account, amount) in new (long, long)[] { (code, 1), (5, 1), (customer, 1), (6, 500) })
            {
                var (free, held, used) = balances[account];
                if (account != code) balances[account] = (free, held + amount, used);
                postings.Add((entry, line++, account * 4, (account * 4) + 1, amount));
            }
        }

        var outcomes = requests.Select(_ => ++state.Entries).ToArray();
        var fresh = accounts.Select(a => a.Id).ToHashSet();
        var changed = balances.Where(b => !fresh.Contains(b.Key)).ToArray();
        var leaf = new byte[32];
        var payload = new byte[850];
        await using var second = new NpgsqlBatch(db);
        Add(second, "INSERT INTO account SELECT i, k, o, m, 'use', f, h, u FROM unnest($1, $2, $3, $4, $5, $6, $7) r (i, k, o, m, f, h, u)",
            Longs(accounts.Select(a => a.Id)), Shorts(accounts.Select(a => a.Kind)), Texts(accounts.Select(a => a.Owner)), Texts(accounts.Select(a => a.Member)),
            Longs(accounts.Select(a => balances[a.Id].Free)), Longs(accounts.Select(a => balances[a.Id].Held)), Longs(accounts.Select(a => balances[a.Id].Used)));
        Add(second, "UPDATE account SET free = f, held = h, used = u FROM unnest($1, $2, $3, $4) r (i, f, h, u) WHERE id = i",
            Longs(changed.Select(b => b.Key)), Longs(changed.Select(b => b.Value.Free)), Longs(changed.Select(b => b.Value.Held)), Longs(changed.Select(b => b.Value.Used)));
        Add(second, "INSERT INTO command (id, entry) SELECT * FROM unnest($1, $2)", Texts(requests.Select(r => r.Id)), Longs(entries));
        const string entryOf = "INSERT INTO entry SELECT i, $2, 1, k, 'api_key', 'key-1', 'web-de', 'key-1', $3, $4, k, $5, $2, 42, 0, NULL, $3 FROM unnest($1, $6) r (i, k)";
        Add(second, entryOf, Longs(entries), Long(state.Now), Bytes(leaf), Text("redemption-requests"), Bytes(LedgerLoad.RecordBytes), Texts(requests.Select(r => r.Id)));
        Add(second, entryOf, Longs(outcomes), Long(state.Now), Bytes(leaf), Text("outcomes"), Bytes(LedgerLoad.OutcomeBytes), Texts(requests.Select(r => r.Customer)));
        Add(second, "INSERT INTO decision SELECT i, r, c, 1, 0, $4, $4, $5, d, v FROM unnest($1, $2, $3, $6, $7) t (i, r, c, d, v)",
            Longs(entries), Texts(requests.Select(r => r.Id)), Texts(requests.Select(r => r.Customer)), Long(state.Now), Text(requests[0].Proposal.Risk.ModelHash),
            Blobs(chunk.Select(c => c.Document.ToArray())), Blobs(chunk.Select(c => c.Vector.ToArray())));
        Add(second, "INSERT INTO hold (entry, state, expires_at) SELECT i, 1, $2 FROM unnest($1) i", Longs(entries), Long(state.Now));
        Add(second, "INSERT INTO posting SELECT * FROM unnest($1, $2, $3, $4, $5)",
            Longs(postings.Select(p => p.Entry)), Ints(postings.Select(p => p.Line)), Longs(postings.Select(p => p.Debit)), Longs(postings.Select(p => p.Credit)), Longs(postings.Select(p => p.Amount)));
        Add(second, "INSERT INTO outbox SELECT i, 0, $2, 'decision', k, $3 FROM unnest($1, $4) r (i, k)", Longs(entries), Long(state.Now), Bytes(payload), Texts(requests.Select(r => r.Id)));
        Add(second, "COMMIT");
        await second.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Add(NpgsqlBatch batch, string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        batch.BatchCommands.Add(command);
    }

    private static NpgsqlParameter Long(long value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Bigint };
    private static NpgsqlParameter Text(string value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Text };
    private static NpgsqlParameter Bytes(byte[] value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Bytea };
    private static NpgsqlParameter Longs(IEnumerable<long> values) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };
    private static NpgsqlParameter Ints(IEnumerable<int> values) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer };
    private static NpgsqlParameter Shorts(IEnumerable<short> values) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint };
    private static NpgsqlParameter Texts(IEnumerable<string> values) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };
    private static NpgsqlParameter Blobs(IEnumerable<byte[]> values) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };
}
