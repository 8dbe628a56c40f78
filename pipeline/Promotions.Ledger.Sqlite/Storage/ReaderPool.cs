using System.Collections.Concurrent;
using System.Globalization;

namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>A few read-only connections. Each read is one statement or one short transaction, so that checkpoints advance.</summary>
internal sealed class ReaderPool : IDisposable
{
    private readonly ConcurrentBag<Db> _idle = [];
    private readonly SemaphoreSlim _free;
    private readonly List<Db> _all = [];

    public ReaderPool(string path, int count, string? vfs)
    {
        _free = new(count, count);
        for (var i = 0; i < count; i++)
        {
            var db = Db.Open(path, readOnly: true, vfs);
            db.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA cache_size = {-8 * 1024}"));
            db.Execute("PRAGMA query_only = 1");
            _all.Add(db);
            _idle.Add(db);
        }
    }

    /// <exception cref="LedgerFaultException">The database cannot be read.</exception>
    public T Read<T>(Func<Db, T> read)
    {
        _free.Wait();
        Db? db = null;
        try
        {
            if (!_idle.TryTake(out db)) throw new InvalidOperationException("A free reader must be idle.");
            return read(db);
        }
        catch (SqliteFaultException fault)
        {
            throw new LedgerFaultException("The ledger cannot be read: " + fault.Message, fault);
        }
        finally
        {
            if (db is not null) _idle.Add(db);
            _free.Release();
        }
    }

    /// <summary>Several statements over one moment of the database.</summary>
    public T ReadMoment<T>(Func<Db, T> read) => Read(db =>
    {
        db.Execute("BEGIN");
        try
        {
            return read(db);
        }
        finally
        {
            db.Execute("ROLLBACK");
        }
    });

    public void Dispose()
    {
        foreach (var db in _all) db.Dispose();
        _free.Dispose();
    }
}
