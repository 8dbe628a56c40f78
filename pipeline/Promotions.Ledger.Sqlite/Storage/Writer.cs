using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Ledger.Audit;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Writing;

namespace Promotions.Ledger.Sqlite.Storage;

/// <summary>The one thread that writes. Takes what waits (decisions first, then bulk work for at most a slice), evaluates and writes it in one transaction,
/// commits with one fsync, and answers.</summary>
internal sealed class Writer : IDisposable
{
    /// <summary>So many callers are woken by the writer itself: for a few the way through the pool takes longer.</summary>
    private const int AnsweredHereMax = 4;

    private readonly Db _db;
    private readonly SqliteLedgerOptions _options;
    private readonly TimeProvider _time;
    private readonly SqliteState _state;
    private readonly CheckpointSigner _signer;
    private readonly CampaignLookups _lookups;
    private readonly Channel<Request> _decisions;
    private readonly Channel<Request> _bulk;
    private readonly SemaphoreSlim _work = new(0);
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Request> _group = [];
    private readonly Queue<Request> _again = new();
    private readonly List<LedgerEntry> _written = [];

    private readonly Checkpointer _checkpointer;

    private LedgerMachine _machine;
    private EntryWriter _entries;
    private Request? _bulkInWork;
    private long _position;
    private long _logPosition;
    private long _lastLogPosition;
    private CampaignView _campaigns;
    private LedgerFaultException? _stopped;
    private volatile bool _closing;

    private Writer(Db db, string path, SqliteLedgerOptions options, TimeProvider time, CampaignLookups lookups, CheckpointSigner signer)
    {
        (_db, _options, _time, _lookups, _signer) = (db, options, time, lookups, signer);
        _state = new(db);
        (_machine, _entries) = Restart();
        _campaigns = new(1, new Dictionary<string, Campaign>(_state.CurrentCampaigns, StringComparer.Ordinal), lookups);
        _checkpointer = new(path, options);
        var bounded = new BoundedChannelOptions(options.WaitingMax) { SingleReader = true };
        _decisions = Channel.CreateBounded<Request>(bounded);
        _bulk = Channel.CreateBounded<Request>(bounded);
        _thread = new(Run) { IsBackground = true, Name = "ledger writer" };
        _thread.Start();
    }

    public CampaignView Campaigns => Volatile.Read(ref _campaigns);
    public long LastLogPosition => Volatile.Read(ref _lastLogPosition);
    public CheckpointSigner Signer => _signer;

    public static Writer Open(string path, SqliteLedgerOptions options, TimeProvider time, Func<ReaderPool> openReaders)
    {
        var db = WriterConnection.Open(path, options);
        try
        {
            return new(db, path, options, time, new(openReaders()), CheckpointSigner.Open(options.CheckpointKeyPath ?? path + ".audit-key", options.Origin, options.CheckpointEvery));
        }
        catch
        {
            db.Dispose();
            throw;
        }
    }

