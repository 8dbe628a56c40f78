using System.Globalization;
using Npgsql;
using Promotions.Domain.Campaigns;
using Promotions.Ledger.Audit;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Postgres.Storage;
using Promotions.Ledger.Writing;

namespace Promotions.Ledger.Postgres;

/// <summary>The ledger in a PostgreSQL database (15 or newer) that any number of processes share: a batch is one transaction of two round trips, under row locks.</summary>
/// <remarks>Safe from any thread. A call returns after the commit is durable. Cancelling has an effect only until the request is handed to the writer; from then on the
/// outcome is awaited. Positions in answers are numbers of entries: unique, rising within a process, with gaps. The dense places in log, tree and outbox come after the commit.</remarks>
public sealed class PostgresLedger : IFencedLedger, ISettingsStore, IOrderReader, ILeases, ICampaignPrefetch
{
    /// <summary>So many shares of the system's accounts: processes that post at the same time rarely meet in one.</summary>
    private const int Shards = 64;

    private readonly NpgsqlDataSource _readers;
    private readonly NpgsqlDataSource _writers;
    private readonly CampaignCatalog _catalog;
    private readonly Sequencer _sequencer;
    private readonly Writer _writer;
    private readonly PostgresLedgerReader _reader;
    private readonly Epochs _epochs;
    private readonly PostgresLedgerOptions _options;
    private readonly TimeProvider _time;
    private int _disposed;

    private PostgresLedger(NpgsqlDataSource readers, NpgsqlDataSource writers, CampaignCatalog catalog, CheckpointKey? key, PostgresLedgerOptions options, TimeProvider time, string shard, LastWritten last, bool sequences)
    {
        (_readers, _writers, _catalog) = (readers, writers, catalog);
        _sequencer = new(writers, catalog, key, time, options, sequences);
        _writer = new(writers, options, time, catalog, shard, last, _sequencer.Committed);
        _reader = new(readers, _sequencer, time);
        _epochs = new(writers, options);
        (_options, _time, Audit) = (options, time, new PostgresAuditReader(readers, _sequencer, key, options.Origin));
    }

    /// <summary>Opens the database's ledger, or makes its tables; brings an older schema forward.</summary>
    /// <exception cref="LedgerFaultException">The database is of a newer version, or of an older one that this user may not bring forward, not ours, not durable, or cannot be reached; the key file cannot be read.</exception>
    public static async Task<PostgresLedger> OpenAsync(PostgresLedgerOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var writers = NpgsqlDataSource.Create(Sessions(options, "promotions-ledger-writer", byKeyOnly: true));
        var readers = NpgsqlDataSource.Create(Sessions(options, "promotions-ledger-reader", byKeyOnly: false));
        CheckpointKey? key = null;
        try
        {
            key = options.CheckpointKeyPath is { } path ? CheckpointKey.Open(path) : null;
            var catalog = new CampaignCatalog(readers);
            await using var connection = await writers.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await CheckServerAsync(connection, cancellationToken).ConfigureAwait(false);
            await Schema.MigrateAsync(connection, cancellationToken).ConfigureAwait(false);
            var sequences = await Schema.MaySequenceAsync(connection, cancellationToken).ConfigureAwait(false);
            await catalog.RefreshAsync(connection, cancellationToken).ConfigureAwait(false);
            await using var command = new NpgsqlCommand("SELECT nextval('writer'), coalesce((SELECT recorded_at FROM entry ORDER BY id DESC LIMIT 1), 0), (SELECT logged FROM head)", connection);
            await using var row = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await row.ReadAsync(cancellationToken).ConfigureAwait(false);
            var shard = string.Create(CultureInfo.InvariantCulture, $"share-{row.GetInt64(0) % Shards}");
            return new(readers, writers, catalog, key, options, time, shard, new(row.GetInt64(1), row.GetInt64(2)), sequences);
        }
        catch (Exception fault)
        {
            key?.Dispose();
            await readers.DisposeAsync().ConfigureAwait(false);
            await writers.DisposeAsync().ConfigureAwait(false);
            if (fault is NpgsqlException) throw new LedgerFaultException("The ledger's database cannot be opened: " + fault.Message, fault);
            throw;
        }
    }

