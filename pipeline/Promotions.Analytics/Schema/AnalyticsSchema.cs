using System.Globalization;

namespace Promotions.Analytics.Schema;

/// <summary>The tables, in versions. A migration is applied whole before its version is noted; its statements may run again.</summary>
public static class AnalyticsSchema
{
    private static readonly (int Version, string Resource)[] Migrations = [(1, "0001_facts.sql"), (2, "0002_let_through.sql")];

    /// <summary>The newest version that this program knows.</summary>
    public static int Version => Migrations[^1].Version;

    /// <exception cref="InvalidOperationException">The database is of a newer version than this program.</exception>
    public static async Task MigrateAsync(AnalyticsDatabase database, CancellationToken cancellationToken)
    {
        await database.ExecuteAsync("CREATE DATABASE IF NOT EXISTS $database", cancellationToken: cancellationToken);
        await database.ExecuteAsync(
            "CREATE TABLE IF NOT EXISTS $database.schema_migrations (version UInt32, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = MergeTree ORDER BY version",
            cancellationToken: cancellationToken);
        var applied = await database.QueryAsync("SELECT max(version) FROM $database.schema_migrations", null, static row => Convert.ToInt32(row.GetValue(0), CultureInfo.InvariantCulture), cancellationToken);
        if (applied[0] > Version)
            throw new InvalidOperationException($"The ClickHouse database '{database.Name}' is of schema version {applied[0]}; this program knows {Version}. Run a newer program, or rebuild with this one.");

        foreach (var (version, resource) in Migrations)
        {
            if (version <= applied[0]) continue;
            foreach (var statement in SqlText.Read(resource).Split(";\n", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                await database.ExecuteAsync(statement, cancellationToken: cancellationToken);
            await database.ExecuteAsync(
                string.Create(CultureInfo.InvariantCulture, $"INSERT INTO $database.schema_migrations (version) VALUES ({version})"), cancellationToken: cancellationToken);
        }
    }

    /// <summary>Everything goes; the ledger can refill it.</summary>
    public static Task DropAsync(AnalyticsDatabase database, CancellationToken cancellationToken) =>
        database.ExecuteAsync("DROP DATABASE IF EXISTS $database SYNC", cancellationToken: cancellationToken);
}
