using Npgsql;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>Raises the epochs of tasks. A decision transaction holds a share of its tasks' rows to its end, so a raise waits for it.</summary>
internal sealed class Epochs(NpgsqlDataSource source, PostgresLedgerOptions options)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(100);

    /// <remarks>A raise whose answer was lost is made again: an epoch more does no harm.</remarks>
    public async Task<TaskEpoch> RaiseAsync(string task, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var command = source.CreateCommand(
                    "INSERT INTO partition_epoch AS e (task, epoch) VALUES ($1, 1) ON CONFLICT (task) DO UPDATE SET epoch = e.epoch + 1, raised_at = clock_timestamp() RETURNING epoch");
                command.Parameters.Add(new() { Value = task });
                return new(task, (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!);
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
            {
                if (attempt >= options.AttemptsMax || fault is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege })
                    throw new LedgerFaultException($"{task} cannot be acquired: {fault.Message}", fault);
                await Task.Delay(RetryAfter, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
