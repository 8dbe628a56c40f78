using Microsoft.Extensions.Logging.Abstractions;
using Promotions.Analytics.Hosting;
using Promotions.Analytics.Tests;
using Promotions.ClickHouse.Tests;

[assembly: AssemblyFixture(typeof(EngineFixture))]

namespace Promotions.Analytics.Tests;

/// <summary>One real engine for all tests of the project; each test has a database of its own.</summary>
public sealed class EngineFixture : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("promotions-clickhouse-").FullName;
    private EmbeddedClickHouse? _engine;
    private string? _missing;
    private int _databases;

    public EmbeddedClickHouse Engine
    {
        get
        {
            if (_missing is not null) Assert.Skip(_missing);
            return _engine!;
        }
    }

    public string DataFolder => _folder;

    public async ValueTask InitializeAsync()
    {
        var (library, reason) = await ChdbLibrary.FindAsync();
        if (library is null)
        {
            if (Environment.GetEnvironmentVariable("CI") == "true") throw new InvalidOperationException(reason);
            _missing = reason;
            return;
        }

        _engine = EmbeddedClickHouse.Start(
            new() { LibraryPath = library, DataFolder = Path.Combine(_folder, "data"), RestartMax = TimeSpan.FromSeconds(1) }, TimeProvider.System, NullLogger<EmbeddedClickHouse>.Instance);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _engine.WaitReadyAsync(patience.Token);
    }

    /// <summary>A database that no other test sees.</summary>
    public AnalyticsDatabase NewDatabase() => new(Engine.Address with { Database = $"test_{Interlocked.Increment(ref _databases)}" });

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null) await _engine.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
