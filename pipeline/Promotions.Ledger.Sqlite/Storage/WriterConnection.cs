using System.Globalization;

namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>The one connection that writes, with the settings that a commit's durability rests on.</summary>
internal static class WriterConnection
{
    /// <summary>Opens or makes the file and brings its schema forward.</summary>
    /// <exception cref="LedgerFaultException">SQLite is too old, a setting did not take, or the file is not ours.</exception>
    public static Db Open(string path, SqliteLedgerOptions options)
    {
        var db = Db.Open(path, readOnly: false, options.Vfs);
        try
        {
            Configure(db, path, options);
            Schema.Migrate(db, path);
            return db;
        }
        catch
        {
            db.Dispose();
            throw;
        }
    }

    private static void Configure(Db db, string path, SqliteLedgerOptions options)
    {
        // Below 3.51.3 a reset of the write-ahead log with two connections can corrupt the file.
        var version = db.ScalarText("SELECT sqlite_version()") ?? "0";
        if (Version.Parse(version) < new Version(3, 51, 3)) throw new LedgerFaultException($"SQLite {version} is too old: 3.51.3 or later is needed.");
        if (db.ScalarText("PRAGMA journal_mode = WAL") != "wal") throw new LedgerFaultException($"{path} cannot use a write-ahead log; is it on a network drive?");
        db.Execute("PRAGMA synchronous = FULL");
        if (db.Scalar("PRAGMA synchronous") != 2) throw new LedgerFaultException("synchronous=FULL did not take: commits would not be durable.");
        db.Execute("PRAGMA foreign_keys = 1");
        db.Execute("PRAGMA trusted_schema = 0");
        db.Execute("PRAGMA mmap_size = 0");
        db.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA cache_size = {-options.CacheKiB}"));
        db.Execute("PRAGMA wal_autocheckpoint = 0");   // the checkpointer's work
        db.Execute("PRAGMA journal_size_limit = 67108864");
    }
}
