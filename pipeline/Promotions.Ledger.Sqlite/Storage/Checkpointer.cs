namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>Moves the write-ahead log into the database on a thread and connection of its own, so that no decision waits for it.</summary>
/// <remarks>A passive checkpoint never blocks the writer, but it ends behind a writer that goes on: the writer itself moves the last frames now and then
/// (<see cref="Writer"/>), and the log starts again from its beginning.</remarks>
internal sealed class Checkpointer : IDisposable
{
    private readonly Db _db;
    private readonly SemaphoreSlim _wanted = new(0);
    private readonly Thread _thread;
    private volatile bool _closing;
    private SqliteFaultException? _fault;
    private int _phase;   // 0 idle, 1 working, 2 done

    public Checkpointer(string path, string? vfs)
    {
        _db = Db.Open(path, readOnly: false, vfs);
        _db.Execute("PRAGMA synchronous = FULL");
        _db.Execute("PRAGMA wal_autocheckpoint = 0");
        _thread = new(Run) { IsBackground = true, Name = "ledger checkpointer" };
        _thread.Start();
    }

    /// <summary>Asks for a checkpoint; nothing happens while one runs.</summary>
    public void Request()
    {
        if (Interlocked.CompareExchange(ref _phase, 1, 0) == 0) _wanted.Release();
    }

    /// <summary>True once after each checkpoint.</summary>
    /// <exception cref="SqliteFaultException">What went wrong in it.</exception>
    public bool TakeDone()
    {
        if (Interlocked.CompareExchange(ref _phase, 0, 2) != 2) return false;
        return Interlocked.Exchange(ref _fault, null) is { } fault ? throw fault : true;
    }

    private void Run()
    {
        while (true)
        {
            _wanted.Wait();
            if (_closing) return;
            try
            {
                _db.Checkpoint();
            }
            catch (SqliteFaultException fault)
            {
                _fault = fault;   // the writer's to judge
            }

            Volatile.Write(ref _phase, 2);
        }
    }

    public void Dispose()
    {
        _closing = true;
        _wanted.Release();
        _thread.Join();
        _db.Dispose();
        _wanted.Dispose();
    }
}