    /// <summary>Makes the tables or brings an older schema forward, and nothing else: for the database's owner, before processes with fewer rights start.</summary>
    /// <returns>The version of the schema.</returns>
    /// <exception cref="LedgerFaultException">As <see cref="OpenAsync"/>.</exception>
    public static async Task<int> MigrateAsync(string connectionString, CancellationToken cancellationToken)
    {
        try
        {
            await using var source = NpgsqlDataSource.Create(connectionString);
            await using var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await CheckServerAsync(connection, cancellationToken).ConfigureAwait(false);
            await Schema.MigrateAsync(connection, cancellationToken).ConfigureAwait(false);
            return Schema.Current;
        }
        catch (NpgsqlException fault)
        {
            throw new LedgerFaultException("The ledger's database cannot be opened: " + fault.Message, fault);
        }
    }

    /// <summary>Gives each role of the set its rights in a database whose tables are there, and takes back what it does not grant: <c>deploy/postgres/roles.sql</c>, as the database's owner. It may be run again.</summary>
    /// <exception cref="LedgerFaultException">The database cannot be reached, or the user may not do this.</exception>
    public static async Task GrantAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var stream = typeof(PostgresLedger).Assembly.GetManifestResourceStream("roles.sql") ?? throw new InvalidOperationException("roles.sql is not in this build.");
        using var reader = new StreamReader(stream);
        var roles = await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var source = NpgsqlDataSource.Create(connectionString);
            await using var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using var command = new NpgsqlCommand(roles, connection, transaction);
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException fault)
        {
            throw new LedgerFaultException("The roles' rights were not changed: " + fault.Message, fault);
        }
    }

    public ICampaignSnapshot Campaigns => _catalog.View;
    public ILedgerReader Reader => _reader;

    /// <summary>Checkpoints, proofs and the public key of the audit tree.</summary>
    public IAuditReader Audit { get; }

    /// <summary>Why entries get no places at the moment; null while the sequencer works.</summary>
    public Exception? SequencerFault => _sequencer.LastFault;

    public Task<CommitReceipt> CommitAsync(
        IReadOnlyList<LogAppend> batch, Func<IReadOnlyList<LedgerOutcome?>, IReadOnlyList<LogAppend>> followUps, CancellationToken cancellationToken) =>
        CommitAsync(new CommitRequest(Prepare(batch), followUps), cancellationToken);

    public Task<TaskEpoch> AcquireAsync(string task, CancellationToken cancellationToken) => _epochs.RaiseAsync(task, cancellationToken);

    public Task<CommitReceipt> CommitAsync(
        TaskEpoch owner, IReadOnlyList<LogAppend> batch, Func<IReadOnlyList<LedgerOutcome?>, IReadOnlyList<LogAppend>> followUps, CancellationToken cancellationToken) =>
        CommitAsync(new CommitRequest(Prepare(batch), followUps) { Owner = owner }, cancellationToken);

    private static PreparedAppend[] Prepare(IReadOnlyList<LogAppend> batch) => [.. batch.Select(PreparedAppend.From)];

    private async Task<CommitReceipt> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
    {
        await _writer.SendAsync(request, Lane.Decision, cancellationToken).ConfigureAwait(false);
        return await request.Completion.ConfigureAwait(false);
    }

    public async Task<LedgerOutcome> ExecuteAsync(LedgerCommand command, Lane lane, CancellationToken cancellationToken)
    {
        var request = new ExecuteRequest([PreparedCommand.From(command)], null);
        await _writer.SendAsync(request, lane, cancellationToken).ConfigureAwait(false);
        return (await request.Completion.ConfigureAwait(false))[0];
    }

    public async Task<IReadOnlyList<LedgerOutcome>> ExecuteManyAsync(IReadOnlyList<LedgerCommand> commands, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        if (commands.Count == 0) return [];
        var request = new ExecuteRequest([.. commands.Select(PreparedCommand.From)], progress);
        await _writer.SendAsync(request, Lane.Bulk, cancellationToken).ConfigureAwait(false);
        return await request.Completion.ConfigureAwait(false);
    }

    public RecordedOrder? FindOrder(string orderId) => Query.First(_readers, "SELECT p.customer, p.currency, p.total, p.returned FROM command c JOIN purchase p ON p.entry = c.entry WHERE c.id = $1",
        row => new RecordedOrder(orderId, row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3)), orderId);

    public string? Find(string scope, string name) => Query.First(_readers, "SELECT value FROM setting WHERE scope = $1 AND name = $2", row => row.GetString(0), scope, name);

    public IReadOnlyList<KeyValuePair<string, string>> List(string scope) =>
        Query.Many(_readers, "SELECT name, value FROM setting WHERE scope = $1 ORDER BY name", row => new KeyValuePair<string, string>(row.GetString(0), row.GetString(1)), scope);

    public async Task<ILease> LeaseAsync(string name, string holder, CancellationToken cancellationToken) =>
        await Lease.WaitAsync(_writers, name, holder, _options.LeaseTerm, _time, owner => new FencedSettings(this, owner), cancellationToken).ConfigureAwait(false);

    public async Task RefreshCampaignsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await _readers.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await _catalog.RefreshAsync(connection, cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException fault)
        {
            throw new LedgerFaultException("The ledger's database cannot be read: " + fault.Message, fault);
        }
    }

    public Task<ICampaignSnapshot> FetchAsync(IReadOnlyCollection<CouponQuestion> asked, CancellationToken cancellationToken) => _catalog.FetchAsync(asked, cancellationToken);

    /// <summary>Asks the database: for a scrape, not for a hot path.</summary>
    /// <exception cref="LedgerFaultException">It does not answer.</exception>
    public LedgerLag Lag() => Query.First(_readers, "SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(since)), 0)::float8 FROM pending",
        row => new LedgerLag(row.GetInt64(0), TimeSpan.FromSeconds(row.GetDouble(1)), _sequencer.LastFault?.Message))!;

    /// <summary>Changes by people and API keys leave an audit leaf with the value's hash; the system's own cursors do not.</summary>
    public Task PutAsync(string scope, string name, string? value, Actor actor, CancellationToken cancellationToken) =>
        PutAsync(new SettingRequest(scope, name, value, actor), cancellationToken);

    private async Task PutAsync(SettingRequest request, CancellationToken cancellationToken)
    {
        await _writer.SendAsync(request, Lane.Decision, cancellationToken).ConfigureAwait(false);
        await request.Completion.ConfigureAwait(false);
    }

    /// <summary>The same settings, written for an owner.</summary>
    private sealed class FencedSettings(PostgresLedger ledger, TaskEpoch owner) : ISettingsStore
    {
        public string? Find(string scope, string name) => ledger.Find(scope, name);
        public IReadOnlyList<KeyValuePair<string, string>> List(string scope) => ledger.List(scope);

        public Task PutAsync(string scope, string name, string? value, Actor actor, CancellationToken cancellationToken) =>
            ledger.PutAsync(new SettingRequest(scope, name, value, actor) { Owner = owner }, cancellationToken);
    }

    /// <summary>Finishes what was handed in and gives it its places, then closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        await _writer.DisposeAsync().ConfigureAwait(false);
        await _sequencer.DisposeAsync().ConfigureAwait(false);
        await _readers.DisposeAsync().ConfigureAwait(false);
        await _writers.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The session's settings travel in the connection string, so that no connection is ever without them.</summary>
    /// <param name="byKeyOnly">The writer finds all rows by key; a plan made while a table was empty must not scan it when it is large.</param>
    private static string Sessions(PostgresLedgerOptions options, string name, bool byKeyOnly)
    {
        var settings = string.Create(CultureInfo.InvariantCulture,
            $"-c lock_timeout={(long)options.LockTimeout.TotalMilliseconds} -c statement_timeout={(long)options.StatementTimeout.TotalMilliseconds} -c idle_in_transaction_session_timeout={(long)options.IdleInTransactionTimeout.TotalMilliseconds} -c jit=off");
        if (byKeyOnly) settings += " -c synchronous_commit=on -c enable_seqscan=off";
        // No statement of ours leaves anything in a session (SET is LOCAL, locks end with their transaction), so there is nothing to take back before each use of a connection.
        var builder = new NpgsqlConnectionStringBuilder(options.ConnectionString) { ApplicationName = name, MaxAutoPrepare = 200, AutoPrepareMinUsages = 2, NoResetOnClose = true };
        builder.Options = string.IsNullOrEmpty(builder.Options) ? settings : builder.Options + " " + settings;
        builder.CommandTimeout = (int)Math.Ceiling(options.StatementTimeout.TotalSeconds) + 5;
        return builder.ConnectionString;
    }

    private static async Task CheckServerAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT current_setting('server_version_num')::int, current_setting('fsync'), current_setting('full_page_writes'), current_setting('server_encoding')", connection);
        await using var row = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await row.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (row.GetInt32(0) < 150_000) throw new LedgerFaultException($"The server is PostgreSQL {row.GetInt32(0) / 10_000}; the ledger needs 15 or newer.");
        if (row.GetString(1) != "on" || row.GetString(2) != "on") throw new LedgerFaultException("The server runs with fsync or full_page_writes off: what it answers may be lost. Switch both on.");
        if (row.GetString(3) != "UTF8") throw new LedgerFaultException($"The database's encoding is {row.GetString(3)}; the ledger needs UTF8.");
    }
}
