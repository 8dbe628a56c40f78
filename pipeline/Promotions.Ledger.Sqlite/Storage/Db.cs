using System.Buffers;
using System.Text;
using SQLitePCL;

namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>A result code of SQLite that is not a success.</summary>
internal sealed class SqliteFaultException(int code, string message) : Exception($"SQLite {code}: {message}")
{
    /// <summary>The primary code: the low byte.</summary>
    public int Code => code & 0xff;

    /// <summary>The disk or the file is not to be trusted any more: the writer stops instead of trying again.</summary>
    public bool IsFatal => Code is raw.SQLITE_IOERR or raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB;
}

/// <summary>One connection. Not thread-safe. Statements are prepared once and kept.</summary>
internal sealed class Db : IDisposable
{
    private readonly sqlite3 _handle;
    private readonly Dictionary<string, Statement> _statements = new(StringComparer.Ordinal);

    static Db() => Batteries_V2.Init();

    private Db(sqlite3 handle) => _handle = handle;

    internal sqlite3 Handle => _handle;

    public static Db Open(string path, bool readOnly, string? vfs = null)
    {
        var flags = (readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE) | raw.SQLITE_OPEN_NOMUTEX;
        var code = raw.sqlite3_open_v2(path, out var handle, flags, vfs);
        if (code != raw.SQLITE_OK)
        {
            var message = handle is null ? "cannot open" : raw.sqlite3_errmsg(handle).utf8_to_string();
            handle?.Dispose();
            throw new SqliteFaultException(code, $"{message} ({path})");
        }

        var db = new Db(handle);
        raw.sqlite3_extended_result_codes(handle, 1);
        raw.sqlite3_busy_timeout(handle, 5_000);
        return db;
    }

    public void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>The statement for this text, prepared at its first use.</summary>
    public Statement Prepare(string sql)
    {
        if (_statements.TryGetValue(sql, out var known)) return known;
        Check(raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var handle));
        var statement = new Statement(this, handle);
        _statements.Add(sql, statement);
        return statement;
    }

    public long Scalar(string sql)
    {
        var statement = Prepare(sql);
        using (statement.Scope()) return statement.Step() ? statement.Long(0) : 0;
    }

    public string? ScalarText(string sql)
    {
        var statement = Prepare(sql);
        using (statement.Scope()) return statement.Step() ? statement.Text(0) : null;
    }

    /// <summary>Moves what it can without waiting for anyone.</summary>
    /// <returns>Frames in the write-ahead log, and how many of them are in the database now.</returns>
    public (int Frames, int Moved) Checkpoint()
    {
        var code = raw.sqlite3_wal_checkpoint_v2(_handle, "main", raw.SQLITE_CHECKPOINT_PASSIVE, out var frames, out var moved);
        if (code is not (raw.SQLITE_OK or raw.SQLITE_BUSY)) Throw(code);
        return (frames, moved);
    }

    /// <summary>Pages that this connection has written to the log since the last call.</summary>
    public int TakePagesWritten()
    {
        Check(raw.sqlite3_db_status(_handle, CacheWrite, out var pages, out _, 1));
        return pages;
    }

    private const int CacheWrite = 9;   // SQLITE_DBSTATUS_CACHE_WRITE

    public bool InTransaction => raw.sqlite3_get_autocommit(_handle) == 0;
    public int Changes => raw.sqlite3_changes(_handle);

    public void Check(int code)
    {
        if (code != raw.SQLITE_OK) Throw(code);
    }

    internal void Throw(int code) => throw new SqliteFaultException(code, raw.sqlite3_errmsg(_handle).utf8_to_string());

    public void Dispose()
    {
        foreach (var statement in _statements.Values) statement.Dispose();
        _statements.Clear();
        _handle.Dispose();
    }
}

/// <summary>A prepared statement. Bind from 1, read columns from 0, and leave the scope to reset it.</summary>
internal sealed class Statement(Db db, sqlite3_stmt handle) : IDisposable
{
    public Reset Scope() => new(this);

    public bool Step()
    {
        var code = raw.sqlite3_step(handle);
        if (code == raw.SQLITE_ROW) return true;
        if (code != raw.SQLITE_DONE) db.Throw(code);
        return false;
    }

    /// <summary>Runs a statement that returns nothing, and resets it.</summary>
    public void Run()
    {
        var code = raw.sqlite3_step(handle);
        raw.sqlite3_reset(handle);
        if (code is not (raw.SQLITE_DONE or raw.SQLITE_ROW)) db.Throw(code);
    }

    public Statement Bind(int index, long value)
    {
        db.Check(raw.sqlite3_bind_int64(handle, index, value));
        return this;
    }

    public Statement Bind(int index, long? value)
    {
        if (value is { } number) return Bind(index, number);
        db.Check(raw.sqlite3_bind_null(handle, index));
        return this;
    }

    public Statement Bind(int index, string? value)
    {
        if (value is null) db.Check(raw.sqlite3_bind_null(handle, index));
        else if (value.Length == 0) db.Check(raw.sqlite3_bind_text(handle, index, value));   // an empty span would bind NULL
        else if (value.Length <= 256)
        {
            Span<byte> utf8 = stackalloc byte[value.Length * 3];
            var length = Encoding.UTF8.GetBytes(value, utf8);
            db.Check(raw.sqlite3_bind_text(handle, index, utf8[..length]));
        }
        else
        {
            var rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(value.Length));
            var length = Encoding.UTF8.GetBytes(value, rented);
            db.Check(raw.sqlite3_bind_text(handle, index, rented.AsSpan(0, length)));
            ArrayPool<byte>.Shared.Return(rented);
        }

        return this;
    }

    public Statement Bind(int index, ReadOnlySpan<byte> value)
    {
        db.Check(value.IsEmpty ? raw.sqlite3_bind_zeroblob(handle, index, 0) : raw.sqlite3_bind_blob(handle, index, value));
        return this;
    }

    public bool IsNull(int column) => raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL;
    public long Long(int column) => raw.sqlite3_column_int64(handle, column);
    public int Int(int column) => checked((int)raw.sqlite3_column_int64(handle, column));
    public long? OptionalLong(int column) => IsNull(column) ? null : Long(column);
    public string Text(int column) => raw.sqlite3_column_text(handle, column).utf8_to_string() ?? "";
    public string? OptionalText(int column) => IsNull(column) ? null : Text(column);
    public byte[] Blob(int column) => raw.sqlite3_column_blob(handle, column).ToArray();

    /// <summary>Valid until the next step.</summary>
    public ReadOnlySpan<byte> BlobSpan(int column) => raw.sqlite3_column_blob(handle, column);

    public void Dispose() => handle.Dispose();

    internal readonly struct Reset(Statement statement) : IDisposable
    {
        public void Dispose() => statement.ResetNow();
    }

    private void ResetNow() => raw.sqlite3_reset(handle);
}
