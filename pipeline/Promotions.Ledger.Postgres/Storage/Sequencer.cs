using Npgsql;
using NpgsqlTypes;
using Promotions.Domain;
using Promotions.Ledger.Audit;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>Gives committed entries their dense places in the log, the audit tree and the outbox, and signs checkpoints. Every process runs one; the row <c>head</c> is locked for
/// the length of one short transaction, so that whoever has it extends what the last one left, and a process that is stopped in the middle loses it to the server's time-out.</summary>
internal sealed class Sequencer : IAsyncDisposable
{
    private const int EntriesPerStep = 5_000;

    /// <summary>Begins a step. It is a few milliseconds of work: a process that is stopped inside one must not hold places up for longer than a second.</summary>
    internal const string LockHead =
        "SET LOCAL idle_in_transaction_session_timeout = 700; SELECT size, edge, outbox, logged, signed_at, signed_size FROM head FOR UPDATE SKIP LOCKED";

    /// <summary>Between two steps: entries of that time share one, whose cost hardly depends on how many they are. Reads of positions do not wait for it.</summary>
    private static readonly TimeSpan StepPause = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan FaultPause = TimeSpan.FromMilliseconds(250);

    private readonly NpgsqlDataSource _source;
    private readonly CampaignCatalog _catalog;
    private readonly CheckpointKey? _key;
    private readonly TimeProvider _time;
    private readonly PostgresLedgerOptions _options;
    private readonly SemaphoreSlim _stepping = new(1);
    private readonly SemaphoreSlim _wake = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly bool _places;
    private readonly Task _running;
    private long _committed;
    private long _sequenced;

    /// <param name="places">False: this process may not give places. It only looks for new campaigns, and other processes place its entries.</param>
    public Sequencer(NpgsqlDataSource source, CampaignCatalog catalog, CheckpointKey? key, TimeProvider time, PostgresLedgerOptions options, bool places)
    {
        (_source, _catalog, _key, _time, _options, _places) = (source, catalog, key, time, options, places);
        _running = Task.Run(RunAsync);
    }

    /// <summary>What broke the last step; null when it went well.</summary>
    public Exception? LastFault { get; private set; }

    /// <summary>After each commit of this process.</summary>
    public void Committed()
    {
        Interlocked.Increment(ref _committed);
        if (_wake.CurrentCount == 0) _wake.Release();
    }

