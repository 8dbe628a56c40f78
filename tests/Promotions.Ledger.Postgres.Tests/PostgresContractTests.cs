using System.Security.Cryptography;
using Promotions.Ledger.Contract;
using Promotions.Ledger.Postgres.Verification;

namespace Promotions.Ledger.Postgres.Tests;

public sealed class RedemptionTests() : RedemptionContract(() => new PostgresBackend());

public sealed class BalanceTests() : BalanceContract(() => new PostgresBackend());

public sealed class LogTests() : LogContract(() => new PostgresBackend());

public sealed class ModelTests() : ModelContract(() => new PostgresBackend());

/// <summary>A ledger in a database of its own.</summary>
internal sealed class PostgresBackend : ILedgerBackend
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ledger-").FullName;
    private string? _connectionString;

    public async Task<OpenLedger> OpenAsync(TimeProvider time)
    {
        var ledger = await LedgerAsync(time);
        return new(ledger, ledger);
    }

    /// <summary>One more process, as it were, on the same database.</summary>
    public async Task<PostgresLedger> LedgerAsync(TimeProvider time, Action<string>? tell = null)
    {
        if (_connectionString is null)
        {
            _connectionString = await PostgresServer.Shared.NewDatabaseAsync();
            await File.WriteAllBytesAsync(KeyPath, RandomNumberGenerator.GetBytes(32));
        }

        tell?.Invoke(_connectionString);
        return await PostgresLedger.OpenAsync(new() { ConnectionString = _connectionString, CheckpointKeyPath = KeyPath }, time, TestContext.Current.CancellationToken);
    }

    private string KeyPath => Path.Combine(_folder, "audit-key");

    public async Task<IReadOnlyList<string>> VerifyAsync() =>
        [.. (await PostgresVerifier.VerifyAsync(_connectionString!, KeyPath, CancellationToken.None)).Findings.Select(f => f.ToString())];

    public async ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, true);
        if (_connectionString is null) return;
        var name = new Npgsql.NpgsqlConnectionStringBuilder(_connectionString).Database;
        await PostgresServer.ExecuteAsync(PostgresServer.Shared.ConnectionString("postgres"), $"DROP DATABASE {name} WITH (FORCE)");
    }
}
