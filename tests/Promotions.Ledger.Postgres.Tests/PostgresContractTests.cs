using System.Security.Cryptography;
using Promotions.Domain.Campaigns;
using Promotions.Ledger.Contract;
using Promotions.Ledger.Postgres.Verification;

namespace Promotions.Ledger.Postgres.Tests;

public sealed class RedemptionTests() : RedemptionContract(() => new PostgresBackend());

public sealed class BalanceTests() : BalanceContract(() => new PostgresBackend());

public sealed class LogTests() : LogContract(() => new PostgresBackend());

public sealed class LetThroughTests() : LetThroughContract(() => new PostgresBackend());

public sealed class ReviewTests() : ReviewContract(() => new PostgresBackend());

public sealed class ModelTests() : ModelContract(() => new PostgresBackend());

/// <summary>Random commands, each through another of two processes on one database: the naive model must not notice.</summary>
public sealed class TwoProcessModelTests() : ModelContract(() => new PostgresBackend { Processes = 2 });

/// <summary>A ledger in a database of its own.</summary>
internal sealed class PostgresBackend(PostgresServer? server = null) : ILedgerBackend
{
    private PostgresServer Server => server ?? PostgresServer.Shared;

    /// <summary>More than one: commands go through them in turns.</summary>
    public int Processes { get; init; } = 1;

    public TimeSpan IdleInTransactionTimeout { get; init; } = TimeSpan.FromSeconds(3);

    public TimeSpan LeaseTerm { get; init; } = TimeSpan.FromSeconds(5);
    public TimeSpan SequenceEvery { get; init; } = TimeSpan.FromMilliseconds(200);
    public ILedgerObserver? Observer { get; init; }

    public string ConnectionString => _connectionString!;

    private readonly string _folder = Directory.CreateTempSubdirectory("ledger-").FullName;
    private string? _connectionString;

    public async Task<OpenLedger> OpenAsync(TimeProvider time)
    {
        var ledgers = new List<PostgresLedger>();
        for (var i = 0; i < Processes; i++) ledgers.Add(await LedgerAsync(time));
        return new(Processes == 1 ? ledgers[0] : new InTurns(ledgers), ledgers[0]);
    }

    private sealed class InTurns(IReadOnlyList<PostgresLedger> ledgers) : ILedger
    {
        private int _turn;

        private PostgresLedger Next => ledgers[Interlocked.Increment(ref _turn) % ledgers.Count];
        public ICampaignSnapshot Campaigns => ledgers[0].Campaigns;
        public ILedgerReader Reader => Next.Reader;

        public Task<CommitReceipt> CommitAsync(IReadOnlyList<LogAppend> batch, Func<IReadOnlyList<LedgerOutcome?>, IReadOnlyList<LogAppend>> followUps, CancellationToken cancellationToken) =>
            Next.CommitAsync(batch, followUps, cancellationToken);

        public Task<LedgerOutcome> ExecuteAsync(LedgerCommand command, Lane lane, CancellationToken cancellationToken) => Next.ExecuteAsync(command, lane, cancellationToken);

        public Task<IReadOnlyList<LedgerOutcome>> ExecuteManyAsync(IReadOnlyList<LedgerCommand> commands, IProgress<int>? progress, CancellationToken cancellationToken) =>
            Next.ExecuteManyAsync(commands, progress, cancellationToken);

        public async ValueTask DisposeAsync()
        {
            foreach (var ledger in ledgers) await ledger.DisposeAsync();
        }
    }

    /// <summary>One more process, as it were, on the same database.</summary>
    public async Task<PostgresLedger> LedgerAsync(TimeProvider time)
    {
        if (_connectionString is null)
        {
            _connectionString = await Server.NewDatabaseAsync();
            await File.WriteAllBytesAsync(KeyPath, RandomNumberGenerator.GetBytes(32));
        }

        return await PostgresLedger.OpenAsync(new()
        {
            ConnectionString = _connectionString,
            CheckpointKeyPath = KeyPath,
            IdleInTransactionTimeout = IdleInTransactionTimeout,
            LeaseTerm = LeaseTerm,
            SequenceEvery = SequenceEvery,
            Observer = Observer,
        }, time, TestContext.Current.CancellationToken);
    }

    private string KeyPath => Path.Combine(_folder, "audit-key");

    public async Task<IReadOnlyList<string>> VerifyAsync() =>
        [.. (await PostgresVerifier.VerifyAsync(_connectionString!, KeyPath, CancellationToken.None)).Findings.Select(f => f.ToString())];

    public async ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, true);
        if (_connectionString is null) return;
        var name = new Npgsql.NpgsqlConnectionStringBuilder(_connectionString).Database;
        await PostgresServer.ExecuteAsync(Server.ConnectionString("postgres"), $"DROP DATABASE {name} WITH (FORCE)");
    }
}
