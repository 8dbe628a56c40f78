namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>Moves the write-ahead log into the database on a thread and connection of its own, so that no decision waits for it.</summary>
/// <remarks>A passive checkpoint never blocks the writer, but while the writer appends it never ends either: after a few passes little is left, and the
/// writer itself moves the rest between two transactions. Then the log starts again from its beginning.</remarks>
internal sealed class Checkpointer : IDisposable
{
    private const int PassesMax = 4;
    private const int FramesLeft = 256;

    private readonly Db _db;
    private readonly SemaphoreSlim _wanted = new(0);
    private readonly Thread _thread;
    private volatile bool _closing;
    private int _phase;   // 0 idle, 1 working, 2 the writer's turn

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

    /// <summary>True once after each checkpoint: the writer moves what is left.</summary>
    public bool TakeTurn() => Interlocked.CompareExchange(ref _phase, 0, 2) == 2;

    private void Run()
    {
        while (true)
        {
            _wanted.Wait();
            if (_closing) return;
            try
            {
                for (var pass = 0; pass < PassesMax; pass++)
                {
                    var (frames, moved) = _db.Checkpoint();
                    if (frames - moved < FramesLeft) break;
                }
            }
            catch (SqliteFaultException)
            {
                // The writer's own turn meets the same fault, where it stops the ledger if it must.
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
