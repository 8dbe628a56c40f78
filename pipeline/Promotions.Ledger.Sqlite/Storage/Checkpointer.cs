namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>Moves the write-ahead log into the database on a thread and connection of its own, so that no decision waits for it.</summary>
/// <remarks>A passive checkpoint never blocks the writer, but it ends behind a writer that goes on: the writer itself moves the last frames now and then
/// (<see cref="AfterCommit"/>), and the log starts again from its beginning.</remarks>
internal sealed class Checkpointer : IDisposable
{
    /// <summary>The writer moves the last frames itself after so many checkpoints beside it. The sync of the file that this takes holds decisions up by 5 ms at the
    /// middle, however few the frames are, so it is rare: every 64 MiB of log, not every 16.</summary>
    private const int WalRounds = 4;

    private readonly Db _db;
    private readonly int _pages;
    private readonly SemaphoreSlim _wanted = new(0);
    private readonly Thread _thread;
    private volatile bool _closing;
    private SqliteFaultException? _fault;
    private int _phase;   // 0 idle, 1 working, 2 done
    private int _logPages;   // the writer's, like the next one: pages since the log began
    private int _askAt;

    public Checkpointer(string path, SqliteLedgerOptions options)
    {
        _pages = _askAt = options.WalPages;
        _db = Db.Open(path, readOnly: false, options.Vfs);
        _db.Execute("PRAGMA synchronous = FULL");
        _db.Execute("PRAGMA wal_autocheckpoint = 0");
        _thread = new(Run) { IsBackground = true, Name = "ledger checkpointer" };
        _thread.Start();
    }

    /// <summary>On the writer's thread, between two transactions: asks for a checkpoint when one is due, and takes the writer's turn.</summary>
    /// <exception cref="SqliteFaultException">The disk failed, here or beside: fatal. A full one is no fault; it is asked again later, and what is in the log is durable.</exception>
    public void AfterCommit(Db writer)
    {
        _logPages += writer.TakePagesWritten();
        try
        {
            if (TakeDone())
            {
                if (_logPages >= _pages * WalRounds)
                {
                    var (frames, moved) = writer.Checkpoint();
                    _logPages = frames - moved;
                }

                _askAt = _logPages + _pages;
            }
            else if (_logPages >= _askAt && Interlocked.CompareExchange(ref _phase, 1, 0) == 0)
            {
                _wanted.Release();
            }
        }
        catch (SqliteFaultException fault) when (!fault.IsFatal)
        {
            _askAt = _logPages + _pages;
        }
    }

    /// <summary>True once after each checkpoint.</summary>
    /// <exception cref="SqliteFaultException">What went wrong in it.</exception>
    private bool TakeDone()
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