    /// <exception cref="LedgerFaultException">The writer has stopped.</exception>
    public async ValueTask SendAsync(Request request, Lane lane, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _stopped) is { } stopped) throw new LedgerFaultException(stopped.Message, stopped);
        try
        {
            await (lane is Lane.Decision ? _decisions : _bulk).Writer.WriteAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException closed)
        {
            throw new LedgerFaultException("The ledger is closed.", closed);
        }

        _work.Release();
    }

    private (LedgerMachine, EntryWriter) Restart()
    {
        _position = _db.Scalar("SELECT max(position) FROM entry");
        _logPosition = _lastLogPosition = _db.Scalar("SELECT max(position) FROM entry WHERE topic IS NOT NULL");
        var lastOutbox = _db.Scalar("SELECT max(position) FROM outbox");
        var tree = MerkleTree.Resume(_position, new MerkleTables(_db).Edge(_position));
        return (new(_state, _time, _db.Scalar("SELECT recorded_at FROM entry ORDER BY position DESC LIMIT 1")), new(_db, _state, tree, lastOutbox));
    }

    private void Run()
    {
        while (true)
        {
            if (_bulkInWork is null)
            {
                _work.Wait();
                while (_work.Wait(0)) { }   // one wake for all that waits
            }

            Group();
            if (_group.Count == 0 && _bulkInWork is null && _closing && !_decisions.Reader.TryPeek(out _) && !_bulk.Reader.TryPeek(out _)) break;
        }

        _ended.SetResult();
    }

    /// <summary>Runs transactions until nothing waits.</summary>
    private void Group()
    {
        do
        {
            _group.Clear();
            _written.Clear();
            if (_stopped is null) Transact();
            else RefuseAll(_stopped);
        }
        while (_group.Count > 0 || _bulkInWork is not null);
    }

    private void Transact()
    {
        try
        {
            while (!TryWorkGroup()) { }
            if (_group.Count == 0) return;
            _entries.Flush();
            SignWhenDue();
            _db.Execute("COMMIT");
        }
        catch (Exception fault)
        {
            Fail(fault);
            return;
        }

        Publish();
        Answer();
        _state.Trim();
        MoveLog();
    }

    /// <summary>Works on all that waits, in one transaction that is left open.</summary>
    /// <returns>False: one request failed by its own doing, a callback that threw or a broken invariant. It alone is told; the others stand in
    /// <see cref="_again"/>, as if they had not begun.</returns>
    private bool TryWorkGroup()
    {
        Request? current = null;
        try
        {
            var weight = 0;
            while (weight < _options.CommandsPerCommitMax && (_again.TryDequeue(out current) || _decisions.Reader.TryRead(out current)))
            {
                Join(current);
                weight += current.Weight;
                Work(current);
            }

            if (_bulkInWork is not null || _bulk.Reader.TryRead(out _bulkInWork))
            {
                current = _bulkInWork;
                Join(current);
                WorkBulk(current);
            }

            return true;
        }
        catch (Exception fault) when (fault is not SqliteFaultException && current is not null)
        {
            RollBack();
            if (_bulkInWork is not null && _group[^1] == _bulkInWork) _group.RemoveAt(_group.Count - 1);   // it begins its slice again by itself
            if (current == _bulkInWork) _bulkInWork = null;
            else _bulkInWork?.Rewind();
            _group.Remove(current);
            foreach (var request in _group)
            {
                request.Rewind();
                _again.Enqueue(request);
            }

            _group.Clear();
            _written.Clear();
            current.Failed(new LedgerFaultException("The request failed and nothing of it is recorded: " + fault.Message, fault));
            return false;
        }
    }

    private void Join(Request request)
    {
        if (_group.Count == 0) _db.Execute("BEGIN IMMEDIATE");
        _group.Add(request);
    }

    /// <summary>A large group is answered from the pool, by one wake of it, while this thread goes on. Bulk work, always the last of its group, is told here, so
    /// that its progress counts up.</summary>
    private void Answer()
    {
        var decisions = CollectionsMarshal.AsSpan(_group);
        if (_bulkInWork is { } bulk)
        {
            decisions = decisions[..^1];
            bulk.Committed();
            if (bulk.IsFinished) _bulkInWork = null;
        }

        if (decisions.Length > AnsweredHereMax)
            ThreadPool.UnsafeQueueUserWorkItem(static group => Array.ForEach(group, r => r.Committed()), decisions.ToArray(), preferLocal: false);
        else
            foreach (var request in decisions) request.Committed();
    }

    /// <summary>After the answers are out. A log that cannot be moved only grows; a disk that fails stops the writer.</summary>
    private void MoveLog()
    {
        try
        {
            _checkpointer.AfterCommit(_db);
        }
        catch (SqliteFaultException fault)
        {
            Volatile.Write(ref _stopped, new LedgerFaultException("The ledger's log could not be moved into its file: " + fault.Message, fault));
        }
    }

    private void WorkBulk(Request bulk)
    {
        var started = Stopwatch.GetTimestamp();
        do
        {
            if (bulk is ExecuteRequest many) many.Answer(Evaluate(many.Next));
            else Work(bulk);
        }
        while (!bulk.IsFinished && Stopwatch.GetElapsedTime(started) < _options.BulkSlice);
    }

    private void Work(Request request)
    {
        switch (request)
        {
            case CommitRequest commit: Work(commit); break;
            case ExecuteRequest execute:
                while (!execute.IsFinished) execute.Answer(Evaluate(execute.Next));
                break;
            case SettingRequest setting: Work(setting); break;
            default: throw new InvalidOperationException(request.GetType().Name);
        }
    }

    private LedgerOutcome Evaluate(PreparedCommand command)
    {
        var (outcome, entry) = _machine.Evaluate(command, _position + 1);
        if (entry is not null) Write(entry, command);
        return outcome;
    }

    private void Work(CommitRequest commit)
    {
        var outcomes = new LedgerOutcome?[commit.Batch.Length];
        for (var i = 0; i < outcomes.Length; i++) outcomes[i] = Append(commit.Batch[i]);
        var follow = commit.FollowUps(outcomes);
        var records = follow.Count == 0 ? [] : new LogRecord[follow.Count];
        for (var i = 0; i < records.Length; i++)
        {
            var append = follow[i];
            Append(PreparedAppend.From(append));
            records[i] = new(_position, append.Topic, append.Key, append.Value, append.At, append.StateHash);
        }

        commit.Receipt = new(_logPosition, outcomes, records);
    }

    private LedgerOutcome? Append(PreparedAppend append)
    {
        var (outcome, entry, command) = _machine.Append(append, _position + 1);
        if (entry is not null) Write(entry, command);
        return outcome;
    }

    private void Write(LedgerEntry entry, PreparedCommand? command)
    {
        _entries.Write(entry, command);
        _position = entry.Position;
        if (entry.Topic is not null) _logPosition = _position;
        if (entry.Coupons.Length > 0 || entry.Arms.Length > 0 || entry.Campaign is not null) _written.Add(entry);
    }

    private void Work(SettingRequest setting)
    {
        if (setting.Actor != Actor.System) Write(_machine.AppendSetting(setting.Actor, setting.Scope, setting.Name, setting.Value, _position + 1), null);
        if (setting.Value is null) _db.Prepare("DELETE FROM setting WHERE scope = ? AND name = ?").Bind(1, setting.Scope).Bind(2, setting.Name).Run();
        else _db.Prepare("INSERT INTO setting VALUES (?, ?, ?) ON CONFLICT (scope, name) DO UPDATE SET value = excluded.value")
            .Bind(1, setting.Scope).Bind(2, setting.Name).Bind(3, setting.Value).Run();
        _state.PutSetting(setting.Scope, setting.Name, setting.Value);
        setting.Worked();
    }

    private void SignWhenDue()
    {
        var now = EventTime.Now(_time);
        if (!_signer.IsDue(now, _entries.Tree.Size)) return;
        var signed = _signer.Sign(now, _entries.Tree);
        _db.Prepare("INSERT INTO checkpoint VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING").Bind(1, signed.Size).Bind(2, now.UnixMilliseconds).Bind(3, signed.Root).Bind(4, signed.Note).Run();
    }

    private void Publish()
    {
        Volatile.Write(ref _lastLogPosition, _logPosition);
        if (_written.Count == 0) return;
        _lookups.Publish(_written);
        var old = Campaigns;
        var next = _written.Any(e => e.Campaign is not null)
            ? new CampaignView(old.Revision + 1, new Dictionary<string, Campaign>(_state.CurrentCampaigns, StringComparer.Ordinal), _lookups)
            : _written.Any(e => e.Coupons.Length > 0) ? old.Next() : old;
        Volatile.Write(ref _campaigns, next);
    }

    /// <summary>The disk or the file failed. Nothing of the group counts: roll back, forget all that is in memory, tell everyone. Damage or a failed write or sync stops the writer for good.</summary>
    private void Fail(Exception fault)
    {
        var told = new LedgerFaultException("The ledger could not commit: " + fault.Message, fault) { OutOfRoom = fault is SqliteFaultException { Code: SQLitePCL.raw.SQLITE_FULL } };
        try
        {
            RollBack();
        }
        catch (Exception second) when (second is SqliteFaultException or LedgerFaultException)
        {
            Volatile.Write(ref _stopped, told);
        }

        if (fault is SqliteFaultException { IsFatal: true }) Volatile.Write(ref _stopped, told);
        foreach (var request in _group) request.Failed(told);
        while (_again.TryDequeue(out var request)) request.Failed(told);
        _bulkInWork = null;
    }

    private void RollBack()
    {
        if (_db.InTransaction) _db.Execute("ROLLBACK");
        _entries.Forget();
        _state.Reload();
        (_machine, _entries) = Restart();
    }

    private void RefuseAll(LedgerFaultException fault)
    {
        while (_decisions.Reader.TryRead(out var request)) request.Failed(fault);
        while (_bulk.Reader.TryRead(out var request)) request.Failed(fault);
        _bulkInWork?.Failed(fault);
        _bulkInWork = null;
    }

    /// <summary>Only while nothing is handed in: the connection is the writer thread's.</summary>
    public void Set(string pragma) => _db.Execute("PRAGMA " + pragma);

    /// <summary>Works off what was handed in; later requests are refused.</summary>
    public async ValueTask DrainAsync()
    {
        if (!_closing)
        {
            _decisions.Writer.TryComplete();
            _bulk.Writer.TryComplete();
            _closing = true;
            _work.Release();
        }

        await _ended.Task.ConfigureAwait(false);
    }

    /// <summary>Once the readers are closed: the last connection moves the write-ahead log into the file.</summary>
    public void Dispose()
    {
        _checkpointer.Dispose();
        _db.Dispose();
        _signer.Dispose();
        _work.Dispose();
    }
}
