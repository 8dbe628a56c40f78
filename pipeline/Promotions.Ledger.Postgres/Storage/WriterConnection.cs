using Npgsql;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>The writer's own connection, opened again when it is lost; tells what became of a commit whose answer never came.</summary>
internal sealed class WriterConnection(NpgsqlDataSource source) : IAsyncDisposable
{
    private const int ResolveTriesMax = 500;
    private static readonly TimeSpan ResolveEvery = TimeSpan.FromMilliseconds(20);

    private NpgsqlConnection? _connection;
    private int _backend;
    private DateTime _backendStart;

    public async Task<NpgsqlConnection> GetAsync(CancellationToken cancellationToken)
    {
        if (_connection is { FullState: System.Data.ConnectionState.Open }) return _connection;
        await DropAsync().ConfigureAwait(false);
        var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var who = new NpgsqlCommand("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()", connection);
            await using var row = await who.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await row.ReadAsync(cancellationToken).ConfigureAwait(false);
            (_backend, _backendStart) = (row.GetInt32(0), row.GetDateTime(1));
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return _connection = connection;
    }

    /// <summary>Takes the open transaction back; a connection that cannot do even that is dropped, and the server takes it back.</summary>
    public async Task RollBackAsync()
    {
        if (_connection is not { FullState: System.Data.ConnectionState.Open } connection) return;
        try
        {
            await using var command = new NpgsqlCommand("ROLLBACK", connection);
            await command.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is NpgsqlException or InvalidOperationException)
        {
            await DropAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Whether the transaction of this entry was committed, when the connection broke before its answer came. The old backend is ended first: while it lives, it may
    /// commit yet.</summary>
    /// <exception cref="LedgerFaultException">The old backend does not end: it stays unknown.</exception>
    public async Task<bool> WasCommittedAsync(long entry, CancellationToken cancellationToken)
    {
        var (backend, start) = (_backend, _backendStart);
        await DropAsync().ConfigureAwait(false);
        var connection = await GetAsync(cancellationToken).ConfigureAwait(false);
        for (var tries = 0; tries < ResolveTriesMax; tries++)
        {
            await using var end = new NpgsqlCommand("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2", connection);
            end.Parameters.Add(new() { Value = backend });
            end.Parameters.Add(new() { Value = start });
            if (await end.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is null)
            {
                await using var look = new NpgsqlCommand("SELECT count(*) FROM entry WHERE id = $1", connection);
                look.Parameters.Add(new() { Value = entry });
                return (long)(await look.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))! > 0;
            }

            await Task.Delay(ResolveEvery, cancellationToken).ConfigureAwait(false);
        }

        throw new LedgerFaultException("It is unknown whether the ledger committed: the server process of the lost connection does not end. Look up by id.");
    }

    /// <summary>Closes the connection itself, not into the pool: its session may be broken.</summary>
    public async Task DropAsync()
    {
        if (_connection is not { } connection) return;
        _connection = null;
        NpgsqlConnection.ClearPool(connection);
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync() => await DropAsync().ConfigureAwait(false);
}
