using Promotions.Domain.Campaigns;
using Promotions.Ledger.Audit;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Sqlite.Storage;
using Promotions.Ledger.Writing;

namespace Promotions.Ledger.Sqlite;

/// <summary>The ledger in one SQLite file: write-ahead log, <c>synchronous=FULL</c>, one writer thread, group commit.</summary>
/// <remarks>Safe from any thread. A call returns after the fsync of its transaction. Cancelling has an effect only until the request is handed to the
/// writer; from then on the outcome is awaited, because it may be durable already.</remarks>
public sealed class SqliteLedger : ILedger, ISettingsStore, IOrderReader
{
    private readonly Writer _writer;
    private readonly ReaderPool _readers;
    private readonly SqliteLedgerReader _reader;
    private int _disposed;

    private SqliteLedger(Writer writer, ReaderPool readers, TimeProvider time)
    {
        _writer = writer;
        _readers = readers;
        _reader = new(readers, writer, time);
    }

    /// <summary>Opens the file, or makes it; brings an older schema forward.</summary>
    /// <exception cref="LedgerFaultException">The file is of a newer version, not ours, damaged, in use by another ledger, or SQLite is too old.</exception>
    public static SqliteLedger Open(SqliteLedgerOptions options, TimeProvider time)
    {
        var path = Path.GetFullPath(options.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            ReaderPool? readers = null;
            var writer = Writer.Open(path, options, time, () => readers = new(path, options.Readers, options.Vfs));
            return new(writer, readers!, time);
        }
        catch (SqliteFaultException fault)
        {
            throw new LedgerFaultException($"The ledger at {path} cannot be opened: {fault.Message}", fault);
        }
    }

    public ICampaignSnapshot Campaigns => _writer.Campaigns;
    public ILedgerReader Reader => _reader;

    /// <summary>Checkpoints, proofs and the public key of the audit tree.</summary>
    public IAuditReader Audit => _reader.Audit;

    public async Task<CommitReceipt> CommitAsync(
        IReadOnlyList<LogAppend> batch, Func<IReadOnlyList<LedgerOutcome?>, IReadOnlyList<LogAppend>> followUps, CancellationToken cancellationToken)
    {
        var request = new CommitRequest([.. batch.Select(PreparedAppend.From)], followUps);
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

    public RecordedOrder? FindOrder(string orderId) => _readers.Read(db =>
    {
        var row = db.Prepare("SELECT p.customer, p.currency, p.total, p.returned FROM command c JOIN purchase p ON p.position = c.position WHERE c.id = ?").Bind(1, orderId);
        using (row.Scope()) return row.Step() ? new RecordedOrder(orderId, row.Text(0), row.Text(1), row.Long(2), row.Long(3)) : null;
    });

    public string? Find(string scope, string name) => _readers.Read(db => Find(db, scope, name));

    internal static string? Find(Db db, string scope, string name)
    {
        var row = db.Prepare("SELECT value FROM setting WHERE scope = ? AND name = ?").Bind(1, scope).Bind(2, name);
        using (row.Scope()) return row.Step() ? row.Text(0) : null;
    }

    public IReadOnlyList<KeyValuePair<string, string>> List(string scope) => _readers.Read(db =>
    {
        var found = new List<KeyValuePair<string, string>>();
        var rows = db.Prepare("SELECT name, value FROM setting WHERE scope = ? ORDER BY name").Bind(1, scope);
        using (rows.Scope())
            while (rows.Step()) found.Add(new(rows.Text(0), rows.Text(1)));
        return found;
    });

    /// <summary>Changes by people and API keys leave an audit leaf with the value's hash; the system's own cursors do not.</summary>
    public async Task PutAsync(string scope, string name, string? value, Actor actor, CancellationToken cancellationToken)
    {
        var request = new SettingRequest(scope, name, value, actor);
        await _writer.SendAsync(request, Lane.Decision, cancellationToken).ConfigureAwait(false);
        await request.Completion.ConfigureAwait(false);
    }

    /// <summary>For tests that prove what a setting is for: a pragma on the writer's own connection. Only while nothing is handed in.</summary>
    internal void SetOnWriter(string pragma) => _writer.Set(pragma);

    /// <summary>Finishes what was handed in, then closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        await _writer.DrainAsync().ConfigureAwait(false);
        _readers.Dispose();
        _writer.Dispose();
    }
}
