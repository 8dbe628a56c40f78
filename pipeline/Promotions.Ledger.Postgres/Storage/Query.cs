using Npgsql;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>Reads over pooled connections. The server's faults come out as the ledger's.</summary>
internal static class Query
{
    public static T? First<T>(NpgsqlDataSource source, string sql, Func<NpgsqlDataReader, T> read, params object[] values) => Run(source, sql, values, rows => rows.Read() ? read(rows) : default);

    public static IReadOnlyList<T> Many<T>(NpgsqlDataSource source, string sql, Func<NpgsqlDataReader, T> read, params object[] values) => Run(source, sql, values, rows =>
    {
        var found = new List<T>();
        while (rows.Read()) found.Add(read(rows));
        return found;
    });

    public static async ValueTask<T?> FirstAsync<T>(NpgsqlDataSource source, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params object[] values)
    {
        try
        {
            await using var command = Command(source, sql, values);
            await using var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            return await rows.ReadAsync(cancellationToken).ConfigureAwait(false) ? read(rows) : default;
        }
        catch (NpgsqlException fault)
        {
            throw Unreadable(fault);
        }
    }

    private static T Run<T>(NpgsqlDataSource source, string sql, object[] values, Func<NpgsqlDataReader, T> read)
    {
        try
        {
            using var command = Command(source, sql, values);
            using var rows = command.ExecuteReader();
            return read(rows);
        }
        catch (NpgsqlException fault)
        {
            throw Unreadable(fault);
        }
    }

    private static NpgsqlCommand Command(NpgsqlDataSource source, string sql, object[] values)
    {
        var command = source.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return command;
    }

    private static LedgerFaultException Unreadable(NpgsqlException fault) => new("The ledger's database cannot be read: " + fault.Message, fault);
}
