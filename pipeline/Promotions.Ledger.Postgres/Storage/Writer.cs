using System.Diagnostics;
using System.Threading.Channels;
using Npgsql;
using Promotions.Ledger.Writing;

namespace Promotions.Ledger.Postgres.Storage;

/// <summary>This process's one stream of transactions: what arrives while one is under way forms the next (decisions first, then a slice of bulk work). Other processes have
/// theirs; row locks and unique keys keep them apart.</summary>
internal sealed class Writer : IAsyncDisposable
{
    /// <summary>A slice of bulk work writes at most so many coupons.</summary>
    private const int BulkCouponsMax = 5_000;

    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(2);

    private readonly PostgresLedgerOptions _options;
    private readonly TimeProvider _time;
    private readonly CampaignCatalog _catalog;
    private readonly WriterConnection _connection;
    private readonly string _shard;
    private readonly Action _committed;
    private readonly Channel<Request> _decisions;
    private readonly Channel<Request> _bulk;
    private readonly SemaphoreSlim _work = new(0);
    private readonly Queue<Request> _again = new();
    private readonly List<Request> _group = [];
    private readonly NumberSet _numbers = new();
    private readonly Plans _plans = new();
    private readonly Task _running;

    private Request? _bulkInWork;
    private LastWritten _last;
    private long _began;   // of the group's first attempt
    private int _single;   // so many groups hold one request only: one of them spoilt the group before
    private volatile bool _closing;

    public Writer(NpgsqlDataSource source, PostgresLedgerOptions options, TimeProvider time, CampaignCatalog catalog, string shard, LastWritten last, Action committed)
    {
        (_options, _time, _catalog, _shard, _last, _committed) = (options, time, catalog, shard, last, committed);
        _connection = new(source);
        var bounded = new BoundedChannelOptions(options.WaitingMax) { SingleReader = true };
        _decisions = Channel.CreateBounded<Request>(bounded);
        _bulk = Channel.CreateBounded<Request>(bounded);
        _running = Task.Run(RunAsync);
    }

    /// <exception cref="LedgerFaultException">The ledger is closed.</exception>
    public async ValueTask SendAsync(Request request, Lane lane, CancellationToken cancellationToken)
    {
        try
        {
            await (lane is Lane.Decision ? _decisions : _bulk).Writer.WriteAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException closed)
        {
            throw new LedgerFaultException(closed.InnerException?.Message ?? "The ledger is closed.", closed);
        }

        _work.Release();
    }

    private async Task RunAsync()
    {
        try
        {
            await LoopAsync().ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            // Nothing that a transaction meets comes here: a progress report that threw, or a defect. Nobody may wait for a writer that is gone.
            var told = new LedgerFaultException("The ledger's writer has stopped: " + fault.Message, fault);
            _decisions.Writer.TryComplete(told);
            _bulk.Writer.TryComplete(told);
            foreach (var request in _group.Concat(_again)) request.Failed(told);
            while (_decisions.Reader.TryRead(out var request)) request.Failed(told);
            while (_bulk.Reader.TryRead(out var request)) request.Failed(told);
        }
    }

    private async Task LoopAsync()
    {
        while (true)
        {
            if (_bulkInWork is null && _again.Count == 0)
            {
                await _work.WaitAsync().ConfigureAwait(false);
                while (await _work.WaitAsync(TimeSpan.Zero).ConfigureAwait(false)) { }   // one wake for all that waits
            }

            while (Gather()) await TransactAsync().ConfigureAwait(false);
            if (_closing && !_decisions.Reader.TryPeek(out _) && !_bulk.Reader.TryPeek(out _)) return;
        }
    }

