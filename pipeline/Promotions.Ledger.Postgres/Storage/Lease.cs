using Npgsql;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>A row of <c>lease</c>, judged by the database's clock, and its epoch among those of tasks: whoever takes the name raises it, so that what an earlier holder still writes
/// is refused as an owner's whose task was acquired.</summary>
internal sealed class Lease : ILease
{
    private const int RenewalsPerTerm = 3;

    private readonly NpgsqlDataSource _source;
    private readonly TimeSpan _term;
    private readonly TimeProvider _time;
    private readonly long _epoch;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _renewing;
    private long _renewed;
    private int _disposed;

    private Lease(NpgsqlDataSource source, string name, long epoch, long asked, TimeSpan term, TimeProvider time, Func<TaskEpoch, ISettingsStore> settings)
    {
        (_source, Name, _epoch, _renewed, _term, _time) = (source, name, epoch, asked, term, time);
        Settings = settings(new(TaskOf(name), epoch));
        _renewing = Task.Run(RenewAsync);
    }

    public string Name { get; }
    public CancellationToken Lost => _lost.Token;
    public ISettingsStore Settings { get; }

    /// <summary>Apart from all tasks, which are names of sub-topologies.</summary>
    private static string TaskOf(string name) => "lease/" + name;

    public static async Task<Lease> WaitAsync(
        NpgsqlDataSource source, string name, string holder, TimeSpan term, TimeProvider time, Func<TaskEpoch, ISettingsStore> settings, CancellationToken cancellationToken)
    {
        while (true)
        {
            var asked = time.GetTimestamp();
            try
            {
                if (await TakeAsync(source, name, holder, term, cancellationToken).ConfigureAwait(false) is { } epoch) return new(source, name, epoch, asked, term, time, settings);
            }
            catch (Exception fault) when (IsPassing(fault))
            {
                // The server is away or busy: as good as held by another.
            }
            catch (NpgsqlException fault)
            {
                throw new LedgerFaultException($"The lease {name} cannot be taken: {fault.Message}", fault);
            }

            await Task.Delay(term / RenewalsPerTerm, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<long?> TakeAsync(NpgsqlDataSource source, string name, string holder, TimeSpan term, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand("""
            WITH taken AS (
                INSERT INTO lease AS l (name, holder, epoch, until) VALUES ($1, $2, 1, clock_timestamp() + $3)
                ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = l.epoch + 1, until = excluded.until WHERE l.until < clock_timestamp()
                RETURNING epoch)
            INSERT INTO partition_epoch AS e (task, epoch) SELECT $4, epoch FROM taken
            ON CONFLICT (task) DO UPDATE SET epoch = excluded.epoch, raised_at = clock_timestamp() RETURNING epoch
            """);
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = holder });
        command.Parameters.Add(new() { Value = term });
        command.Parameters.Add(new() { Value = TaskOf(name) });
        return (long?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task RenewAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(_term / RenewalsPerTerm, _time, _stop.Token).ConfigureAwait(false);
                var asked = _time.GetTimestamp();
                try
                {
                    if (!await ExtendAsync(_term, _stop.Token).ConfigureAwait(false)) break;
                    _renewed = asked;
                }
                catch (Exception fault) when (IsPassing(fault))
                {
                    // Tried again until the term is over.
                }

                if (_time.GetElapsedTime(_renewed) >= _term) break;
            }

        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Given up by its holder.
        }
        finally
        {
            await _lost.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <returns>False: another has taken it.</returns>
    private async Task<bool> ExtendAsync(TimeSpan by, CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand("UPDATE lease SET until = clock_timestamp() + $3 WHERE name = $1 AND epoch = $2");
        command.Parameters.Add(new() { Value = Name });
        command.Parameters.Add(new() { Value = _epoch });
        command.Parameters.Add(new() { Value = by });
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) > 0;
    }

    private static bool IsPassing(Exception fault) =>
        fault is (NpgsqlException or TimeoutException or IOException) and not PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.UndefinedTable };

    /// <summary>Frees the name for the next.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _renewing.ConfigureAwait(false);
        try
        {
            await ExtendAsync(-_term, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception fault) when (IsPassing(fault) || fault is ObjectDisposedException)
        {
            // It ends by itself.
        }

        _stop.Dispose();
    }
}
