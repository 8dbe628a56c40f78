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

    private static T Run<T>(NpgsqlDataSource source, string sql, object[] values, Func<NpgsqlDataReader, T> read)
    {
        try
        {
            using var command = source.CreateCommand(sql);
            foreach (var value in values) command.Parameters.Add(new() { Value = value });
            using var rows = command.ExecuteReader();
            return read(rows);
        }
        catch (NpgsqlException fault)
        {
            throw new LedgerFaultException("The ledger's database cannot be read: " + fault.Message, fault);
        }
    }
}