    private bool Gather()
    {
        _group.Clear();
        _plans.Clear();
        var most = _single > 0 ? 1 : int.MaxValue;
        var weight = 0;
        while (weight < _options.CommandsPerCommitMax && _group.Count < most && (_again.TryDequeue(out var request) || _decisions.Reader.TryRead(out request)))
        {
            _group.Add(request);
            weight += request.Weight;
        }

        if (_group.Count < most && (_bulkInWork is not null || _bulk.Reader.TryRead(out _bulkInWork))) _group.Add(_bulkInWork);
        if (_single > 0) _single--;
        return _group.Count > 0;
    }

    private int BulkCount()
    {
        if (_bulkInWork is null || _group[^1] != _bulkInWork) return 0;
        int count = 0, coupons = 0;
        foreach (var command in _plans.Of(_bulkInWork, _options.BulkPerCommitMax))
        {
            if (command.Command is AddCoupons add) coupons += add.Coupons.Count;
            if (count > 0 && coupons > BulkCouponsMax) break;
            count++;
        }

        return Math.Max(1, count);
    }

    /// <summary>Tries the group until it is committed, or its callers are told why not.</summary>
    private async Task TransactAsync()
    {
        _began = Stopwatch.GetTimestamp();
        for (var attempt = 1; _group.Count > 0; attempt++)
        {
            var (fault, retry) = await TryAsync(attempt).ConfigureAwait(false);
            if (fault is null) return;
            if (fault is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "entry_pkey" or "account_pkey" or "lot_pkey" }) _numbers.Drop();   // used before: never again
            else _numbers.Rewind();
            foreach (var request in _group) request.Rewind();
            if (fault is RequestFaultException one)
            {
                Refuse(one.Request, new("The request failed and nothing of it is recorded: " + one.Message, one.InnerException!));
                attempt = 0;
                continue;
            }

            if (retry && attempt < _options.AttemptsMax)
            {
                _options.Observer?.Retried(ReasonOf(fault));
                if (fault is not NotPlannedException && fault is not PostgresException { SqlState: PostgresErrorCodes.UniqueViolation }) await PauseAsync(attempt).ConfigureAwait(false);
                continue;
            }

            if (fault is PostgresException { SqlState: not PostgresErrorCodes.DiskFull } && !retry && _group.Count > 1)
            {
                TakeApart();
                return;
            }

            var told = fault as LedgerFaultException
                ?? new LedgerFaultException("The ledger could not commit: " + fault.Message, fault) { OutOfRoom = fault is PostgresException { SqlState: PostgresErrorCodes.DiskFull } };
            foreach (var request in _group.ToArray()) Refuse(request, told);
        }
    }

    /// <returns>Null: committed and answered. Otherwise what went wrong and whether to try again.</returns>
    private async Task<(Exception? Fault, bool Retry)> TryAsync(int attempt)
    {
        Transaction? transaction = null;
        var committing = false;
        try
        {
            var connection = await _connection.GetAsync(CancellationToken.None).ConfigureAwait(false);
            if (attempt > 1) await _catalog.RefreshAsync(connection, CancellationToken.None).ConfigureAwait(false);
            transaction = new(_group, BulkCount(), attempt, _numbers, _plans, _catalog, _time, _shard, _last);
            await transaction.EvaluateAsync(connection, CancellationToken.None).ConfigureAwait(false);
            if (transaction.IsEmpty)
            {
                await _connection.RollBackAsync().ConfigureAwait(false);
            }
            else
            {
                committing = true;
                await transaction.CommitAsync(connection, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception fault) when (committing && IsUnknown(fault))
        {
            if (transaction!.Entries.Count == 0) return (fault, true);   // settings alone: writing them twice is writing them once
            try
            {
                if (!await IsCommittedAsync(transaction.Entries[0].Position).ConfigureAwait(false)) return (new UnknownOutcomeException(fault), true);
            }
            catch (LedgerFaultException unknown)
            {
                _numbers.Drop();
                return (unknown, false);
            }
        }
        catch (NpgsqlException fault)
        {
            // Statements behind the one that failed may have been about to be prepared, and the client's and the server's idea of them differ from then on: this
            // session is not used again, and the server takes its transaction back as it ends.
            await _connection.DropAsync().ConfigureAwait(false);
            return (fault, IsTransient(fault));
        }
        catch (Exception fault)
        {
            await _connection.RollBackAsync().ConfigureAwait(false);
            return (fault, IsTransient(fault));
        }

        Publish(transaction!);
        return default;
    }

    /// <summary>The answer of a commit did not come: asks until the server tells.</summary>
    private async Task<bool> IsCommittedAsync(long entry)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await _connection.WasCommittedAsync(entry, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
            {
                if (attempt >= _options.AttemptsMax)
                    throw new LedgerFaultException("It is unknown whether the ledger committed: the connection broke and the server does not answer. Look up by id. " + fault.Message, fault);
                await PauseAsync(attempt).ConfigureAwait(false);
            }
        }
    }

    private void Publish(Transaction transaction)
    {
        _last = transaction.Last;
        _numbers.Commit();
        _catalog.Publish(transaction.Entries);
        _catalog.Merge(transaction.Newer);
        if (transaction.Entries.Count > 0)
        {
            _committed();
            _options.Observer?.Committed(Stopwatch.GetElapsedTime(_began), transaction.Entries.Count);
        }

        foreach (var request in _group) request.Committed();
        if (_bulkInWork is { IsFinished: true }) _bulkInWork = null;
    }

    private void Refuse(Request request, LedgerFaultException fault)
    {
        _group.Remove(request);
        if (request == _bulkInWork) _bulkInWork = null;
        request.Failed(fault);
    }

    /// <summary>A value that the server refuses spoils the transaction, not the others' requests: each gets one of its own.</summary>
    private void TakeApart()
    {
        var waiting = _again.ToArray();
        _again.Clear();
        foreach (var request in _group)
            if (request != _bulkInWork) _again.Enqueue(request);
        _single = _again.Count;
        foreach (var request in waiting) _again.Enqueue(request);
    }

    private static bool IsUnknown(Exception fault) => fault switch
    {
        PostgresException server => server.Severity is "FATAL" or "PANIC" || server.InvariantSeverity is "FATAL" or "PANIC",
        NpgsqlException or TimeoutException or IOException => true,
        _ => false,
    };

    private static bool IsTransient(Exception fault) => fault switch
    {
        NotPlannedException => true,
        PostgresException server => server.IsTransient || server.InvariantSeverity is "FATAL" or "PANIC" || server.SqlState is PostgresErrorCodes.UniqueViolation
            or PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.QueryCanceled,
        NpgsqlException or TimeoutException or IOException => true,
        _ => false,
    };

    private static string ReasonOf(Exception fault) => fault switch
    {
        NotPlannedException => RetryReasons.NotPlanned,
        UnknownOutcomeException => RetryReasons.UnknownOutcome,
        PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } => RetryReasons.UniqueKey,
        PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } => RetryReasons.LockTimeout,
        PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected } => RetryReasons.Deadlock,
        PostgresException { SqlState: PostgresErrorCodes.SerializationFailure } => RetryReasons.Serialization,
        PostgresException { Severity: not ("FATAL" or "PANIC") } => RetryReasons.Other,
        _ => RetryReasons.Connection,
    };

    /// <summary>The answer of a commit was lost, and it turned out not to have happened.</summary>
    private sealed class UnknownOutcomeException(Exception fault) : Exception(fault.Message, fault);

    private static Task PauseAsync(int attempt)
    {
        var pause = RetryFirst * Math.Pow(2, attempt - 1);
        return Task.Delay(pause < RetryMax ? pause : RetryMax);
    }

    /// <summary>Works off what was handed in; later requests are refused.</summary>
    public async ValueTask DisposeAsync()
    {
        _decisions.Writer.TryComplete();
        _bulk.Writer.TryComplete();
        _closing = true;
        _work.Release();
        await _running.ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
        _work.Dispose();
    }
}