    /// <summary>Before a read of positions: what this process has committed has a place, unless another process's step is under way; then it is a moment behind.</summary>
    /// <exception cref="LedgerFaultException">The database cannot be reached.</exception>
    public void CatchUp()
    {
        if (!_places || Interlocked.Read(ref _sequenced) >= Interlocked.Read(ref _committed)) return;
        try
        {
            Task.Run(() => DrainAsync(CancellationToken.None)).GetAwaiter().GetResult();
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
        {
            throw new LedgerFaultException("The ledger's database cannot be read: " + fault.Message, fault);
        }
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _wake.WaitAsync(_options.SequenceEvery, _stop.Token).ConfigureAwait(false);
                await DrainAsync(_stop.Token).ConfigureAwait(false);
                LastFault = null;
                await Task.Delay(StepPause, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException or LedgerFaultException)
            {
                // The entries are safe without a place; the next step gives it.
                LastFault = fault;
                await Task.Delay(FaultPause, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private async Task DrainAsync(CancellationToken cancellationToken)
    {
        await _stepping.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await _catalog.RefreshAsync(connection, cancellationToken).ConfigureAwait(false);
            while (_places)
            {
                var before = Interlocked.Read(ref _committed);
                var placed = await StepAsync(connection, cancellationToken).ConfigureAwait(false);
                if (placed == EntriesPerStep) continue;
                if (placed >= 0) Interlocked.Exchange(ref _sequenced, before);
                return;
            }
        }
        finally
        {
            _stepping.Release();
        }
    }

    private sealed record Head(long Size, byte[] Edge, long Outbox, long Logged, long? SignedAt, long SignedSize);

    /// <returns>How many entries got their place; −1: another process is at it.</returns>
    private async Task<int> StepAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        if (await LockHeadAsync(connection, cancellationToken).ConfigureAwait(false) is not { } head) return -1;
        var tree = MerkleTree.Resume(head.Size, head.Edge.Chunk(MerkleHash.Size));
        var (outbox, logged) = (head.Outbox, head.Logged);
        var leaves = new List<(long Position, long Entry, long Before, long Through)>();
        var placed = new List<long>();
        var nodes = new List<(int Level, long Index, byte[] Hash)>();
        await using (var pending = new NpgsqlCommand($"SELECT entry, told, logged, leaf, ord FROM pending ORDER BY ord LIMIT {EntriesPerStep}", connection))
        await using (var rows = await pending.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                tree.Append(rows.GetFieldValue<byte[]>(3), (level, index, hash) => nodes.Add((level, index, hash)));
                leaves.Add((tree.Size, rows.GetInt64(0), outbox, outbox += rows.GetInt32(1)));
                placed.Add(rows.GetInt64(4));
                if (rows.GetBoolean(2)) logged = tree.Size;
            }

        var now = EventTime.Now(_time).UnixMilliseconds;
        var sign = _key is not null && tree.Size != head.SignedSize && (head.SignedAt is not { } last || now < last || now - last >= (long)_options.CheckpointEvery.TotalMilliseconds);
        if (leaves.Count == 0 && !sign) return 0;
        await using var batch = new NpgsqlBatch(connection);
        Insert.Rows(batch, "leaf", "position, entry, at, outbox_before, outbox_through", leaves,
            Column.Long<(long Position, long, long, long)>(l => l.Position), Column.Long<(long, long Entry, long, long)>(l => l.Entry), Column.Long<(long, long, long, long)>(_ => now),
            Column.Long<(long, long, long Before, long)>(l => l.Before), Column.Long<(long, long, long, long Through)>(l => l.Through));
        Insert.Run(batch, "DELETE FROM pending WHERE ord = ANY($1)", placed, Column.Long<long>(ord => ord));
        Insert.Rows(batch, "tree", "level, idx, hash", nodes,
            Column.Int<(int Level, long, byte[])>(n => n.Level), Column.Long<(int, long Index, byte[])>(n => n.Index), Column.Bytes<(int, long, byte[] Hash)>(n => n.Hash));
        if (sign) WriteCheckpoint(batch, tree, now);
        var update = new NpgsqlBatchCommand("UPDATE head SET size = $1, edge = $2, outbox = $3, logged = $4, signed_at = $5, signed_size = $6");
        update.Parameters.Add(new() { Value = tree.Size });
        update.Parameters.Add(new() { Value = tree.Edge.SelectMany(h => h).ToArray() });
        update.Parameters.Add(new() { Value = outbox });
        update.Parameters.Add(new() { Value = logged });
        update.Parameters.Add(new() { Value = (object?)(sign ? now : head.SignedAt) ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint });
        update.Parameters.Add(new() { Value = sign ? tree.Size : head.SignedSize });
        batch.BatchCommands.Add(update);
        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return leaves.Count;
    }

    private void WriteCheckpoint(NpgsqlBatch batch, MerkleTree tree, long now)
    {
        var signed = _key!.Sign(_options.Origin, tree);
        var command = new NpgsqlBatchCommand("INSERT INTO checkpoint (size, at, root, note) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING");
        command.Parameters.Add(new() { Value = signed.Size });
        command.Parameters.Add(new() { Value = now });
        command.Parameters.Add(new() { Value = signed.Root });
        command.Parameters.Add(new() { Value = signed.Note });
        batch.BatchCommands.Add(command);
    }

    private static async Task<Head?> LockHeadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(LockHead, connection);
        await using var row = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await row.ReadAsync(cancellationToken).ConfigureAwait(false)
            ? new(row.GetInt64(0), row.GetFieldValue<byte[]>(1), row.GetInt64(2), row.GetInt64(3), Rows.OptionalLong(row, 4), row.GetInt64(5))
            : null;
    }

    /// <summary>Gives the last entries their places where it can; other processes, or the next start, give the rest.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        try
        {
            await DrainAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
        {
            LastFault = fault;
        }

        _key?.Dispose();
        _stop.Dispose();
        _stepping.Dispose();
        _wake.Dispose();
    }
}
