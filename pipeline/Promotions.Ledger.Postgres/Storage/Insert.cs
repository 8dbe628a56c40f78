using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>One column of a set of rows, as the array parameter of one statement.</summary>
internal static class Column
{
    public static Func<IReadOnlyList<T>, NpgsqlParameter> Long<T>(Func<T, long?> of) => Of(of, NpgsqlDbType.Bigint);
    public static Func<IReadOnlyList<T>, NpgsqlParameter> Int<T>(Func<T, int> of) => Of(of, NpgsqlDbType.Integer);
    public static Func<IReadOnlyList<T>, NpgsqlParameter> Short<T>(Func<T, short> of) => Of(of, NpgsqlDbType.Smallint);
    public static Func<IReadOnlyList<T>, NpgsqlParameter> Bool<T>(Func<T, bool> of) => Of(of, NpgsqlDbType.Boolean);
    public static Func<IReadOnlyList<T>, NpgsqlParameter> Text<T>(Func<T, string?> of) => Of(of, NpgsqlDbType.Text);
    public static Func<IReadOnlyList<T>, NpgsqlParameter> Bytes<T>(Func<T, ReadOnlyMemory<byte>> of) => Of(of, NpgsqlDbType.Bytea);

    private static Func<IReadOnlyList<T>, NpgsqlParameter> Of<T, TValue>(Func<T, TValue> of, NpgsqlDbType type) => rows =>
    {
        var values = new TValue[rows.Count];
        for (var i = 0; i < values.Length; i++) values[i] = of(rows[i]);
        return new NpgsqlParameter { Value = values, NpgsqlDbType = NpgsqlDbType.Array | type };
    };
}

/// <summary>Set-based statements: one a table, whatever the number of rows; none for no rows.</summary>
internal static class Insert
{
    public static void Rows<T>(NpgsqlBatch batch, string table, string columns, IEnumerable<T> rows, params ReadOnlySpan<Func<IReadOnlyList<T>, NpgsqlParameter>> of)
    {
        var parameters = string.Join(", ", Enumerable.Range(1, of.Length).Select(n => "$" + n.ToString(CultureInfo.InvariantCulture)));
        Run(batch, $"INSERT INTO {table} ({columns}) SELECT * FROM unnest({parameters})", rows, of);
    }

    public static void Run<T>(NpgsqlBatch batch, string sql, IEnumerable<T> rows, params ReadOnlySpan<Func<IReadOnlyList<T>, NpgsqlParameter>> of)
    {
        var all = rows as IReadOnlyList<T> ?? [.. rows];
        if (all.Count == 0) return;
        var command = new NpgsqlBatchCommand(sql);
        foreach (var column in of) command.Parameters.Add(column(all));
        batch.BatchCommands.Add(command);
    }
}
